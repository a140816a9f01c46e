internal import ExportedGraph

extension GraphBuilder {
    func add(_ left: GraphValue, _ right: GraphValue) -> GraphValue {
        call("add.Tensor", ["self": left.argument, "other": right.argument], left.shape, left.dtype)
    }

    func add(_ value: GraphValue, _ number: GraphArgument) -> GraphValue {
        call("add.Tensor", ["self": value.argument, "other": number], value.shape, value.dtype)
    }

    func multiply(_ left: GraphValue, _ right: GraphValue) -> GraphValue {
        call("mul.Tensor", ["self": left.argument, "other": right.argument], left.shape, left.dtype)
    }

    func multiply(_ value: GraphValue, by number: GraphArgument) -> GraphValue {
        call("mul.Tensor", ["self": value.argument, "other": number], value.shape, value.dtype)
    }

    func divide(_ value: GraphValue, by number: GraphArgument) -> GraphValue {
        call("div.Tensor", ["self": value.argument, "other": number], value.shape, value.dtype)
    }

    /// An operator of one tensor that keeps its shape.
    func map(_ target: String, _ value: GraphValue) -> GraphValue {
        call(target, ["self": value.argument], value.shape, value.dtype)
    }

    func subtract(_ left: GraphValue, _ right: GraphValue) -> GraphValue {
        call("sub.Tensor", ["self": left.argument, "other": right.argument], left.shape, left.dtype)
    }

    func matmul(_ left: GraphValue, _ right: GraphValue) -> GraphValue {
        call("matmul", ["self": left.argument, "other": right.argument], left.shape.dropLast() + [right.width])
    }

    func softmax(_ value: GraphValue, axis: Int = -1) -> GraphValue {
        call("softmax.int", ["self": value.argument, "dim": .int(axis)], value.shape)
    }

    func convert(_ value: GraphValue, to dtype: String) -> GraphValue {
        call("to.dtype", ["self": value.argument, "dtype": .dtype(dtype)], value.shape, dtype)
    }

    func transpose(_ value: GraphValue, _ first: Int, _ second: Int) -> GraphValue {
        var shape = value.shape
        shape.swapAt(first, second)
        return call(
            "transpose.int", ["self": value.argument, "dim0": .int(first), "dim1": .int(second)], shape, value.dtype)
    }

    func reshape(_ value: GraphValue, _ lengths: [AxisLength]) -> GraphValue {
        call(
            "reshape", ["self": value.argument, "shape": .list(lengths.map(\.argument))], lengths.map(\.value),
            value.dtype)
    }

    func expand(_ value: GraphValue, _ lengths: [AxisLength]) -> GraphValue {
        call(
            "expand", ["self": value.argument, "size": .list(lengths.map(\.argument))], lengths.map(\.value),
            value.dtype)
    }

    func unsqueeze(_ value: GraphValue, _ axis: Int) -> GraphValue {
        var shape = value.shape
        shape.insert(1, at: axis)
        return call("unsqueeze", ["self": value.argument, "dim": .int(axis)], shape, value.dtype)
    }

    /// One place of an axis, which goes away.
    func select(_ value: GraphValue, _ axis: Int, _ index: Int) -> GraphValue {
        var shape = value.shape
        shape.remove(at: axis)
        return call(
            "select.int", ["self": value.argument, "dim": .int(axis), "index": .int(index)], shape, value.dtype)
    }

    /// The places of an axis of known length from `start` to before `end`.
    func slice(_ value: GraphValue, _ axis: Int, from start: Int, to end: Int) -> GraphValue {
        var shape = value.shape
        shape[axis] = end - start
        return call(
            "slice.Tensor", ["self": value.argument, "dim": .int(axis), "start": .int(start), "end": .int(end)], shape,
            value.dtype)
    }

    /// Values one after another along an axis, on which both lengths are known.
    func join(_ left: GraphValue, _ right: GraphValue, axis: Int) -> GraphValue {
        var shape = left.shape
        if let first = shape[axis], let second = right.shape[axis] { shape[axis] = first + second }
        return call(
            "cat", ["tensors": .list([left.argument, right.argument]), "dim": .int(axis)], shape, left.dtype)
    }

    func join(_ values: [GraphValue], axis: Int) -> GraphValue {
        guard let first = values.first, values.count > 1 else { return values[0] }
        var shape = first.shape
        let lengths = values.compactMap { $0.shape[axis] }
        shape[axis] = lengths.count == values.count ? lengths.reduce(0, +) : nil
        return call(
            "cat", ["tensors": .list(values.map(\.argument)), "dim": .int(axis)], shape, first.dtype)
    }

    /// Numbers [count] of float32 that the architecture fixes.
    func constants(_ numbers: [Double]) -> GraphValue {
        join(
            numbers.map { number in
                call(
                    "full",
                    [
                        "size": .list([.int(1)]), "fill_value": .double(number), "dtype": .dtype("float32"),
                        "device": .device("cpu"),
                    ], [1])
            }, axis: 0)
    }

    /// The mean over one axis, which goes away.
    func mean(_ value: GraphValue, axis: Int) -> GraphValue {
        var shape = value.shape
        shape.remove(at: axis)
        return call("mean.dim", ["self": value.argument, "dim": .list([.int(axis)])], shape, value.dtype)
    }

    /// The sum over one axis, which goes away.
    func sum(_ value: GraphValue, axis: Int) -> GraphValue {
        var shape = value.shape
        shape.remove(at: axis)
        return call("sum.dim_IntList", ["self": value.argument, "dim": .list([.int(axis)])], shape, value.dtype)
    }

    /// 0, 1, 2, … as int64.
    func range(_ length: AxisLength) -> GraphValue {
        call(
            "arange", ["end": length.argument, "dtype": .dtype("int64"), "device": .device("cpu")], [length.value],
            "int64")
    }
}
