package import Releases

/// What a hook is told of the release: as placeholders in its texts, and as environment of its command.
package struct HookValues: Hashable, Sendable {
    package static let placeholders = ["release", "path", "current", "digest", "previous", "target"]

    package var hook: String
    /// Number of the release.
    package var release: Int
    /// Its directory.
    package var path: String
    /// The link that points at it.
    package var current: String
    package var digest: String
    package var rollbackOf: Int?
    /// Number of the release that was deployed before; nil for the first.
    package var previous: Int?
    /// The server that is called, `host:port`, where the hook has targets.
    package var target: String?

    /// `link`: name of the link in `deploy` that points at the release.
    package init(
        _ hook: String, _ release: Release, deploy: String, link: String = "current", previous: Int? = nil
    ) {
        self.hook = hook
        self.release = release.version
        path = release.directory
        current = "\(deploy)/\(link)"
        digest = release.digest
        rollbackOf = release.record.rollbackOf
        self.previous = previous
    }

    private subscript(name: Substring) -> String? {
        switch name {
        case "release": String(release)
        case "path": path
        case "current": current
        case "digest": digest
        case "previous": previous.map { String($0) }
        case "target": target
        default: nil
        }
    }

    /// The text with its placeholders replaced, each value passed through `encoding`; other braces stay, and values are
    /// not searched for placeholders.
    func fill(_ text: String, _ encoding: (String) -> String = { $0 }) -> String {
        var result = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            let inside = rest[rest.index(after: open)...]
            if let close = inside.firstIndex(of: "}"), let value = self[inside[..<close]] {
                result += encoding(value)
                rest = inside[inside.index(after: close)...]
            } else {
                result += "{"
                rest = inside
            }
        }
        return result + rest
    }

    /// Variables for a command.
    var environment: [String: String] {
        var variables = [
            "SUPERMERGE_HOOK": hook, "SUPERMERGE_RELEASE": String(release), "SUPERMERGE_PATH": path,
            "SUPERMERGE_CURRENT": current, "SUPERMERGE_DIGEST": digest,
        ]
        variables["SUPERMERGE_ROLLBACK_OF"] = rollbackOf.map { String($0) }
        variables["SUPERMERGE_PREVIOUS"] = previous.map { String($0) }
        variables["SUPERMERGE_TARGET"] = target
        return variables
    }
}
