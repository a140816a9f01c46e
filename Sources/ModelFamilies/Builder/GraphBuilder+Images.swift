internal import ExportedGraph

/// Operators on images [batch, channels, height, width].
extension GraphBuilder {
    /// A convolution over the last two axes.
    func convolution(
        _ value: GraphValue, _ weight: GraphValue, _ bias: GraphValue?, stride: (height: Int, width: Int),
        padding: Int = 0, groups: Int = 1
    ) -> GraphValue {
        func length(_ axis: Int, _ step: Int) -> Int? {
            guard let given = value.shape[axis], let kernel = weight.shape[axis] else { return nil }
            return (given + 2 * padding - kernel) / step + 1
        }
        return call(
            "conv2d",
            [
                "input": value.argument, "weight": weight.argument, "bias": bias?.argument ?? .none,
                "stride": .list([.int(stride.height), .int(stride.width)]),
                "padding": .list([.int(padding), .int(padding)]), "groups": .int(groups),
            ], [value.shape[0], weight.shape[0], length(2, stride.height), length(3, stride.width)])
    }

    /// The convolution of `name.weight` and, where it has one, `name.bias`, with a square kernel.
    func convolution(
        _ value: GraphValue, _ name: String, _ width: Int, kernel: Int, stride: Int = 1, padding: Int = 0,
        isDepthwise: Bool = false, hasBias: Bool = true
    ) throws(ModelFamilyError) -> GraphValue {
        let channels = value.shape[1] ?? 0
        let weight = try parameter("\(name).weight", [width, isDepthwise ? 1 : channels, kernel, kernel])
        let bias = hasBias ? try parameter("\(name).bias", [width]) : nil
        return convolution(
            value, weight, bias, stride: (stride, stride), padding: padding, groups: isDepthwise ? channels : 1)
    }

    /// Normalises each channel by its running mean and variance (Ioffe and Szegedy, arXiv 1502.03167), which no
    /// gradient reaches.
    func batchNorm(_ value: GraphValue, _ name: String, epsilon: Double = 1e-5) throws(ModelFamilyError) -> GraphValue {
        let width = [value.shape[1] ?? 0]
        return call(
            "batch_norm",
            [
                "input": value.argument, "weight": try parameter("\(name).weight", width).argument,
                "bias": try parameter("\(name).bias", width).argument,
                "running_mean": try parameter("\(name).running_mean", width, kind: .buffer).argument,
                "running_var": try parameter("\(name).running_var", width, kind: .buffer).argument,
                "training": .bool(false), "momentum": .double(0.1), "eps": .double(epsilon),
                "cudnn_enabled": .bool(false),
            ], value.shape)
    }

    /// The highest of each square of `kernel`, every `stride` places.
    func maximum(_ value: GraphValue, kernel: Int, stride: Int, padding: Int) -> GraphValue {
        func length(_ axis: Int) -> Int? { value.shape[axis].map { ($0 + 2 * padding - kernel) / stride + 1 } }
        func both(_ number: Int) -> GraphArgument { .list([.int(number), .int(number)]) }
        return call(
            "max_pool2d",
            [
                "self": value.argument, "kernel_size": both(kernel), "stride": both(stride), "padding": both(padding),
            ], [value.shape[0], value.shape[1], length(2), length(3)])
    }

    /// [batch, channels], the mean over all places.
    func placeMean(_ value: GraphValue) -> GraphValue {
        call(
            "mean.dim", ["self": value.argument, "dim": .list([.int(-2), .int(-1)])], Array(value.shape.prefix(2)))
    }

    /// [batch, places, channels], row by row.
    func places(_ value: GraphValue) -> GraphValue {
        let sides = value.shape.suffix(2).compactMap(\.self)
        let count = sides.count == 2 ? sides[0] * sides[1] : nil
        let flat = call(
            "flatten.using_ints", ["self": value.argument, "start_dim": .int(2)],
            [value.shape[0], value.shape[1], count])
        return transpose(flat, 1, 2)
    }

    /// [batch, channels, height, width] of such places, with the sides of `grid`.
    func image(_ places: GraphValue, like grid: GraphValue) -> GraphValue {
        reshape(
            transpose(places, 1, 2),
            [length(places, 0), .known(places.width ?? 0), length(grid, 2), length(grid, 3)])
    }

    /// Scaled to the sides of `grid`, linearly between the places' centres.
    func resized(_ value: GraphValue, like grid: GraphValue) -> GraphValue {
        let sides = [length(grid, 2), length(grid, 3)]
        return call(
            "upsample_bilinear2d",
            [
                "self": value.argument, "output_size": .list(sides.map(\.argument)), "align_corners": .bool(false),
            ], value.shape.prefix(2) + sides.map(\.value))
    }

    func channelsLast(_ value: GraphValue) -> GraphValue { permuted(value, [0, 2, 3, 1]) }
    func channelsFirst(_ value: GraphValue) -> GraphValue { permuted(value, [0, 3, 1, 2]) }

    func permuted(_ value: GraphValue, _ axes: [Int]) -> GraphValue {
        call(
            "permute", ["self": value.argument, "dims": .list(axes.map(GraphArgument.int))],
            axes.map { value.shape[$0] }, value.dtype)
    }

    /// Zeros behind the last rows and columns of [batch, height, width, channels].
    func padded(_ value: GraphValue, rows: Int, columns: Int) -> GraphValue {
        guard rows + columns > 0 else { return value }
        let sides = [0, 0, 0, columns, 0, rows].map(GraphArgument.int)
        return call(
            "constant_pad_nd", ["self": value.argument, "pad": .list(sides), "value": .int(0)],
            [value.shape[0], value.shape[1].map { $0 + rows }, value.shape[2].map { $0 + columns }, value.shape[3]])
    }

    /// A number for each pair of places of a grid, [places, places]: which row of a table of (2·height − 1)·(2·width −
    /// 1) holds their offset.
    func offsets(height: Int, width: Int) -> GraphValue {
        let count = height * width
        let places = range(.known(count))
        let row = call(
            "floor_divide", ["self": places.argument, "other": whole(width, [1]).argument], [count], "int64")
        let column = subtract(places, multiply(row, by: .int(width)))
        func difference(_ value: GraphValue) -> GraphValue {
            call(
                "sub.Tensor", ["self": unsqueeze(value, 1).argument, "other": unsqueeze(value, 0).argument],
                [count, count], "int64")
        }
        let rows = multiply(add(difference(row), .int(height - 1)), by: .int(2 * width - 1))
        return add(rows, add(difference(column), .int(width - 1)))
    }

    /// A tensor of one whole number.
    func whole(_ number: Int, _ shape: [Int]) -> GraphValue {
        call(
            "full",
            [
                "size": .list(shape.map(GraphArgument.int)), "fill_value": .int(number), "dtype": .dtype("int64"),
                "device": .device("cpu"),
            ], shape.map(Optional.some), "int64")
    }

    /// [1, heads, places, places] of the rows `index` [places, places] of the table `name` [rows, heads].
    func positionBias(
        _ index: GraphValue, _ name: String, rows: Int, heads: Int
    ) throws(ModelFamilyError) -> GraphValue {
        unsqueeze(permuted(embedding(index, try parameter(name, [rows, heads])), [2, 0, 1]), 0)
    }
}
