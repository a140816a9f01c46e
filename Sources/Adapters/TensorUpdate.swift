/// How an adapter changes one tensor of the base, θf = (θp or a replacement) + τ.
package struct TensorUpdate: Hashable, Sendable {
    /// τ that has a structure.
    package enum Structure: Hashable, Sendable {
        /// s · left · right with left [rows, rank] and right [rank, columns]: the axes of the base's tensor, all but
        /// the first taken as one.
        case lowRank(left: Factor, right: Factor, rank: Int, scale: Double)
        /// (v(r) − 1) · θp in row r.
        case rowGains(Factor)
        /// (v(c) − 1) · θp in column c; each element of the vector stands for `repeats` columns.
        case columnGains(Factor, repeats: Int)
    }

    /// A tensor of the adapter's file.
    package struct Factor: Hashable, Sendable {
        /// Its name there; empty: all ones.
        package var name: String
        /// Whether it is to be read as its transpose.
        package var isTransposed: Bool
        /// Rows of what is read, where the file has fewer, which are followed by zeros, or more, which are left out;
        /// else nil.
        package var rows: Int?

        package init(_ name: String, isTransposed: Bool = false, rows: Int? = nil) {
            self.name = name
            self.isTransposed = isTransposed
            self.rows = rows
        }
    }

    /// Whether the adapter holds the whole tensor, too: `Adapter.checkpoint` has it under the base's name.
    package var isReplaced: Bool
    package var structure: Structure?

    static let unchanged = TensorUpdate(isReplaced: false, structure: nil)

    package init(isReplaced: Bool, structure: Structure?) {
        self.isReplaced = isReplaced
        self.structure = structure
    }
}
