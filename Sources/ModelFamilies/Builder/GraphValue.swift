internal import ExportedGraph

/// A value of a graph that is being written: the name by which nodes refer to it, and its type.
struct GraphValue {
    var name: String
    /// PyTorch's name of the element type.
    var dtype: String
    /// Nil where the axis is free.
    var shape: [Int?]

    var argument: GraphArgument { .value(name) }
    var width: Int? { shape.last ?? nil }
}

/// The length of an axis: known, or a number that another node gives.
enum AxisLength {
    case known(Int)
    case free(String)

    var argument: GraphArgument {
        switch self {
        case .known(let length): .int(length)
        case .free(let name): .value(name)
        }
    }

    var value: Int? {
        switch self {
        case .known(let length): length
        case .free: nil
        }
    }
}
