/// softmax(q kᵀ · scale + mask) v over one head at a time, for libtorch 1.13, whose own batched products call the BLAS for
/// every head with all threads and cost five times the arithmetic.
#pragma once

#include <ATen/core/Tensor.h>

namespace ct {

/// Whether `fusedAttention` can take these: float32 on the CPU, four axes, equal batch and heads, a mask without a gradient.
bool canFuseAttention(const at::Tensor &query, const at::Tensor &key, const at::Tensor &value, const at::Tensor &mask);

/// [B,H,L,D], [B,H,S,D], [B,H,S,V] → [B,H,L,V], laid out as [B,L,H,V]. `mask`, if defined, broadcasts to [B,H,L,S]: Boolean
/// (true: attend) or added to the scores. A row whose keys are all masked gives zeros.
/// Memory beside the result: one L × S block for each thread; with gradients also the B·H·L·S weights.
at::Tensor fusedAttention(const at::Tensor &query, const at::Tensor &key, const at::Tensor &value,
                          const at::Tensor &mask, bool causal, double scale);

} // namespace ct
