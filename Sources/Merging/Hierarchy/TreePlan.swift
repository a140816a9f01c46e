internal import Files
internal import Foundation
internal import WorkerProtocol

/// The tree of one merge with the digest of every node, derived from the tree of the merge before it.
struct TreePlan {
    /// A node with all that decides it.
    struct Merge {
        let node: MergeTree.Node
        /// Over the children, the base and the settings.
        let key: String
        /// Over the key and the fit that this one starts from.
        let digest: String
        /// The node of the tree before whose place this one has, changed by what came or went.
        let predecessor: (node: MergeTree.Node, digest: String)?
    }

    let tree: MergeTree
    /// Children before parents.
    let merges: [Merge]

    /// Nil for a task.
    func digest(of node: MergeTree.Node) -> String? { merges.first { $0.node == node }?.digest }

    /// A node that was fitted before keeps its digest as long as `isStored` finds its fit: one that is lost is a new
    /// node, and so is every one above it, unless it would come out the same.
    init(
        _ tree: MergeTree, for plan: MergePlan, after planted: SavedTree?, isStored: (_ digest: String) -> Bool
    ) throws {
        self.tree = tree
        var settings = plan.settings
        settings.strategy = .hierarchical
        (settings.writesAdapter, settings.maxShardSize) = (false, 0)
        (settings.fanIn, settings.threads, settings.memory, settings.device) = (tree.fanIn, 0, 0, .cpu)
        let context = [
            "supermerge node 2", plan.base.digest, String(decoding: try JSON.encode(settings), as: UTF8.self),
        ]
        let leaves = try Dictionary(
            uniqueKeysWithValues: plan.tasks.map { task in
                (task.name, [task.name, task.digest, String(decoding: try JSON.encode(task.settings), as: UTF8.self)])
            })
        let former = Self.former(planted, tree).filter { isStored($0.digest) }
        let known = (planted?.digests ?? [:]).filter { isStored($0.value) }
        var digests: [MergeTree.Node: String] = [:]
        var merges: [Merge] = []
        for node in tree.merges {
            let children = node.children.flatMap { child in
                child.task.map { ["task"] + (leaves[$0] ?? []) } ?? ["node", digests[child] ?? ""]
            }
            let key = Digest.sha256((context + children).joined(separator: "\u{0}").utf8)
            let predecessor = former.first { Self.sharesPlace($0.node, node, planted, plan) }
            let start = predecessor?.digest ?? "none"
            let digest = known[key] ?? Digest.sha256("\(key)\u{0}from\u{0}\(start)".utf8)
            digests[node] = digest
            merges.append(Merge(node: node, key: key, digest: digest, predecessor: predecessor))
        }
        self.merges = merges
    }

    /// The inner nodes of the tree before, with the digests that they were stored under; none of a tree of another
    /// width.
    private static func former(_ planted: SavedTree?, _ tree: MergeTree) -> [(node: MergeTree.Node, digest: String)] {
        guard let planted, planted.tree.fanIn == tree.fanIn, let latest = planted.former.first else { return [] }
        return Array(zip(planted.tree.merges, latest))
    }

    /// Whether two nodes have the same tasks below, but for those that came or went between the trees, and at least
    /// two.
    private static func sharesPlace(
        _ old: MergeTree.Node, _ new: MergeTree.Node, _ planted: SavedTree?, _ plan: MergePlan
    ) -> Bool {
        let before = Set((planted?.tasks ?? [:]).keys)
        let now = Set(plan.tasks.map(\.name))
        let common = Set(old.leaves).intersection(now)
        return common.count > 1 && common == Set(new.leaves).intersection(before)
    }

    /// What the next merge will start from.
    func planted(for plan: MergePlan, after planted: SavedTree?) -> SavedTree {
        let digests = merges.map(\.digest)
        let former = (planted?.former ?? []).filter { $0 != digests }
        let trees = Array(([digests] + former).prefix(SavedTree.keptTrees))
        let kept = Set(trees.joined())
        let keys = Dictionary(merges.map { ($0.key, $0.digest) }) { first, _ in first }
        return SavedTree(
            base: plan.base.digest, tree: tree,
            tasks: Dictionary(uniqueKeysWithValues: plan.tasks.map { ($0.name, $0.digest) }),
            digests: (planted?.digests ?? [:]).merging(keys) { _, new in new }.filter { kept.contains($0.value) },
            former: trees)
    }
}
