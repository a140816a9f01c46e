package import Releases

/// What a hook is told of the release: as placeholders in its texts, and as environment of its command.
package struct HookValues: Hashable, Sendable {
    package static let placeholders = ["release", "path", "current", "digest"]

    package var hook: String
    /// Number of the release.
    package var release: Int
    /// Its directory.
    package var path: String
    /// The link that points at it.
    package var current: String
    package var digest: String
    package var rollbackOf: Int?

    package init(_ hook: String, _ release: Release, deploy: String) {
        self.hook = hook
        self.release = release.version
        path = release.directory
        current = deploy + "/current"
        digest = release.digest
        rollbackOf = release.record.rollbackOf
    }

    private subscript(name: Substring) -> String? {
        switch name {
        case "release": String(release)
        case "path": path
        case "current": current
        case "digest": digest
        default: nil
        }
    }

    /// The text with `{release}`, `{path}`, `{current}` and `{digest}` replaced, each value passed through `encoding`; other
    /// braces stay, and what was put in is not looked at again.
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
        return variables
    }
}
