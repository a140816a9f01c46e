internal import Files

extension Collection<String> {
    /// The first names for a message, and how many more there are.
    var firstFew: String {
        let first = prefix(3).map { "`\(shown($0))`" }.joined(separator: ", ")
        return count > 3 ? "\(first) and \(count - 3) more" : first
    }
}
