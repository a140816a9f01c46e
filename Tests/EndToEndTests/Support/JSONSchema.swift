import Foundation

/// The tables of `docs/json.md`: which fields a command prints.
struct JSONSchema {
    struct Fault: Error { var description: String }

    /// Field path → whether it is always there.
    private(set) var fields: [String: Bool] = [:]

    /// The table below the heading that holds `command`.
    init(of command: String) throws {
        let text = try String(contentsOf: Programs.package.appending(path: "docs/json.md"), encoding: .utf8)
        guard let section = text.components(separatedBy: "\n## ").first(where: { $0.hasPrefix("`\(command)`") }) else {
            throw Fault(description: "docs/json.md has no section of \(command)")
        }
        for line in section.split(separator: "\n") where line.hasPrefix("| `") {
            let field = line.dropFirst(3).prefix { $0 != "`" }
            let isOptional = field.hasSuffix("?")
            for path in Self.alternatives(String(isOptional ? field.dropLast() : field)) { fields[path] = !isOptional }
        }
    }

    /// `{a,b}` in a path stands for either.
    private static func alternatives(_ path: String) -> [String] {
        guard let open = path.firstIndex(of: "{"), let close = path.firstIndex(of: "}") else { return [path] }
        return path[path.index(after: open)..<close].split(separator: ",").map {
            "\(path[..<open])\($0)\(path[path.index(after: close)...])"
        }
    }

    /// What a value has that is not documented, and what it lacks although it is documented as always there.
    func faults(of value: Any) -> [String] {
        let found = Self.paths(value, "")
        let documented = fields.keys
        let undocumented = found.filter { path in
            !documented.contains { $0 == path || ($0.hasSuffix("*") && path.hasPrefix($0.dropLast())) }
        }
        let missing = fields.filter { path, isAlways in
            isAlways && !found.contains { $0 == path || (path.hasSuffix("*") && $0.hasPrefix(path.dropLast())) }
                && Self.isReached(path, found)
        }.keys
        return undocumented.map { "\($0) is not documented" }.sorted() + missing.map { "\($0) is missing" }.sorted()
    }

    /// Whether the object that a field belongs to is there at all.
    private static func isReached(_ path: String, _ found: Set<String>) -> Bool {
        guard let dot = path.lastIndex(of: ".") else { return true }
        return found.contains { $0.hasPrefix(path[...dot]) }
    }

    /// Paths of all that is no collection; of an empty list its own.
    private static func paths(_ value: Any, _ path: String) -> Set<String> {
        if let object = value as? [String: Any] {
            return object.reduce(into: []) {
                $0.formUnion(paths($1.value, path.isEmpty ? $1.key : "\(path).\($1.key)"))
            }
        }
        if let list = value as? [Any] {
            return list.reduce(into: []) { $0.formUnion(paths($1, path + "[]")) }
        }
        return [path]
    }
}
