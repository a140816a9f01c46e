/// Operators that exported graphs name and libtorch 1.13 lacks, under the namespace `supermerge`, with PyTorch's own
/// schemas: bound, called and differentiated like any other. A newer libtorch's own operators are preferred.
#include "attention.h"

#include <ATen/ATen.h>
#include <torch/csrc/api/include/torch/version.h>
#include <torch/library.h>

#include <cmath>
#include <limits>

namespace {

using OptionalTensor = decltype(std::declval<const c10::IValue &>().toOptional<at::Tensor>());
using OptionalDouble = decltype(std::declval<const c10::IValue &>().toOptional<double>());

constexpr double infinity = std::numeric_limits<double>::infinity();

/// softmax(q kᵀ · scale + mask) v. A row whose keys are all masked gives zeros, and no NaN in the gradients.
at::Tensor attention(const at::Tensor &query, const at::Tensor &key, const at::Tensor &value,
                     const OptionalTensor &givenMask, double dropout, bool causal, OptionalDouble scale, bool grouped) {
    TORCH_CHECK(dropout == 0, "attention with dropout is for training; export the model in evaluation mode");
    TORCH_CHECK(!(causal && givenMask && givenMask->defined()), "a causal attention takes no mask");
    auto keys = key;
    auto values = value;
    if (grouped) {
        keys = key.repeat_interleave(query.size(-3) / key.size(-3), -3);
        values = value.repeat_interleave(query.size(-3) / value.size(-3), -3);
    }
    const auto factor = scale ? *scale : 1 / std::sqrt(static_cast<double>(query.size(-1)));
    const auto given = givenMask && givenMask->defined() ? *givenMask : at::Tensor();
    if (ct::canFuseAttention(query, keys, values, given)) {
        return ct::fusedAttention(query, keys, values, given, causal, factor);
    }
    auto scores = at::matmul(query * factor, keys.transpose(-2, -1));
    at::Tensor mask;
    if (causal) {
        mask = at::ones({query.size(-2), keys.size(-2)}, query.options().dtype(at::kBool)).tril();
    } else {
        mask = given;
    }
    if (!mask.defined()) return at::matmul(at::softmax(scores, -1), values);
    const auto isBoolean = mask.scalar_type() == at::kBool;
    const auto closed = isBoolean ? mask.logical_not() : mask.eq(-infinity);
    const auto dead = closed.all(-1, true);
    const auto anyDead = dead.any().item<bool>();
    if (isBoolean) {
        scores = scores.masked_fill(anyDead ? closed.logical_and(dead.logical_not()) : closed, -infinity);
    } else {
        scores = scores + (anyDead ? mask.masked_fill(dead, 0) : mask);
    }
    auto weights = at::softmax(scores, -1);
    if (anyDead) weights = weights.masked_fill(dead, 0);
    return at::matmul(weights, values);
}

/// Softmax whose rows without any finite score are zeros.
at::Tensor safeSoftmax(const at::Tensor &scores, int64_t axis,
                       decltype(std::declval<const c10::IValue &>().toOptional<at::ScalarType>()) dtype) {
    const auto dead = scores.eq(-infinity).all(axis, true);
    return at::softmax(scores.masked_fill(dead, 0), axis, dtype).masked_fill(dead, 0);
}

/// x / √(mean(x²) + ε) · weight over the last axes.
at::Tensor rmsNorm(const at::Tensor &input, at::IntArrayRef shape, const OptionalTensor &weight, OptionalDouble eps) {
    std::vector<int64_t> axes;
    for (size_t index = 0; index < shape.size(); ++index) axes.push_back(-1 - static_cast<int64_t>(index));
    const auto epsilon = eps ? *eps : std::numeric_limits<float>::epsilon();
    const auto wide = input.to(at::promote_types(input.scalar_type(), at::kFloat));
    const auto normed = (wide * at::rsqrt(wide.pow(2).mean(axes, true) + epsilon)).to(input.scalar_type());
    return weight && weight->defined() ? normed * *weight : normed;
}

#if TORCH_VERSION_MAJOR < 2
/// libtorch 1.13 hands the gradient of gelu to oneDNN without its strides: one that is not contiguous, as after a convolution
/// whose output is transposed into tokens, gives wrong numbers without a word. This gelu makes it contiguous first.
at::Tensor gelu(const at::Tensor &input, c10::string_view approximate) {
    auto result = at::gelu(input, approximate);
    if (result.requires_grad()) result.register_hook([](at::Tensor gradient) { return gradient.contiguous(); });
    return result;
}
#endif

} // namespace

TORCH_LIBRARY(supermerge, library) {
    library.def("scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, "
                "float dropout_p=0.0, bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor",
                attention);
    library.def("_safe_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", safeSoftmax);
    library.def("rms_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None) -> Tensor",
                rmsNorm);
#if TORCH_VERSION_MAJOR < 2
    library.def("gelu(Tensor self, *, str approximate='none') -> Tensor", gelu);
#endif
    library.def("sym_size.int(Tensor self, int dim) -> int",
                [](const at::Tensor &self, int64_t axis) { return self.size(axis); });
    library.def("sym_stride.int(Tensor self, int dim) -> int",
                [](const at::Tensor &self, int64_t axis) { return self.stride(axis); });
    library.def("sym_numel(Tensor self) -> int", [](const at::Tensor &self) { return self.numel(); });
    library.def("sym_storage_offset(Tensor self) -> int", [](const at::Tensor &self) { return self.storage_offset(); });
}
