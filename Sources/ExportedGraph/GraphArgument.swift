/// What a node is given, or what a graph returns.
package indirect enum GraphArgument: Hashable, Sendable {
    case none
    /// The result of an earlier node or an input: a tensor, or a symbolic integer, number or truth value.
    case value(String)
    case int(Int)
    case double(Double)
    case bool(Bool)
    case string(String)
    case complex(Double, Double)
    /// An element type by PyTorch's name.
    case dtype(String)
    /// Layouts and memory formats by c10's numbers; devices by name (`cpu`).
    case layout(Int)
    case memoryFormat(Int)
    case device(String)
    case list([GraphArgument])
    /// The body of a higher-order operator.
    case graph(GraphBlock)
    /// A kind of argument that nothing here can run, by its name in the schema.
    case unsupported(String)
}
