/// The tree of the last hierarchical merge: what the next one starts from.
struct SavedTree: Codable, Sendable {
    /// Digest of the base.
    var base: String
    var tree: MergeTree
    /// Digest of each task as it was merged.
    var tasks: [String: String]
    /// Key of each node's inputs → the digest under which its fit is stored, of all trees in `former`.
    var digests: [String: String]
    /// Digests of this tree's nodes and of those of the trees before it, the newest first; their fits are kept (some
    /// kilobytes each), for a task that comes back or a candidate that is refused.
    var former: [[String]]

    /// Trees whose fits are kept.
    static let keptTrees = 8
}
