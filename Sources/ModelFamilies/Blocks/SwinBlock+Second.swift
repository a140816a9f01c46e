import Foundation

internal import ExportedGraph

extension SwinBlock.Second {
    /// [1, heads, window², window²]: 16 · sigmoid of what a network of two layers makes of the offset of two tokens.
    func bias(
        _ name: String, window: Int, heads: Int, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let (side, inner) = (2 * window - 1, 512)
        let network = "\(name)continuous_position_bias_mlp."
        let table = places(window: window, side: side, graph)
        let hidden = graph.map("relu", try graph.linear(table, "\(network)0", inner))
        let rows = try graph.linear(hidden, "\(network)2", heads, hasBias: false)
        let each = graph.embedding(graph.offsets(height: window, width: window), rows)
        let signed = graph.map("sigmoid", graph.permuted(each, [2, 0, 1]))
        return graph.unsqueeze(graph.multiply(signed, by: .double(16)), 0)
    }

    /// The offsets [side², 2] of two tokens, of which the logarithm makes large ones smaller.
    private func places(window: Int, side: Int, _ graph: GraphBuilder) -> GraphValue {
        let farthest = pretrainedWindow > 0 ? pretrainedWindow - 1 : max(window - 1, 1)
        let numbers = (1 - window..<window).map { offset in
            let share = 8 * Double(abs(offset)) / Double(farthest)
            return (offset < 0 ? -1 : 1) * log2(share + 1) / 3
        }
        let places = graph.constants(numbers)
        let square: [AxisLength] = [.known(side), .known(side)]
        let rows = graph.expand(graph.unsqueeze(places, 1), square)
        let columns = graph.expand(graph.unsqueeze(places, 0), square)
        let both = graph.join(graph.unsqueeze(rows, 2), graph.unsqueeze(columns, 2), axis: 2)
        return graph.reshape(both, [.known(side * side), .known(2)])
    }
}
