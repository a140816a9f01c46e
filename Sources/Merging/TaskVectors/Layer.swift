internal import Safetensors
internal import WorkerProtocol

/// Layer j of the paper: one named parameter tensor that base and task checkpoints share.
struct Layer: Hashable, Sendable {
    let name: String
    /// Other names under which the base's files hold the same tensor; they get the same bytes.
    let aliases: [String]
    let shape: [Int]
    /// The base's type, which the merged tensor is rounded to.
    let dtype: SafetensorsDType
    /// Weights per task: 1, or one for each place on the first axis, or for each element. By rows, vectors have one
    /// weight.
    let weightRows: Int
    /// Further weights per task at granularity `row-column`: one for each element of a row, else none.
    let weightColumns: Int

    /// `granularity` as it was settled: `auto` counts as `tensor`.
    init(_ entry: TensorEntry, _ granularity: MergeSettings.Granularity, aliases: [String] = []) {
        name = entry.name
        self.aliases = aliases
        shape = entry.shape
        dtype = entry.dtype
        let count = entry.shape.reduce(1, *)
        let rows = entry.shape.count > 1 && count > 0 ? entry.shape[0] : 1
        switch granularity {
        case .tensor, .auto: weightRows = 1
        case .row, .rowColumn: weightRows = rows
        case .element: weightRows = max(1, count)
        }
        weightColumns = granularity == .rowColumn && rows > 1 && count > rows ? count / rows : 0
    }

    /// Whether it is a running statistic of a batch norm, which no gradient reaches: it becomes the mean of the tasks'
    /// own, whatever the method, so that a variance stays positive.
    var isStatistic: Bool { name.hasSuffix("running_mean") || name.hasSuffix("running_var") }

    var names: [String] { [name] + aliases }
    var elementCount: Int { shape.reduce(1, *) }
    /// Elements that pieces are cut between: a row with a weight of its own, or one element.
    var stride: Int { weightRows == 1 ? 1 : elementCount / weightRows }

    /// Elements of a row where the tensor is taken as a matrix, all axes but the first as one; a vector has a row for
    /// each.
    var matrixColumns: Int { shape.count > 1 && shape[0] > 0 ? max(1, elementCount / shape[0]) : 1 }

    /// Elements that pieces are cut between: those of `stride`, or of whole rows of the matrix.
    func unit(wholeRows: Bool) -> Int { max(1, wholeRows ? max(stride, matrixColumns) : stride) }

    /// The layer's elements in pieces of about `size`, whole rows each.
    func pieces(of size: Int) -> [Range<Int>] { pieces(of: size, unit: max(1, stride)) }

    /// The same, cut between every `unit` elements.
    func pieces(of size: Int, unit: Int) -> [Range<Int>] {
        let step = max(1, size / unit) * unit
        return Swift.stride(from: 0, to: elementCount, by: step).map { $0..<min($0 + step, elementCount) }
    }
}
