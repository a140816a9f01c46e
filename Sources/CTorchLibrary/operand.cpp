#include "operand.h"
#include "tensor.h"

#include <ATen/ATen.h>
#include <c10/core/Device.h>
#include <c10/util/Exception.h>

namespace ct {
namespace {

using OptionalTensor = decltype(std::declval<const c10::IValue &>().toOptional<at::Tensor>());

/// A Python number where a tensor is expected: it does not take part in type promotion.
at::Tensor wrapped(const c10::IValue &number) {
    auto tensor = number.isComplexDouble() ? at::scalar_tensor(number.toComplexDouble(), at::kComplexDouble)
                  : number.isDouble()      ? at::scalar_tensor(number.toDouble(), at::kDouble)
                  : number.isBool()        ? at::scalar_tensor(number.toBool(), at::kBool)
                                           : at::scalar_tensor(number.toInt(), at::kLong);
    tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
    return tensor;
}

bool isNumber(const c10::IValue &value) {
    return value.isInt() || value.isDouble() || value.isBool() || value.isComplexDouble();
}

c10::IValue converted(const c10::IValue &value, const c10::TypePtr &type, int32_t repetitions);

/// A list of what `element` asks for.
c10::IValue list(const std::vector<c10::IValue> &values, const c10::TypePtr &element) {
    switch (element->kind()) {
    case c10::TypeKind::TensorType: {
        c10::List<at::Tensor> tensors;
        for (const auto &value : values) tensors.push_back(converted(value, element, 0).toTensor());
        return tensors;
    }
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: {
        c10::List<int64_t> integers;
        for (const auto &value : values) integers.push_back(converted(value, element, 0).toInt());
        return integers;
    }
    case c10::TypeKind::FloatType: {
        c10::List<double> numbers;
        for (const auto &value : values) numbers.push_back(converted(value, element, 0).toDouble());
        return numbers;
    }
    case c10::TypeKind::BoolType: {
        c10::List<bool> flags;
        for (const auto &value : values) flags.push_back(converted(value, element, 0).toBool());
        return flags;
    }
    case c10::TypeKind::OptionalType:
        if (element->containedType(0)->kind() == c10::TypeKind::TensorType) {
            c10::List<OptionalTensor> tensors;
            for (const auto &value : values) {
                tensors.push_back(value.isNone() ? OptionalTensor() : OptionalTensor(value.toTensor()));
            }
            return tensors;
        }
        [[fallthrough]];
    default: {
        c10::impl::GenericList generic(element);
        for (const auto &value : values) generic.push_back(converted(value, element, 0));
        return generic;
    }
    }
}

c10::IValue converted(const c10::IValue &value, const c10::TypePtr &type, int32_t repetitions) {
    switch (type->kind()) {
    case c10::TypeKind::OptionalType:
        return value.isNone() ? value : converted(value, type->containedType(0), repetitions);
    case c10::TypeKind::TensorType:
        if (value.isTensor()) return value;
        if (isNumber(value)) return wrapped(value);
        break;
    case c10::TypeKind::FloatType:
        if (value.isDouble()) return value;
        if (value.isInt()) return static_cast<double>(value.toInt());
        if (value.isBool()) return value.toBool() ? 1.0 : 0.0;
        break;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
        if (value.isInt()) return value;
        if (value.isBool()) return static_cast<int64_t>(value.toBool());
        break;
    case c10::TypeKind::BoolType:
        if (value.isBool()) return value;
        if (value.isInt()) return value.toInt() != 0;
        break;
    case c10::TypeKind::NumberType:
        if (isNumber(value)) return value;
        if (value.isTensor()) return value.toTensor().item();
        break;
    case c10::TypeKind::DeviceObjType:
        if (value.isString()) return c10::Device(value.toStringRef());
        break;
    case c10::TypeKind::StringType:
        if (value.isString()) return value;
        break;
    case c10::TypeKind::ListType:
        if (value.isList()) {
            return list(value.toListRef().vec(), type->containedType(0));
        }
        if (repetitions > 0 && isNumber(value)) {
            return list(std::vector<c10::IValue>(static_cast<size_t>(repetitions), value), type->containedType(0));
        }
        break;
    default:
        return value;
    }
    TORCH_CHECK(false, "an argument of type ", type->repr_str(), " can't be made from ", value.tagKind());
}

} // namespace

Operand::Operand(const ct_value &value, const c10::Argument &argument, int64_t slots)
    : Operand(value, argument.type(), slots, argument.N() ? *argument.N() : 0) {
    if (value.kind == CT_DEFAULT) {
        TORCH_CHECK(argument.default_value(), "argument '", argument.name(), "' is missing and has no default");
        constant = *argument.default_value();
    }
}

Operand::Operand(const ct_value &value, c10::TypePtr declared, int64_t slots, int32_t repetitions)
    : kind(Kind::constant), type(std::move(declared)), repetitions(repetitions) {
    switch (value.kind) {
    case CT_NONE:
        constant = converted(c10::IValue(), type, repetitions);
        break;
    case CT_DEFAULT:
        break;
    case CT_TENSOR:
        constant = converted(value.tensor->value, type, repetitions);
        break;
    case CT_SLOT:
        TORCH_CHECK(value.integer >= 0 && value.integer < slots, "slot ", value.integer, " does not exist");
        kind = Kind::slot;
        slot = value.integer;
        break;
    case CT_INT:
        constant = converted(value.integer, type, repetitions);
        break;
    case CT_DOUBLE:
        constant = converted(value.number, type, repetitions);
        break;
    case CT_BOOL:
        constant = converted(value.integer != 0, type, repetitions);
        break;
    case CT_STRING:
        constant = converted(std::string(value.string), type, repetitions);
        break;
    case CT_COMPLEX:
        constant = converted(c10::complex<double>(value.number, value.imaginary), type, repetitions);
        break;
    case CT_LIST: {
        kind = Kind::list;
        while (type->kind() == c10::TypeKind::OptionalType) type = type->containedType(0);
        TORCH_CHECK(type->kind() == c10::TypeKind::ListType, "a list was given for an argument of type ",
                    type->repr_str());
        const auto element = type->containedType(0);
        bool isConstant = true;
        for (int64_t index = 0; index < value.integer; ++index) {
            items.push_back(Operand(value.items[index], element, slots, 0));
            isConstant = isConstant && items.back().kind == Kind::constant;
        }
        if (isConstant) {
            constant = evaluate(nullptr);
            kind = Kind::constant;
            items.clear();
        }
        break;
    }
    default:
        TORCH_CHECK(false, "unknown kind of argument ", value.kind);
    }
}

c10::IValue Operand::evaluate(const std::vector<c10::IValue> *slots) const {
    switch (kind) {
    case Kind::constant:
        return constant;
    case Kind::slot:
        return converted((*slots)[static_cast<size_t>(slot)], type, repetitions);
    case Kind::list: {
        std::vector<c10::IValue> values;
        values.reserve(items.size());
        for (const auto &item : items) values.push_back(item.evaluate(slots));
        return list(values, type->containedType(0));
    }
    }
    TORCH_CHECK(false, "an operand of no kind");
}

} // namespace ct
