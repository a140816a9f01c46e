/// Embeddings whose gradient is the rows that were looked up, and not a matrix of which most is zero.
#pragma once

#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>

namespace ct {

/// The result of `aten::embedding` with these arguments where the weight is watched and takes rows, recorded by a node of our own
/// that hands them over. Undefined where the operator itself has to do it, and where a small table is looked up so often that
/// its whole gradient is less.
at::Tensor recordedEmbedding(const torch::jit::Stack &arguments);

} // namespace ct
