/// How alike two tasks' vectors are: cos(τa, τb) over the shared trunk.
package struct TaskSimilarity: Codable, Hashable, Sendable {
    /// Names of two tasks; `first` comes before `second`.
    package var first: String
    package var second: String
    /// From -1 to 1.
    package var cosine: Double

    package init(first: String, second: String, cosine: Double) {
        self.first = min(first, second)
        self.second = max(first, second)
        self.cosine = cosine
    }
}
