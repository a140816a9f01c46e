#include "ct_tape.h"
#include "guarded.h"
#include "node.h"
#include "sink.h"
#include "tensor.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/variable.h>

#include <memory>

namespace ct {

void Receiver::give(int64_t index, int32_t part, at::Tensor first, at::Tensor second) const {
    TORCH_CHECK(body, "a gradient arrived outside of the tape's own backward pass");
    auto *other = second.defined() ? new ct_tensor{std::move(second)} : nullptr;
    const auto status = body(context, index, part, new ct_tensor{std::move(first)}, other);
    TORCH_CHECK(status == 0, "stopped by the receiver of gradients");
}

torch::autograd::variable_list Sink::apply(torch::autograd::variable_list &&gradients) {
    auto gradient = std::move(gradients.at(0));
    if (gradient.defined()) receiver->give(index, CT_WHOLE, std::move(gradient), {});
    return {};
}

void Sink::take(int32_t part, at::Tensor first, at::Tensor second) const {
    receiver->give(index, part, std::move(first), std::move(second));
}

namespace {

/// Opens the receiver for the length of one pass.
class Opened {
  public:
    Opened(Receiver &receiver, ct_gradient_body body, void *context) : receiver(receiver) { receiver = {body, context}; }
    ~Opened() { receiver = {}; }

  private:
    Receiver &receiver;
};

} // namespace
} // namespace ct

struct ct_tape {
    std::shared_ptr<ct::Receiver> receiver = std::make_shared<ct::Receiver>();
};

ct_status ct_tape_create(ct_tape **result, char **error) noexcept {
    return ct::guarded(error, [&] { *result = new ct_tape(); });
}

void ct_tape_free(ct_tape *tape) noexcept { delete tape; }

ct_status ct_tape_watch(ct_tape *tape, const ct_tensor *tensor, int64_t index, int32_t parts, ct_tensor **result,
                        char **error) noexcept {
    return ct::guarded(error, [&] {
        TORCH_CHECK(at::isFloatingType(tensor->value.scalar_type()), "only floating-point tensors have gradients, not ",
                    tensor->value.scalar_type());
        auto alias = tensor->value.detach();
        torch::autograd::Edge edge;
        ct::make<ct::Sink>(edge.function, tape->receiver, index, parts);
        edge.input_nr = edge.function->add_input_metadata(alias);
        torch::autograd::impl::set_gradient_edge(alias, edge);
        *result = new ct_tensor{std::move(alias)};
    });
}

ct_status ct_tape_backward(ct_tape *tape, const ct_tensor *const *roots, const ct_tensor *const *gradients, int64_t count,
                           ct_gradient_body body, void *context, char **error) noexcept {
    return ct::guarded(error, [&] {
        torch::autograd::edge_list edges;
        torch::autograd::variable_list slopes;
        for (int64_t index = 0; index < count; ++index) {
            const auto &root = roots[index]->value;
            TORCH_CHECK(gradients[index] || root.numel() == 1, "a loss has one element, not ", root.numel());
            TORCH_CHECK(root.requires_grad(), "the loss does not depend on any watched tensor");
            edges.push_back(torch::autograd::impl::gradient_edge(root));
            slopes.push_back(gradients[index] ? gradients[index]->value : at::ones_like(root));
        }
        const ct::Opened opened(*tape->receiver, body, context);
        torch::autograd::Engine::get_default_engine().execute(edges, slopes, /*keep_graph=*/false,
                                                              /*create_graph=*/false, /*accumulate_grad=*/true);
    });
}
