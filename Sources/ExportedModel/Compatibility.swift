import Torch

/// What stands in for operators that PyTorch exports and this libtorch does not have, or has in another form.
enum Compatibility {
    /// Checks that were true when the model was exported and give nothing to anybody.
    private static let assertions: Set<String> = [
        "aten::_assert_tensor_metadata", "aten::_assert_scalar", "aten::_assert_async", "aten::sym_constrain_range",
        "aten::sym_constrain_range_for_size", "aten::_functional_assert_scalar", "aten::_functional_assert_async",
    ]

    /// Operators in training mode, whose results are random or change the model: the argument that tells.
    private static let trainingFlags: [String: String] = [
        "aten::dropout": "train", "aten::dropout_": "train", "aten::feature_dropout": "train",
        "aten::alpha_dropout": "train", "aten::native_dropout": "train", "aten::batch_norm": "training",
        "aten::rrelu": "training",
    ]

    /// Operators that do more than compute: they touch files, other tensors' memory, gradients or the whole process.
    private static let forbidden: Set<String> = [
        "aten::from_file", "aten::save", "aten::warn", "aten::_print", "aten::set_", "aten::set", "aten::set_data",
        "aten::resize", "aten::resize_", "aten::resize_as_", "aten::_resize_output", "aten::_resize_output_",
        "aten::backward", "aten::_backward", "aten::retain_grad", "aten::requires_grad_", "aten::_fw_primal",
        "aten::set_grad_enabled", "aten::manual_seed", "aten::seed", "aten::record_stream", "aten::wait",
        "aten::_cufft_set_plan_cache_max_size", "aten::_cufft_clear_plan_cache",
    ]

    /// Operators that an old libtorch has but gets wrong: ours go first where there are any.
    private static let repaired: Set<String> = ["aten::gelu"]

    /// Whether a node of this operator can be left out.
    static func isAssertion(_ name: String) -> Bool { assertions.contains(name) }

    /// Whether no graph has any business with this operator: one of the list, or of a library that nobody asked for
    /// (`c10d::`, `profiler::`, …). Python's operators on integers have no such name.
    static func isForbidden(_ name: String) -> Bool {
        name.contains("::") && !name.hasPrefix("aten::") || forbidden.contains(name)
    }

    /// Whether the node trains; such a graph was exported from a model that was not in evaluation mode.
    static func isTraining(_ name: String, _ flags: [String: Bool]) -> Bool {
        trainingFlags[name].map { flags[$0] == true } ?? false
    }

    /// libtorch's own operator, or ours of the same schema.
    static func find(_ name: String, _ overload: String) throws(TorchError) -> Operator? {
        let native = try Operator.find(name, overload)
        guard name.hasPrefix("aten::"), native == nil || repaired.contains(name) else { return native }
        return try Operator.find("supermerge::" + name.dropFirst("aten::".count), overload) ?? native
    }

    /// Python's operators on symbolic integers: `_operator.floordiv`, `torch.sym_max`, `math.ceil`, …
    static func findSymbolic(_ target: String) throws(TorchError) -> Operator? {
        let parts = target.split(separator: ".")
        guard parts.count == 2, ["_operator", "operator", "torch", "math", "builtins"].contains(parts[0]) else {
            return nil
        }
        var name = parts[1]
        while name.hasPrefix("_") { name = name.dropFirst() }
        if name.hasPrefix("sym_") { name = name.dropFirst(4) }
        while name.hasSuffix("_") { name = name.dropLast() }
        return try Operator.find("supermerge::py_\(name)", "")
    }
}
