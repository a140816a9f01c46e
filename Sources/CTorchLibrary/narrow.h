/// Weights that lie in memory in 16 bits and count as float32: linear layers and embeddings widen what they read of
/// them.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>

namespace ct {

/// Uninitialised, of a 16-bit floating-point type. The kind is a mark of the storage, which views share and copies do
/// not.
at::Tensor emptyNarrow(at::IntArrayRef shape, at::ScalarType type);

bool isNarrow(const at::Tensor &tensor);

/// input · weightᵀ + bias in float32, widening some rows of the narrow weight [outputs, inputs] at a time: how sums are
/// rounded may differ from a product with the whole weight, as the processor's kernel likes.
at::Tensor narrowLinear(const at::Tensor &input, const at::Tensor &weight, const at::Tensor &bias);

/// slope · weight in float32, likewise.
at::Tensor narrowProduct(const at::Tensor &slope, const at::Tensor &weight);

/// The result of `aten::linear` or `aten::embedding` with a narrow weight, in float32; undefined for other weights.
at::Tensor narrowCalled(const torch::jit::Stack &arguments);

} // namespace ct
