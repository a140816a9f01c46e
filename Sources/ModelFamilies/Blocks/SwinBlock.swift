internal import ExportedGraph

/// A layer of Swin (Liu et al., arXiv 2103.14030): attention within square windows of a grid of tokens, and a
/// feed-forward part.
struct SwinBlock {
    /// Tokens on a side of a window.
    var window: Int
    /// Width of the feed-forward part by the model's.
    var ratio: Double
    var activation: Activation
    var hasBias: Bool
    var norm: Norm
    /// What Swin 2 does otherwise; nil in the first Swin.
    var second: Second?

    /// Swin 2 (Liu et al., arXiv 2111.09883): norms of each part's output, scores by cosines, and position biases that
    /// a small network computes.
    struct Second {
        /// Tokens on a side of a window of the pretraining; 0 where they are those of the block.
        var pretrainedWindow: Int
    }

    /// The output [batch, rows · columns, width]. `shift`: by how much the windows lie off the grid's corner; what is
    /// pushed over an edge comes in at the other, and does not see what was there before.
    func output(
        _ hidden: GraphValue, _ name: String, heads: Int, rows: Int, columns: Int, shift: Int, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let width = hidden.width ?? 0
        let batch = graph.length(hidden, 0)
        let (below, behind) = ((window - rows % window) % window, (window - columns % window) % window)
        let (height, across) = (rows + below, columns + behind)
        let read = second == nil ? try graph.norm(hidden, "\(name)layernorm_before", norm) : hidden
        var grid = graph.reshape(read, [batch, .known(rows), .known(columns), .known(width)])
        grid = rolled(graph.padded(grid, rows: below, columns: behind), by: -shift, graph)
        var attention = SelfAttention(heads: heads, width: width / heads)
        attention.names = AttentionNames(
            "attention.", "self.query", "self.key", "self.value", "output.dense")
        (attention.hasBias, attention.hasOutputBias) = (hasBias, true)
        var bias: GraphValue
        if let second {
            (attention.hasKeyBias, attention.cosineScale) = (false, "attention.self.logit_scale")
            bias = try second.bias("\(name)attention.self.", window: window, heads: heads, graph)
        } else {
            let side = 2 * window - 1
            bias = try graph.positionBias(
                graph.offsets(height: window, width: window), "\(name)attention.self.relative_position_bias_table",
                rows: side * side, heads: heads)
        }
        if shift > 0 {
            let apart = separation(height: height, width: across, shift: shift, batch: batch, graph)
            bias = graph.call(
                "add.Tensor", ["self": apart.argument, "other": bias.argument],
                [nil, heads, window * window, window * window])
        }
        let attended = try attention.output(windows(grid, graph), name, mask: bias, graph)
        grid = rolled(whole(attended, batch: batch, height: height, width: across, graph), by: shift, graph)
        if below > 0 { grid = graph.slice(grid, 1, from: 0, to: rows) }
        if behind > 0 { grid = graph.slice(grid, 2, from: 0, to: columns) }
        var changed = graph.reshape(grid, [batch, .known(rows * columns), .known(width)])
        if second != nil { changed = try graph.norm(changed, "\(name)layernorm_before", norm) }
        let sum = graph.add(hidden, changed)
        let feedForward = FeedForward(
            form: .plain, inner: Int(ratio * Double(width)), activation: activation, up: "intermediate.dense",
            down: "output.dense", hasBias: true)
        guard second == nil else {
            return graph.add(
                sum, try graph.norm(feedForward.output(sum, name, graph), "\(name)layernorm_after", norm))
        }
        return graph.add(
            sum, try feedForward.output(graph.norm(sum, "\(name)layernorm_after", norm), name, graph))
    }

    private func rolled(_ grid: GraphValue, by shift: Int, _ graph: GraphBuilder) -> GraphValue {
        guard shift != 0 else { return grid }
        return graph.call(
            "roll",
            [
                "self": grid.argument, "shifts": .list([.int(shift), .int(shift)]), "dims": .list([.int(1), .int(2)]),
            ], grid.shape)
    }

    /// [batch, height, width, channels] as [batch · windows, window², channels].
    private func windows(_ grid: GraphValue, _ graph: GraphBuilder) -> GraphValue {
        let (height, width, channels) = (grid.shape[1] ?? 0, grid.shape[2] ?? 0, grid.width ?? 0)
        let cut = graph.reshape(
            grid,
            [
                graph.length(grid, 0), .known(height / window), .known(window), .known(width / window), .known(window),
                .known(channels),
            ])
        return joined(graph.transpose(cut, 2, 3), [window * window, channels], graph)
    }

    /// The reverse of `windows`.
    private func whole(
        _ windows: GraphValue, batch: AxisLength, height: Int, width: Int, _ graph: GraphBuilder
    ) -> GraphValue {
        let channels = windows.width ?? 0
        let cut = graph.reshape(
            windows,
            [
                batch, .known(height / window), .known(width / window), .known(window), .known(window),
                .known(channels),
            ])
        return graph.reshape(
            graph.transpose(cut, 2, 3), [batch, .known(height), .known(width), .known(channels)])
    }

    /// The last axes kept, all before them as one of any length.
    private func joined(_ value: GraphValue, _ last: [Int], _ graph: GraphBuilder) -> GraphValue {
        graph.call(
            "reshape", ["self": value.argument, "shape": .list(([-1] + last).map(GraphArgument.int))],
            [nil] + last.map(Optional.some), value.dtype)
    }

    /// −100, which Swin 2 adds twice, between tokens of a window that are neighbours only by the shift, else 0:
    /// [batch · windows, 1, window², window²].
    private func separation(
        height: Int, width: Int, shift: Int, batch: AxisLength, _ graph: GraphBuilder
    ) -> GraphValue {
        func regions(_ count: Int) -> GraphValue {
            let places = graph.range(.known(count))
            func from(_ start: Int) -> GraphValue {
                let isThere = graph.call(
                    "ge.Scalar", ["self": places.argument, "other": .int(start)], [count], "bool")
                return graph.convert(isThere, to: "int64")
            }
            return graph.add(from(count - window), from(count - shift))
        }
        let (count, area) = (height / window * (width / window), window * window)
        let rows = graph.unsqueeze(graph.multiply(regions(height), by: .int(3)), 1)
        let grid = graph.call(
            "add.Tensor", ["self": rows.argument, "other": regions(width).argument], [height, width], "int64")
        let cut = graph.reshape(
            grid, [.known(height / window), .known(window), .known(width / window), .known(window)])
        let flat = graph.reshape(graph.transpose(cut, 1, 2), [.known(count), .known(area)])
        let isApart = graph.call(
            "ne.Tensor", ["self": graph.unsqueeze(flat, 1).argument, "other": graph.unsqueeze(flat, 2).argument],
            [count, area, area], "bool")
        let scores = graph.call(
            "where.Scalar",
            ["condition": isApart.argument, "self": .double(second == nil ? -100 : -200), "other": .double(0)],
            [count, area, area])
        let each = graph.expand(
            graph.unsqueeze(graph.unsqueeze(scores, 1), 0),
            [batch, .known(count), .known(1), .known(area), .known(area)])
        return joined(each, [1, area, area], graph)
    }
}
