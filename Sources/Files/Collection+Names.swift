extension Collection<String> {
    /// The first three names out of a file, fit for one line of a message, and how many more there are.
    package var firstFew: String {
        let first = prefix(3).map { "`\(shown($0))`" }.joined(separator: ", ")
        return count > 3 ? "\(first) and \(count - 3) more" : first
    }
}
