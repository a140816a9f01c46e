extension Tensor {
    /// self + α · other
    package func adding(_ other: Tensor, alpha: Double = 1) throws -> Tensor {
        try .one("aten::add", "Tensor", [.tensor(self), .tensor(other), .double(alpha)])
    }

    /// self − α · other
    package func subtracting(_ other: Tensor, alpha: Double = 1) throws -> Tensor {
        try .one("aten::sub", "Tensor", [.tensor(self), .tensor(other), .double(alpha)])
    }

    package func multiplied(by other: Tensor) throws -> Tensor {
        try .one("aten::mul", "Tensor", [.tensor(self), .tensor(other)])
    }

    package func multiplied(by factor: Double) throws -> Tensor {
        try .one("aten::mul", "Scalar", [.tensor(self), .double(factor)])
    }

    package func divided(by divisor: Double) throws -> Tensor {
        try .one("aten::div", "Scalar", [.tensor(self), .double(divisor)])
    }

    /// self ← self + α · other, in place, without a record for gradients.
    package func add(_ other: Tensor, alpha: Double = 1) throws {
        try TorchRuntime.withoutGradients {
            _ = try Tensor.call("aten::add_", "Tensor", [.tensor(self), .tensor(other), .double(alpha)])
        }
    }

    /// self ← self + α · a ∘ b, in place, without a record for gradients; `a` and `b` are broadcast.
    package func addProduct(_ first: Tensor, _ second: Tensor, alpha: Double = 1) throws {
        try TorchRuntime.withoutGradients {
            _ = try Tensor.call(
                "aten::addcmul_", [.tensor(self), .tensor(first), .tensor(second), .double(alpha)])
        }
    }

    /// self · other of two matrices.
    package func matrixProduct(_ other: Tensor) throws -> Tensor {
        try .one("aten::mm", [.tensor(self), .tensor(other)])
    }

    /// self ← self + α · left · right of matrices, in place, without a record for gradients.
    package func addMatrixProduct(_ left: Tensor, _ right: Tensor, alpha: Double = 1) throws {
        try TorchRuntime.withoutGradients {
            _ = try Tensor.call(
                "aten::addmm_", [.tensor(self), .tensor(left), .tensor(right), .double(1), .double(alpha)])
        }
    }

    /// self ← α · self, in place, without a record for gradients.
    package func multiply(by factor: Double) throws {
        try TorchRuntime.withoutGradients {
            _ = try Tensor.call("aten::mul_", "Scalar", [.tensor(self), .double(factor)])
        }
    }

    /// self ← other, converted and broadcast, in place, without a record for gradients.
    package func copy(_ other: Tensor) throws {
        try TorchRuntime.withoutGradients {
            _ = try Tensor.call("aten::copy_", [.tensor(self), .tensor(other)])
        }
    }

    /// The sum over all elements, without axes.
    package func sum() throws -> Tensor { try .one("aten::sum", [.tensor(self)]) }

    /// The sums over `axes`.
    package func sum(over axes: [Int], keepingAxes: Bool = false) throws -> Tensor {
        try .one("aten::sum", "dim_IntList", [.tensor(self), .ints(axes), .bool(keepingAxes)])
    }

    /// ⟨self, other⟩ over all elements, in the tensors' own type. Both must have as many elements.
    package func dot(_ other: Tensor) throws -> Double {
        try TorchRuntime.withoutGradients {
            try Tensor.one("aten::dot", [.tensor(reshaped([-1])), .tensor(other.reshaped([-1]))]).item()
        }
    }

    /// Whether every element is finite.
    package func isFinite() throws -> Bool {
        try TorchRuntime.withoutGradients {
            let finite = try Tensor.one("aten::isfinite", [.tensor(self)])
            return try Tensor.one("aten::all", [.tensor(finite)]).item() != 0
        }
    }
}
