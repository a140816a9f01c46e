#include "narrow.h"

#include <ATen/ATen.h>

#include <cstdlib>
#include <vector>

namespace ct {
namespace {

/// Elements that are widened at once.
constexpr int64_t blockElements = 1 << 23;

void freeNarrow(void *memory) { std::free(memory); }

int64_t blockRows(const at::Tensor &weight) {
    return std::max<int64_t>(64, blockElements / (weight.size(1) + 1) / 64 * 64);
}

} // namespace

at::Tensor emptyNarrow(at::IntArrayRef shape, at::ScalarType type) {
    TORCH_CHECK(type == at::kBFloat16 || type == at::kHalf, "narrow weights are of bfloat16 or float16, not ", type);
    int64_t count = 1;
    for (const auto length : shape) count *= length;
    const auto bytes = static_cast<size_t>(count) * c10::elementSize(type);
    auto *memory = std::aligned_alloc(64, (bytes / 64 + 1) * 64);
    TORCH_CHECK(memory, "a tensor of ", bytes, " bytes does not fit into memory");
    c10::DataPtr data(memory, memory, &freeNarrow, c10::Device(c10::DeviceType::CPU));
    c10::Storage storage(c10::Storage::use_byte_size_t(), bytes, std::move(data), nullptr, false);
    auto result = at::empty({0}, at::TensorOptions(type));
    std::vector<int64_t> strides(shape.size(), 1);
    for (auto axis = static_cast<int64_t>(shape.size()) - 2; axis >= 0; axis--) {
        const auto inner = static_cast<size_t>(axis) + 1;
        strides[inner - 1] = strides[inner] * shape[inner];
    }
    return result.set_(std::move(storage), 0, shape, strides);
}

bool isNarrow(const at::Tensor &tensor) {
    if (tensor.scalar_type() != at::kBFloat16 && tensor.scalar_type() != at::kHalf) return false;
    return tensor.has_storage() && tensor.storage().data_ptr().get_deleter() == &freeNarrow;
}

at::Tensor narrowLinear(const at::Tensor &input, const at::Tensor &weight, const at::Tensor &bias) {
    const auto outputs = weight.size(0), step = blockRows(weight);
    const auto rows = input.reshape({-1, weight.size(1)});
    auto result = at::empty({rows.size(0), outputs}, input.options());
    for (int64_t start = 0; start < outputs; start += step) {
        const auto count = std::min(step, outputs - start);
        const auto part = weight.narrow(0, start, count).to(at::kFloat);
        auto target = result.narrow(1, start, count);
        if (bias.defined()) {
            at::addmm_out(target, bias.narrow(0, start, count), rows, part.t());
        } else {
            at::mm_out(target, rows, part.t());
        }
    }
    auto shape = input.sizes().vec();
    shape.back() = outputs;
    return result.view(shape);
}

at::Tensor narrowProduct(const at::Tensor &slope, const at::Tensor &weight) {
    auto result = at::zeros({slope.size(0), weight.size(1)}, slope.options());
    const auto step = blockRows(weight);
    for (int64_t start = 0; start < weight.size(0); start += step) {
        const auto count = std::min(step, weight.size(0) - start);
        result.addmm_(slope.narrow(1, start, count), weight.narrow(0, start, count).to(at::kFloat));
    }
    return result;
}

at::Tensor narrowCalled(const torch::jit::Stack &arguments) {
    if (arguments.size() == 3) {
        // linear(input, weight, bias)
        if (!arguments[0].isTensor() || !arguments[1].isTensor() || !isNarrow(arguments[1].toTensor())) return {};
        const auto &input = arguments[0].toTensor();
        if (input.scalar_type() != at::kFloat) return {};
        return narrowLinear(input, arguments[1].toTensor(),
                            arguments[2].isTensor() ? arguments[2].toTensor() : at::Tensor());
    }
    // embedding(weight, indices, padding_idx, scale_grad_by_freq, sparse)
    if (arguments.size() != 5 || !arguments[0].isTensor() || !isNarrow(arguments[0].toTensor())) return {};
    return at::embedding(arguments[0].toTensor(), arguments[1].toTensor()).to(at::kFloat);
}

} // namespace ct
