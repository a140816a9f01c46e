import CTorch
import Glibc

/// An operator of libtorch's dispatcher with its schema.
@safe package struct Operator {
    /// One argument of the schema, in order.
    package struct Argument: Hashable, Sendable {
        package var name: String
        package var hasDefault: Bool
        /// Whether a result may share its memory, as a view does.
        package var isAliased: Bool
        /// Whether the operator writes to it.
        package var isWritten: Bool
    }

    let handle: OpaquePointer

    /// Nil where this libtorch has no operator of that name (`aten::add`) and overload (`Tensor`, or empty).
    package static func find(_ name: String, _ overload: String) throws(TorchError) -> Operator? {
        var handle: OpaquePointer?
        try TorchError.check { error in
            unsafe ct_operator_find(name, overload, &handle, error)
        }
        return unsafe handle.map { unsafe Operator(handle: $0) }
    }

    package var arguments: [Argument] {
        unsafe (0..<ct_operator_argument_count(handle)).map { index in
            unsafe Argument(
                name: String(cString: ct_operator_argument_name(handle, index)),
                hasDefault: ct_operator_argument_has_default(handle, index),
                isAliased: ct_operator_argument_is_aliased(handle, index),
                isWritten: ct_operator_argument_is_written(handle, index))
        }
    }

    /// The schema as PyTorch prints it, for messages.
    package var schema: String {
        guard let text = unsafe ct_operator_schema(handle) else { return "" }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }
}
