import Files
import ModelFamilies
import WorkerProtocol

/// Chooses the head of a base's graph by what its tasks are, where the base has the one of its pretraining or none.
///
/// All tasks are merged with one graph. Those that are deployed decide, else all; a head that fewer than half of them
/// have would refuse the others, and is not taken.
package struct HeadChoice: Sendable {
    private struct Known {
        var stamp: String
        var modelType: String?
        var head: FamilyHead?
    }

    private var known: [String: Known] = [:]

    package init() {}

    /// The end of the class's name that more than half of the tasks share; nil where there is none. `deciding`: names
    /// of the tasks whose votes count alone, if any of them is there.
    package mutating func head(
        base: UploadLocation?, tasks: [(name: String, place: UploadLocation)], deciding: Set<String> = []
    ) -> String? {
        let modelType = base.flatMap { Self.values($0, TaskLayout.configuration) }?["model_type"]?.text
        var votes: [(name: String, head: FamilyHead)] = []
        var read: [String: Known] = [:]
        for (name, place) in tasks {
            guard let own = look(name, place) else { continue }
            read[name] = own
            guard own.modelType == nil || modelType == nil || own.modelType == modelType, let head = own.head else {
                continue
            }
            votes.append((name, head))
        }
        known = read
        let deployed = votes.filter { deciding.contains($0.name) }
        let voters = deployed.isEmpty ? votes : deployed
        return FamilyHead.allCases.first { head in voters.count { $0.head == head } * 2 > voters.count }?.rawValue
    }

    /// The same for folders that somebody named.
    package static func head(base: String?, tasks: [String]) -> String? {
        var choice = HeadChoice()
        let places = tasks.compactMap { task in (try? UploadLocation(named: task)).map { (name: task, place: $0) } }
        return choice.head(base: base.flatMap { try? UploadLocation(named: $0) }, tasks: places)
    }

    /// What the file of a task says that names its head; nil where none can be read.
    private func look(_ name: String, _ place: UploadLocation) -> Known? {
        for file in [TaskLayout.configuration, TaskLayout.adapterConfiguration] {
            guard let opened = try? place.file(file), let stamp = try? opened.identity().description else { continue }
            if let own = known[name], own.stamp == stamp { return own }
            guard let bytes = try? opened.contents(limit: BaseFiles.longestConfiguration),
                let values = try? JSONValue.members(parsing: bytes, .python)
            else { continue }
            return Known(
                stamp: stamp, modelType: values["model_type"]?.text, head: FamilyHead(configuration: bytes))
        }
        return nil
    }

    private static func values(_ place: UploadLocation, _ file: String) -> [String: JSONValue]? {
        guard let bytes = try? place.file(file).contents(limit: BaseFiles.longestConfiguration) else { return nil }
        return try? JSONValue.members(parsing: bytes, .python)
    }
}
