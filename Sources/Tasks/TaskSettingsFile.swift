import Files
package import WorkerProtocol
import Yams

/// Reads `task.yaml`. All its faults are told at once.
package enum TaskSettingsFile {
    /// Longest file in bytes.
    static let limit = 64 << 10
    /// Most prefixes in `head`.
    static let mostPrefixes = 256

    /// The settings of a task folder; the defaults where it has no `task.yaml`.
    package static func read(directory: String) throws(AdmissionFault) -> TaskSettings {
        let path = "\(directory)/\(TaskLayout.settings)"
        let file: ReadableFile
        do throws(FilesError) {
            guard try FileStatus.ifPresent(path, followingLinks: true) != nil else { return TaskSettings() }
            file = try ReadableFile(path: path, followingLinks: true)
        } catch {
            throw AdmissionFault(error)
        }
        return try read(file)
    }

    static func read(_ file: ReadableFile) throws(AdmissionFault) -> TaskSettings {
        let bytes: [UInt8]
        do throws(FilesError) {
            bytes = try file.contents(limit: limit)
        } catch {
            throw AdmissionFault(error)
        }
        return try parse(bytes)
    }

    /// The settings in a file's content. Throws `AdmissionFault` with all that is wrong.
    package static func parse(_ bytes: [UInt8]) throws(AdmissionFault) -> TaskSettings {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw refusal(["it is not UTF-8"]) }
        guard !text.contains(/(^|[\s\[\{,:?-])[&*][^\s]/.anchorsMatchLineEndings()) else {
            throw refusal(["anchors and aliases are not taken; write the values out"])
        }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw refusal(["it is not YAML: \("\(error)".split(separator: "\n").first ?? "")"])
        }
        guard let root, root.scalar?.string != "" else { return TaskSettings() }
        guard let mapping = root.mapping else { throw refusal(["it must be a mapping of keys to values"]) }
        var settings = TaskSettings()
        var faults: [String] = []
        for (key, value) in mapping {
            let name = key.scalar?.string ?? "?"
            if let fault = set(name, value, &settings) { faults.append(fault) }
        }
        if let fault = settings.contradiction { faults.append(fault) }
        guard faults.isEmpty else { throw refusal(faults) }
        return settings
    }

    /// Takes one key over. Gives what is wrong with it.
    private static func set(_ key: String, _ value: Node, _ settings: inout TaskSettings) -> String? {
        switch key {
        case "objective":
            guard let objective = value.scalar.flatMap({ TaskSettings.Objective(rawValue: $0.string) }) else {
                let names = TaskSettings.Objective.allCases.map(\.rawValue).joined(separator: ", ")
                return "`objective` must be one of \(names)"
            }
            settings.objective = objective
        case "metric":
            guard let metric = value.scalar.flatMap({ Metric(rawValue: $0.string) }) else {
                return "`metric` must be one of \(Metric.allCases.map(\.rawValue).joined(separator: ", "))"
            }
            settings.metric = metric
        case "length-normalized":
            guard let choice = value.scalar.flatMap({ Bool($0.string) }) else {
                return "`length-normalized` must be true or false"
            }
            settings.normalizesLength = choice
        case "head":
            let items = value.sequence.map { Array($0) } ?? [value]
            let prefixes = items.compactMap { $0.scalar?.string }.filter { !$0.isEmpty }
            guard prefixes.count == items.count, prefixes.count <= mostPrefixes else {
                return "`head` must be a name prefix or a list of at most \(mostPrefixes)"
            }
            settings.head = prefixes
        case "weight":
            guard let weight = number(value), weight > 0 else { return "`weight` must be a number above 0" }
            settings.weight = weight
        case "maximum-regression":
            guard let fall = number(value), fall >= 0 else {
                return "`maximum-regression` must be a number of at least 0"
            }
            settings.maximumRegression = fall
        default:
            return "unknown key `\(key.printable)` (known: objective, metric, length-normalized, head, weight, "
                + "maximum-regression)"
        }
        return nil
    }

    private static func number(_ value: Node) -> Double? {
        guard let text = value.scalar?.string, let number = Double(text), number.isFinite else { return nil }
        return number
    }

    private static func refusal(_ faults: [String]) -> AdmissionFault {
        .refused(
            code: "task-settings",
            message: "\(TaskLayout.settings): \(faults.joined(separator: "; ").printable(limit: 2000))")
    }
}

extension TaskSettings {
    /// Keys that don't go together; else nil.
    fileprivate var contradiction: String? {
        let fitting = Metric.fitting(objective)
        if let metric, !fitting.contains(metric) {
            return "`metric: \(metric.rawValue)` says nothing about \(objective.rawValue); choose one of "
                + fitting.map(\.rawValue).joined(separator: ", ")
        }
        guard normalizesLength, objective != .multipleChoice else { return nil }
        return "`length-normalized` is for multiple-choice alone; leave it out"
    }
}
