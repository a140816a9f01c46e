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

    /// The same, and where the objective is classification the one that the configuration of the task's head says:
    /// `problem_type` multi_label_classification is multi-label.
    package static func read(folder directory: String) throws(AdmissionFault) -> TaskSettings {
        let settings = try read(directory: directory)
        let path = "\(directory)/\(HeadConfiguration.fileName)"
        guard let file = try? ReadableFile(path: path, followingLinks: true),
            let bytes = try? file.contents(limit: HeadConfiguration.longest)
        else { return settings }
        return settings.resolved(HeadConfiguration(bytes))
    }

    static func read(_ file: ReadableFile) throws(AdmissionFault) -> TaskSettings {
        let bytes: [UInt8]
        do throws(FilesError) {
            bytes = try file.contents(limit: limit)
        } catch {
            throw AdmissionFault(error)
        }
        if let content = FileContent(bytes) { throw content.fault(in: TaskLayout.settings) }
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
        settings.resolveMetric()
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
        case "columns":
            let roles = ExampleRoles.all.joined(separator: ", ")
            guard let mapping = value.mapping else {
                return "`columns` must map roles to names of columns, like `columns: {text: review, label: stars}`"
            }
            var columns: [String: String] = [:]
            for (role, column) in mapping {
                let name = role.scalar?.string ?? "?"
                guard ExampleRoles.all.contains(name), let column = column.scalar?.string, !column.isEmpty else {
                    return "`columns` has no role `\(name.printable)`; the roles are \(roles), each with a name"
                }
                columns[name] = column
            }
            settings.columns = columns
        case "max-length":
            guard let text = value.scalar?.string, let length = Int(text), (1...longestExample).contains(length) else {
                return "`max-length` must be a number of tokens from 1 to \(longestExample)"
            }
            settings.maximumLength = length
        case "max-new-tokens":
            guard let text = value.scalar?.string, let count = Int(text), (1...mostNewTokens).contains(count) else {
                return "`max-new-tokens` must be a number of tokens from 1 to \(mostNewTokens)"
            }
            settings.maximumNewTokens = count
        case "template":
            guard let template = value.scalar.flatMap({ TaskSettings.Template(rawValue: $0.string) }) else {
                let names = TaskSettings.Template.allCases.map(\.rawValue).joined(separator: " or ")
                return "`template` must be \(names)"
            }
            settings.template = template
        case "source", "licence":
            guard let text = value.scalar?.string, ModelOriginFile.isUsable(text) else {
                return "`\(key)` must be one line of at most \(ModelOriginFile.longest) characters"
            }
            var origin = settings.origin ?? ModelOrigin()
            if key == "source" { origin.source = text } else { origin.licence = text }
            settings.origin = origin
        default:
            return "unknown key `\(key.printable)` (known: objective, metric, length-normalized, head, weight, "
                + "maximum-regression, columns, max-length, max-new-tokens, template, source, licence)"
        }
        return nil
    }

    /// Most tokens that `max-length` may ask for.
    private static let longestExample = 1 << 20
    /// Most tokens that `max-new-tokens` may ask for: each takes up to one pass over all that is before it.
    private static let mostNewTokens = 4096

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
    /// With multi-label in place of classification where a head's configuration says so.
    func resolved(_ head: HeadConfiguration?) -> TaskSettings {
        guard objective == .classification, head?.isMultiLabel == true else { return self }
        var settings = self
        settings.objective = .multiLabel
        if let metric, !Metric.fitting(.multiLabel).contains(metric) { settings.metric = nil }
        return settings
    }

    /// Of texts `f1` is SQuAD's, as its data sets call it.
    fileprivate mutating func resolveMetric() {
        let fitting = Metric.fitting(objective)
        if metric == .f1, !fitting.contains(.f1), fitting.contains(.squadF1) { metric = .squadF1 }
    }

    /// Keys that don't go together; else nil.
    fileprivate var contradiction: String? {
        let fitting = Metric.fitting(objective)
        if let metric, !fitting.contains(metric) {
            return "`metric: \(metric.rawValue)` says nothing about \(objective.rawValue); choose one of "
                + fitting.map(\.rawValue).joined(separator: ", ")
        }
        if maximumNewTokens != nil, !objective.predictsTokens || !(metric ?? Metric(of: objective)).isOfTexts {
            return "`max-new-tokens` is for texts that the model writes; choose a metric of them: "
                + Metric.ofTexts.map(\.rawValue).joined(separator: ", ")
        }
        guard normalizesLength, objective != .multipleChoice else { return nil }
        return "`length-normalized` is for multiple-choice alone; leave it out"
    }
}
