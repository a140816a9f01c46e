/// What stands behind an operator's handle.
#pragma once

#include "ct_operators.h"
#include "operand.h"

#include <ATen/core/dispatch/Dispatcher.h>

struct ct_operator {
    c10::OperatorHandle handle;
    /// Calls it with a record of our own for gradients, or returns an undefined tensor where it has to do that itself; may be null.
    at::Tensor (*recorded)(const torch::jit::Stack &arguments);
};

namespace ct {

/// Compiles one operand for each argument of the schema; missing ones at the end take their defaults.
std::vector<Operand> compiled(const ct_operator &op, const ct_value *arguments, int64_t count, int64_t slots);

/// Calls `op` and returns its results with lists unpacked; symbolic integers have become integers.
std::vector<c10::IValue> called(const ct_operator &op, const std::vector<Operand> &operands,
                                const std::vector<c10::IValue> *slots);

/// The tensor in a result; numbers become tensors without axes.
at::Tensor tensor(const c10::IValue &result);

} // namespace ct
