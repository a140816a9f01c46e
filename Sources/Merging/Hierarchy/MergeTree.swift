/// Which tasks are merged with which: the hierarchical form of SuperMerge (arXiv 2412.10416). Leaves are tasks, every
/// inner node is one merge of at most `fanIn` children, and the root is the merged model.
///
/// A pure value: the same tasks, similarities and former tree give the same tree. Children stand in the order of the
/// first task below them, so that a node's inputs have one order however it came about.
struct MergeTree: Hashable, Sendable, Codable {
    struct Node: Hashable, Sendable, Codable {
        /// The task of a leaf; nil for an inner node.
        var task: String?
        var children: [Node] = []
    }

    /// Always an inner node; with one task it has one child.
    private(set) var root: Node
    let fanIn: Int

    /// A tree from nothing: in every round the most similar pair, by the mean cosine of the tasks below, takes in its
    /// nearest neighbours up to `fanIn` of them and becomes one node, then the next pair, until one node is left. Its
    /// height is the least that the fan-in allows, ⌈log k⌉ to the base `fanIn`. Work: k³ comparisons at most.
    init(grouping tasks: [String], fanIn: Int, by similarity: Similarity) {
        self.fanIn = max(2, fanIn)
        var nodes = tasks.sorted().map { Node(task: $0) }
        while nodes.count > self.fanIn { nodes = Self.grouped(nodes, self.fanIn, similarity) }
        root = Node(inner: nodes)
    }

    private static func grouped(_ nodes: [Node], _ fanIn: Int, _ similarity: Similarity) -> [Node] {
        let leaves = nodes.map(\.leaves)
        var likeness = [[Double]](repeating: Array(repeating: 0, count: nodes.count), count: nodes.count)
        for first in nodes.indices {
            for second in nodes.indices where second > first {
                likeness[first][second] = similarity.mean(leaves[first], leaves[second])
                likeness[second][first] = likeness[first][second]
            }
        }
        var left = Array(nodes.indices)
        var groups: [Node] = []
        while let group = Self.nextGroup(of: left, fanIn, likeness) {
            left.removeAll(where: group.contains)
            groups.append(Node(inner: group.map { nodes[$0] }))
        }
        return (groups + left.map { nodes[$0] }).sorted { $0.key < $1.key }
    }

    /// Places of the next nodes to be merged; nil where fewer than two are left. The first of equals wins.
    private static func nextGroup(of left: [Int], _ fanIn: Int, _ likeness: [[Double]]) -> [Int]? {
        let pairs = left.indices.flatMap { first in left[(first + 1)...].map { (left[first], $0) } }
        guard let best = pairs.map({ likeness[$0.0][$0.1] }).max(),
            let pair = pairs.first(where: { likeness[$0.0][$0.1] == best })
        else { return nil }
        var group = [pair.0, pair.1]
        while group.count < fanIn {
            let others = left.filter { !group.contains($0) }
            let nearness = others.map { other in group.map { likeness[$0][other] }.reduce(0, +) }
            guard let nearest = nearness.indices.max(by: { nearness[$0] < nearness[$1] }) else { break }
            group.append(others[nearest])
        }
        return group
    }

    /// What a node's fit has a weight for: at most `fanIn`² tasks and nodes.
    func sources(of node: Node) -> [Node] {
        let width = min(fanIn, 1 << 16)
        return node.sources(atMost: width * width)
    }

    /// Tasks, in the order of the tree.
    var leaves: [String] { root.leaves }
    /// Inner nodes on the longest way down.
    var height: Int { root.height }

    /// Every inner node, children before parents: the order of the merges.
    var merges: [Node] { root.merges }

    /// The highest that a tree of `count` tasks may become by insertions: twice what grouping gives, and one.
    static func bound(_ count: Int, fanIn: Int) -> Int {
        var levels = 0
        var room = 1
        while room < count {
            room *= max(2, fanIn)
            levels += 1
        }
        return 2 * levels + 1
    }
}

extension MergeTree.Node {
    /// An inner node; its children are put in order.
    init(inner children: [Self]) {
        task = nil
        self.children = children.sorted { $0.key < $1.key }
    }

    var leaves: [String] { task.map { [$0] } ?? children.flatMap(\.leaves) }
    var height: Int { task == nil ? 1 + (children.map(\.height).max() ?? 0) : 0 }
    /// What the node's fit has a weight for, so that what was balanced without the others is balanced once more among
    /// them: its tasks, its nodes' children, and in place of the largest of these their children as long as there are
    /// at most `limit`.
    func sources(atMost limit: Int) -> [Self] {
        var sources = children.flatMap { $0.task == nil ? $0.children : [$0] }
        while true {
            let open = sources.indices.filter { place in
                sources[place].task == nil && sources.count - 1 + sources[place].children.count <= limit
            }
            guard let most = open.map({ sources[$0].leaves.count }).max(),
                let place = open.first(where: { sources[$0].leaves.count == most })
            else { return sources }
            sources.replaceSubrange(place...place, with: sources[place].children)
        }
    }
    var merges: [Self] { task == nil ? children.flatMap(\.merges) + [self] : [] }
    /// The first task below: what siblings are ordered by.
    fileprivate var key: String { task ?? children.map(\.key).min() ?? "" }
}

extension MergeTree {
    /// The tree with one more task, which becomes a sibling of the most similar one: where that one's node has room as
    /// one more child, else in a new node with it. If that made the tree too high, it goes in further up, beside the
    /// node above. Only the nodes on its way to the root change. Nil where no place keeps the height within `bound`:
    /// then group anew.
    func inserting(_ task: String, by similarity: Similarity) -> MergeTree? {
        let tasks = leaves.sorted()
        let likeness = tasks.map { similarity[$0, task] }
        guard let best = likeness.max(), let nearest = likeness.firstIndex(of: best) else { return nil }
        let way = root.way(to: tasks[nearest])
        let limit = Self.bound(tasks.count + 1, fanIn: fanIn)
        for depth in stride(from: way.count, through: 0, by: -1) {
            var tree = self
            tree.root = root.placing(Node(task: task), beside: way.prefix(depth), fanIn: fanIn)
            if tree.height <= limit { return tree }
        }
        return nil
    }

    /// The tree without a task: a node with one child left gives its place to it. Undoes `inserting`.
    func removing(_ task: String) -> MergeTree {
        var tree = self
        let rest = root.removing(task) ?? Node(inner: [])
        tree.root = rest.task == nil ? rest : Node(inner: [rest])
        return tree
    }
}

extension MergeTree.Node {
    /// Which child to take at each inner node on the way to a task.
    fileprivate func way(to task: String) -> [Int] {
        guard let place = children.firstIndex(where: { $0.leaves.contains(task) }) else { return [] }
        return [place] + children[place].way(to: task)
    }

    /// `node` as a sibling of the one at the end of `way`; an empty way is this node itself.
    fileprivate func placing(_ node: Self, beside way: ArraySlice<Int>, fanIn: Int) -> Self {
        guard let place = way.first else { return Self(inner: [self, node]) }
        if way.count == 1, children.count < fanIn { return Self(inner: children + [node]) }
        var children = children
        children[place] = children[place].placing(node, beside: way.dropFirst(), fanIn: fanIn)
        return Self(inner: children)
    }

    fileprivate func removing(_ task: String) -> Self? {
        guard self.task == nil else { return self.task == task ? nil : self }
        let rest = children.compactMap { $0.removing(task) }
        return rest.count < 2 ? rest.first : Self(inner: rest)
    }
}
