import CTorch

/// Owns the C values of one call or instruction, with their lists and strings, until it is freed.
@safe final class ValueBuffer {
    private var lists: [UnsafeMutablePointer<ct_value>] = unsafe []
    private var strings: [UnsafeMutablePointer<CChar>] = unsafe []

    deinit {
        for index in unsafe lists.indices { unsafe lists[index].deallocate() }
        for index in unsafe strings.indices { unsafe strings[index].deallocate() }
    }

    /// The values side by side.
    func list(_ values: [ct_value]) -> UnsafePointer<ct_value> {
        let list = unsafe UnsafeMutablePointer<ct_value>.allocate(capacity: max(values.count, 1))
        for index in unsafe values.indices { unsafe (list + index).initialize(to: values[index]) }
        unsafe lists.append(list)
        return unsafe UnsafePointer(list)
    }

    func value(_ argument: Tensor.Argument) -> ct_value {
        switch argument {
        case .tensor(let tensor): unsafe value(tensor)
        case .tensors(let tensors): unsafe value(tensors.map { unsafe value($0) })
        case .optionalTensor(let tensor): unsafe tensor.map { unsafe value($0) } ?? value(Program.Operand.none)
        case .int(let integer): unsafe value(Program.Operand.int(integer))
        case .ints(let integers): unsafe value(integers.map { unsafe value(Program.Operand.int($0)) })
        case .double(let number): unsafe value(Program.Operand.double(number))
        case .bool(let flag): unsafe value(Program.Operand.bool(flag))
        case .string(let text): unsafe value(Program.Operand.string(text))
        case .dtype(let type): unsafe value(Program.Operand.dtype(type))
        case .none: unsafe value(Program.Operand.none)
        }
    }

    func value(_ operand: Program.Operand) -> ct_value {
        var value = unsafe ct_value()
        switch operand {
        case .none: unsafe value.kind = Int32(CT_NONE)
        case .default: unsafe value.kind = Int32(CT_DEFAULT)
        case .slot(let slot):
            unsafe value.kind = Int32(CT_SLOT)
            unsafe value.integer = Int64(slot)
        case .int(let integer):
            unsafe value.kind = Int32(CT_INT)
            unsafe value.integer = Int64(integer)
        case .double(let number):
            unsafe value.kind = Int32(CT_DOUBLE)
            unsafe value.number = number
        case .bool(let flag):
            unsafe value.kind = Int32(CT_BOOL)
            unsafe value.integer = flag ? 1 : 0
        case .string(let text):
            unsafe value.kind = Int32(CT_STRING)
            unsafe value.string = string(text)
        case .dtype(let type):
            unsafe value.kind = Int32(CT_INT)
            unsafe value.integer = Int64(type.code)
        case .complex(let real, let imaginary):
            unsafe value.kind = Int32(CT_COMPLEX)
            unsafe value.number = real
            unsafe value.imaginary = imaginary
        case .list(let items): return unsafe self.value(items.map { unsafe self.value($0) })
        }
        return unsafe value
    }

    private func value(_ tensor: Tensor) -> ct_value {
        var value = unsafe ct_value()
        unsafe value.kind = Int32(CT_TENSOR)
        unsafe value.tensor = tensor.handle
        return unsafe value
    }

    private func value(_ items: [ct_value]) -> ct_value {
        var value = unsafe ct_value()
        unsafe value.kind = Int32(CT_LIST)
        unsafe value.integer = Int64(items.count)
        unsafe value.items = list(items)
        return unsafe value
    }

    private func string(_ text: String) -> UnsafePointer<CChar> {
        let bytes = text.utf8CString
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        for (index, byte) in bytes.enumerated() { unsafe (copy + index).initialize(to: byte) }
        unsafe strings.append(copy)
        return unsafe UnsafePointer(copy)
    }
}
