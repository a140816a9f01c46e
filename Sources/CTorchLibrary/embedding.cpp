#include "embedding.h"
#include "narrow.h"
#include "node.h"
#include "sink.h"

#include <ATen/ATen.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/autograd/variable.h>

namespace ct {
namespace {

using torch::autograd::Node;
using torch::autograd::variable_list;

/// Gives ∂L/∂output to the weight's sink, row by row; those of padding have no part in it.
class EmbeddingGradient final : public Node {
  public:
    EmbeddingGradient(const at::Tensor &places, int64_t columns, int64_t padding)
        : saved(places, false), columns(columns), padding(padding) {}

    variable_list apply(variable_list &&gradients) override {
        const auto places = saved.unpack().reshape({-1});
        if (!gradients.at(0).defined()) return {at::Tensor()};
        const auto rows = gradients[0].reshape({-1, columns});
        const auto taken = (rows.ne(0).any(1)).logical_and_(places.ne(padding)).nonzero().reshape({-1});
        const auto *sink = static_cast<const Sink *>(next_edge(0).function.get());
        if (taken.numel() > 0) sink->take(CT_ROWS, places.index_select(0, taken), rows.index_select(0, taken).contiguous());
        return {at::Tensor()};
    }

    void release_variables() override { saved.reset_data(); }

  private:
    torch::autograd::SavedVariable saved;
    int64_t columns;
    int64_t padding;
};

} // namespace

at::Tensor recordedEmbedding(const torch::jit::Stack &arguments) {
    // embedding(weight, indices, padding_idx, scale_grad_by_freq, sparse)
    if (auto widened = narrowCalled(arguments); widened.defined()) return widened;
    if (!at::GradMode::is_enabled() || arguments.at(3).toBool()) return {};
    const auto &weight = arguments[0].toTensor(), &places = arguments[1].toTensor();
    const auto *sink = dynamic_cast<const Sink *>(weight.grad_fn().get());
    if (!sink || !sink->takes(CT_ROWS) || weight.scalar_type() != at::kFloat || weight.dim() != 2) return {};
    if (places.numel() > weight.size(0)) return {};
    at::Tensor result;
    {
        const at::AutoDispatchBelowADInplaceOrView withoutRecord;
        result = at::embedding(weight, places);
    }
    torch::autograd::Edge edge;
    make<EmbeddingGradient>(edge.function, places.to(at::kLong), weight.size(1), arguments[2].toInt());
    edge.function->set_next_edges(torch::autograd::collect_next_edges(weight));
    edge.input_nr = edge.function->add_input_metadata(result);
    torch::autograd::impl::set_gradient_edge(result, edge);
    return result;
}

} // namespace ct
