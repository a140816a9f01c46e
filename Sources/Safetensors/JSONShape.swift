internal import Files

/// JSON whose content does not matter.
package enum JSONShape {
    /// Whether `bytes` are one JSON value, with white space around it; nothing is kept of it.
    package static func isWhole(_ bytes: [UInt8]) -> Bool {
        var cursor = JSONCursor(bytes, allowsNonFinite: true)
        do {
            try cursor.skipValue()
        } catch {
            return false
        }
        return (try? cursor.peek()) == nil
    }
}
