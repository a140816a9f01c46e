/// Paths are taken apart by their bytes, as the kernel does: among the characters of a text, a slash with a combining
/// mark behind it or a prepended one before it is no slash.
extension String {
    /// The names between the slashes.
    package var pathNames: [String] {
        utf8.split(separator: Self.slash).map { String(Substring($0)) }
    }

    /// The directory that a path's last name lies in, and that name; slashes at the end do not count.
    package var splitPath: (directory: String, name: String) {
        var path = utf8[...]
        while path.count > 1, path.last == Self.slash { path.removeLast() }
        guard let slash = path.lastIndex(of: Self.slash) else { return (".", String(Substring(path))) }
        let directory = path[..<slash]
        return (
            directory.isEmpty ? "/" : String(Substring(directory)), String(Substring(path[path.index(after: slash)...]))
        )
    }

    /// Whether the last bytes are these.
    package func ends(in ending: String) -> Bool { utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8) }

    private static let slash = UInt8(ascii: "/")
}
