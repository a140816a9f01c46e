import Files
import Foundation
import WorkerProtocol
import Yams

extension Configuration {
    /// Reads and checks a file.
    ///
    /// Throws `ConfigurationError` with every fault: unreadable, not YAML, unknown or repeated keys, values out of
    /// range.
    package static func load(_ path: String) throws(ConfigurationError) -> Configuration {
        let bytes: [UInt8]
        do {
            bytes = try Durable.contents(path, limit: 1 << 20)
        } catch {
            throw ConfigurationError(
                file: path, faults: [ConfigurationFault(key: "", message: "can't be read: \(error)")])
        }
        return try parse(String(decoding: bytes, as: UTF8.self), file: path)
    }

    /// Checks the text of a file; keys that are not there have their defaults.
    package static func parse(_ text: String, file: String) throws(ConfigurationError) -> Configuration {
        var reader = ConfigurationReader()
        do {
            if let root = try Yams.compose(yaml: text) { reader.read(root) }
        } catch {
            throw ConfigurationError(file: file, faults: [ConfigurationReader.fault(of: error)])
        }
        reader.result.complete(written: reader.written)
        let faults = reader.faults + reader.result.overlaps() + reader.result.contradictions()
        guard faults.isEmpty else { throw ConfigurationError(file: file, faults: faults) }
        return reader.result
    }
}

/// Walks the YAML tree and gathers faults instead of stopping at the first.
private struct ConfigurationReader {
    var result = Configuration()
    var faults: [ConfigurationFault] = []
    var written: Set<String> = []

    static func fault(of error: any Error) -> ConfigurationFault {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            ConfigurationFault(line: mark.line, key: "", message: "not YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            ConfigurationFault(
                line: context.mark.line, key: "",
                message: "written more than once: \(duplicates.joined(separator: ", ")); keep one of each")
        default: ConfigurationFault(key: "", message: "not YAML: \(error)")
        }
    }

    mutating func read(_ root: Node) {
        if root.scalar?.string == "" { return }
        guard let mapping = root.mapping else {
            add(root, "", "expected keys and values, for example 'registry: /srv/supermerge/registry'")
            return
        }
        for (key, value) in mapping {
            let name = key.string ?? ""
            if name == "hooks" {
                readHooks(value)
            } else if ConfigurationKey.sections.contains(name) {
                readSection(name, value)
            } else {
                readValue(name, key: key, value)
            }
        }
    }

    private mutating func readSection(_ name: String, _ node: Node) {
        if node.isNull { return }
        guard let mapping = node.mapping else {
            return add(node, name, "expected keys and values below it")
        }
        for (key, value) in mapping {
            let path = "\(name).\(key.string ?? "")"
            switch path {
            case "rollout.check": readCheck(value)
            case "gate.command": readGateCommand(value)
            case "timestamp.command": readTimestampCommand(value)
            default: readValue(path, key: key, value)
            }
        }
    }

    private mutating func readValue(_ path: String, key: Node, _ node: Node) {
        guard let known = ConfigurationKey.all.first(where: { $0.path == path }) else {
            return add(key, path, "unknown key; config/supermerged.yaml lists all of them")
        }
        guard let scalar = node.scalar else { return add(node, path, "expected \(known.kind)") }
        do throws(SettingProblem) {
            try known.read(scalar.string, &result)
            written.insert(path)
        } catch {
            add(node, path, error.message)
        }
    }

    private mutating func readGateCommand(_ node: Node) {
        if node.isNull { return }
        var reader = HookReader()
        result.gate.command = reader.gateCommand(node)
        faults += reader.faults
    }

    private mutating func readTimestampCommand(_ node: Node) {
        if node.isNull { return }
        var reader = HookReader()
        if case .command(let words) = reader.command(node, "timestamp.command") { result.timestamp.command = words }
        faults += reader.faults
    }

    private mutating func readCheck(_ node: Node) {
        if node.isNull { return }
        var reader = HookReader()
        result.rollout.check = reader.rolloutCheck(node)
        faults += reader.faults
        written.insert("rollout.check")
    }

    private mutating func readHooks(_ node: Node) {
        var reader = HookReader()
        reader.read(node)
        result.hooks = reader.hooks
        faults += reader.faults
    }

    private mutating func add(_ node: Node, _ key: String, _ message: String) {
        faults.append(ConfigurationFault(line: node.mark?.line, key: key, message: message))
    }
}

extension Node {
    /// Whether nothing is written there.
    var isNull: Bool {
        scalar.map { ["", "~", "null"].contains($0.string) && $0.style == .plain } ?? false
    }
}
