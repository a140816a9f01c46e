#include "linear.h"
#include "autocast.h"
#include "narrow.h"
#include "node.h"
#include "parallel.h"
#include "sink.h"

#include <ATen/ATen.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/autograd/variable.h>

#include <cstring>
#include <vector>

namespace ct {
namespace {

using torch::autograd::Node;
using torch::autograd::variable_list;

/// Elements below which another thread costs more than copying them.
constexpr int64_t grain = 1 << 15;

const float *elements(const at::Tensor &matrix) { return static_cast<const float *>(matrix.data_ptr()); }

bool isZero(const float *row, int64_t count) {
    constexpr int64_t block = 64;
    for (int64_t start = 0; start < count; start += block) {
        const int64_t end = std::min(count, start + block);
        uint32_t bits = 0;
        for (int64_t i = start; i < end; i++) {
            uint32_t own;
            std::memcpy(&own, row + i, sizeof own);
            bits |= own << 1;
        }
        if (bits) return false;
    }
    return true;
}

/// The rows of some matrices of `count` rows that take part in a product.
class Rows {
  public:
    /// Those where `matrix` is not zero throughout; all of them where leaving the others out saves little.
    explicit Rows(const at::Tensor &matrix) : count(matrix.size(0)) {
        const auto width = matrix.size(1);
        const auto *first = elements(matrix);
        for (int64_t row = 0; row < count; row++) {
            if (!isZero(first + row * width, width)) taken.push_back(row);
        }
        areAll = static_cast<int64_t>(taken.size()) > count - count / 8 - 1;
    }

    at::Tensor of(const at::Tensor &matrix) const {
        if (areAll) return matrix;
        const auto width = matrix.size(1), number = static_cast<int64_t>(taken.size());
        auto result = at::empty({number, width}, matrix.options());
        const auto *source = elements(matrix);
        auto *target = static_cast<float *>(result.data_ptr());
        parallel(number, grain / (width + 1) + 1, [&](int64_t begin, int64_t end) {
            for (auto row = begin; row < end; row++)
                std::memcpy(target + row * width, source + taken[static_cast<size_t>(row)] * width,
                            static_cast<size_t>(width) * sizeof(float));
        });
        return result;
    }

    /// The matrix of which `part` is these rows, and whose others are zero.
    at::Tensor whole(const at::Tensor &part) const {
        if (areAll) return part;
        const auto width = part.size(1);
        auto result = at::zeros({count, width}, part.options());
        const auto *source = elements(part);
        auto *target = static_cast<float *>(result.data_ptr());
        const auto number = static_cast<int64_t>(taken.size());
        parallel(number, grain / (width + 1) + 1, [&](int64_t begin, int64_t end) {
            for (auto row = begin; row < end; row++)
                std::memcpy(target + taken[static_cast<size_t>(row)] * width, source + row * width,
                            static_cast<size_t>(width) * sizeof(float));
        });
        return result;
    }

  private:
    int64_t count;
    std::vector<int64_t> taken;
    bool areAll;
};

/// The gradient of output = input · Wᵀ + bias, or input · W + bias where W is turned, [in, out].
class LinearGradient final : public Node {
  public:
    LinearGradient(const at::Tensor &input, const at::Tensor &weight, bool isTurned)
        : shape(input.sizes().vec()), outputs(weight.size(isTurned ? 1 : 0)), isTurned(isTurned) {
        if (weight.requires_grad()) savedInput = {input, false};
        if (input.requires_grad()) savedWeight = {weight, false};
    }

    variable_list apply(variable_list &&gradients) override {
        TORCH_CHECK(!isFreed, "what the forward pass kept is freed: a loss can be back-propagated once");
        variable_list results(3);
        if (!gradients.at(0).defined()) return results;
        const auto all = gradients[0].reshape({-1, outputs}).contiguous();
        const Rows rows(all);
        const auto slope = rows.of(all);
        if (task_should_compute_output(0)) {
            const auto weight = savedWeight.unpack();
            const auto product =
                isNarrow(weight) ? narrowProduct(slope, weight) : slope.mm(isTurned ? weight.t() : weight);
            results[0] = rows.whole(product).view(shape);
        }
        if (task_should_compute_output(1)) {
            const auto input = savedInput.unpack().reshape({-1, shape.back()}).contiguous();
            results[1] = weightGradient(slope, rows.of(input));
        }
        if (task_should_compute_output(2)) results[2] = slope.sum(0);
        return results;
    }

    void release_variables() override {
        isFreed = true;
        savedInput.reset_data();
        savedWeight.reset_data();
    }

  private:
    /// Undefined where it was handed over as a product; also behind a transposition, as graphs have it whose weights lie turned.
    at::Tensor weightGradient(const at::Tensor &slope, const at::Tensor &source) const {
        const auto &left = isTurned ? source : slope, &right = isTurned ? slope : source;
        const auto *owner = next_edge(1).function.get();
        const auto *sink = dynamic_cast<const Sink *>(owner);
        const bool isFlipped = !sink && owner->name() == "TBackward0";
        if (isFlipped) sink = dynamic_cast<const Sink *>(owner->next_edge(0).function.get());
        if (!sink || !sink->takes(CT_PRODUCT)) return left.t().mm(right);
        sink->take(CT_PRODUCT, isFlipped ? right : left, isFlipped ? left : right);
        return {};
    }

    std::vector<int64_t> shape;
    int64_t outputs;
    bool isTurned;
    bool isFreed = false;
    torch::autograd::SavedVariable savedInput;
    torch::autograd::SavedVariable savedWeight;
};

bool isPlain(const at::Tensor &tensor) {
    return tensor.scalar_type() == at::kFloat && tensor.device().is_cpu() && tensor.layout() == at::kStrided &&
           tensor.numel() > 0;
}

bool isOne(const c10::IValue &value) { return value.isScalar() && value.toScalar().equal(1); }

} // namespace

at::Tensor recordedLinear(const torch::jit::Stack &arguments) {
    if (isAutocasting()) return {};
    if (!at::GradMode::is_enabled()) return arguments.size() == 3 ? narrowCalled(arguments) : at::Tensor();
    // linear(input, weight, bias), addmm(bias, input, weight, beta, alpha)
    const bool isTurned = arguments.size() == 5;
    const auto &first = arguments[isTurned ? 1 : 0], &second = arguments[isTurned ? 2 : 1],
               &third = arguments[isTurned ? 0 : 2];
    if (isTurned && (!isOne(arguments[3]) || !isOne(arguments[4]))) return {};
    if (!first.isTensor() || !second.isTensor() || !(third.isTensor() || third.isNone())) return {};
    const auto &input = first.toTensor(), &weight = second.toTensor();
    const auto bias = third.isTensor() ? third.toTensor() : at::Tensor();
    const bool isWidened = !isTurned && weight.dim() == 2 && isNarrow(weight);
    if (!isPlain(input) || !(isWidened || isPlain(weight)) || weight.dim() != 2) return {};
    if (bias.defined() && (!isPlain(bias) || bias.dim() != 1 || bias.size(0) != weight.size(isTurned ? 1 : 0))) return {};
    const bool recordsRest = input.requires_grad() || weight.requires_grad();
    if (!recordsRest && !(bias.defined() && bias.requires_grad())) {
        return isWidened ? narrowCalled(arguments) : at::Tensor();
    }
    at::Tensor result;
    {
        const at::AutoDispatchBelowADInplaceOrView withoutRecord;
        result = isTurned    ? at::addmm(bias, input, weight)
                 : isWidened ? narrowLinear(input, weight, bias)
                             : at::linear(input, weight, bias);
    }
    torch::autograd::Edge edge;
    make<LinearGradient>(edge.function, input, weight, isTurned);
    edge.function->set_next_edges(torch::autograd::collect_next_edges(input, weight, bias));
    edge.input_nr = edge.function->add_input_metadata(result);
    torch::autograd::impl::set_gradient_edge(result, edge);
    return result;
}

} // namespace ct
