import CTorch

extension Tensor {
    /// Calls any operator of libtorch's dispatcher by name (`aten::add`, overload `Tensor`); missing trailing arguments
    /// take their schema's defaults. Results in lists follow one another. Throws `TorchError`.
    @discardableResult
    package static func call(_ name: String, _ overload: String, _ arguments: [Argument]) throws -> [Tensor] {
        guard let op = try Operator.find(name, overload) else {
            throw TorchError("this libtorch has no operator \(name)\(overload.isEmpty ? "" : ".\(overload)")")
        }
        let values = ValueBuffer()
        var results: UnsafeMutablePointer<OpaquePointer?>?
        var count: Int64 = 0
        let list = unsafe values.list(arguments.map { unsafe values.value($0) })
        try withExtendedLifetime((values, arguments)) {
            try TorchError.check { error in
                unsafe ct_operator_call(op.handle, list, Int64(arguments.count), &results, &count, error)
            }
        }
        defer { unsafe ct_results_free(results) }
        return (0..<Int(count)).compactMap { index in
            unsafe results?[index].map { unsafe Tensor(owning: $0) }
        }
    }

    /// `call` of the overload without a name.
    @discardableResult
    package static func call(_ name: String, _ arguments: [Argument]) throws -> [Tensor] {
        try call(name, "", arguments)
    }

    /// `call` for the many operators that give one tensor.
    package static func one(_ name: String, _ overload: String, _ arguments: [Argument]) throws -> Tensor {
        guard let first = try call(name, overload, arguments).first else {
            throw TorchError("\(name) gave no tensor")
        }
        return first
    }

    /// `one` of the overload without a name.
    package static func one(_ name: String, _ arguments: [Argument]) throws -> Tensor {
        try one(name, "", arguments)
    }

    /// An argument of an operator.
    package enum Argument {
        case tensor(Tensor), tensors([Tensor]), optionalTensor(Tensor?), int(Int), ints([Int]), double(Double), bool(
            Bool)
        case string(String), dtype(DType), none
    }
}
