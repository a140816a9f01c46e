/// Linear layers whose backward pass leaves out what is zero, and leaves the weight's gradient as a product where it may.
#pragma once

#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>

namespace ct {

/// The result of a linear layer with the arguments of `aten::linear` or `aten::addmm`, recorded by a node of our own: rows of
/// ∂L/∂output that are zero throughout (padding, tokens that no loss looks at) take no part in any product, and a watched
/// weight that takes products gets its gradient as one. Undefined where the operator itself has to do it: without a record,
/// under autocast, in another type than float32, or with scaled summands.
at::Tensor recordedLinear(const torch::jit::Stack &arguments);

} // namespace ct
