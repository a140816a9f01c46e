#include "ct_tape.h"
#include "guarded.h"
#include "tensor.h"

#include <ATen/ATen.h>
#include <c10/util/intrusive_ptr.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

#include <cstdint>
#include <memory>

namespace ct {
namespace {

/// Who receives gradients while a pass runs.
struct Receiver {
    ct_gradient_body body = nullptr;
    void *context = nullptr;
};

/// The gradient function of a watched tensor: hands the summed gradient over and leads nowhere.
class Sink final : public torch::autograd::Node {
  public:
    /// The highest sequence number makes the engine run a sink as soon as its gradient is complete, not at the end.
    Sink(std::shared_ptr<Receiver> receiver, int64_t index)
        : Node(UINT64_MAX), receiver(std::move(receiver)), index(index) {}

    torch::autograd::variable_list apply(torch::autograd::variable_list &&gradients) override {
        auto gradient = std::move(gradients.at(0));
        if (!gradient.defined()) return {};
        TORCH_CHECK(receiver->body, "a gradient arrived outside of the tape's own backward pass");
        const auto status = receiver->body(receiver->context, index, new ct_tensor{std::move(gradient)});
        TORCH_CHECK(status == 0, "stopped by the receiver of gradients");
        return {};
    }

  private:
    std::shared_ptr<Receiver> receiver;
    int64_t index;
};

/// Makes a node for `holder`, which in libtorch 1.13 is a std::shared_ptr.
template <class Base, class... Arguments> void make(std::shared_ptr<Base> &holder, Arguments &&...arguments) {
    holder = std::make_shared<Sink>(std::forward<Arguments>(arguments)...);
}

/// The same where nodes count their references themselves, as they do in newer ones.
template <class Base, class... Arguments> void make(c10::intrusive_ptr<Base> &holder, Arguments &&...arguments) {
    holder = c10::make_intrusive<Sink>(std::forward<Arguments>(arguments)...);
}

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

ct_status ct_tape_watch(ct_tape *tape, const ct_tensor *tensor, int64_t index, ct_tensor **result,
                        char **error) noexcept {
    return ct::guarded(error, [&] {
        TORCH_CHECK(at::isFloatingType(tensor->value.scalar_type()), "only floating-point tensors have gradients, not ",
                    tensor->value.scalar_type());
        auto alias = tensor->value.detach();
        torch::autograd::Edge edge;
        ct::make(edge.function, tape->receiver, index);
        edge.input_nr = edge.function->add_input_metadata(alias);
        torch::autograd::impl::set_gradient_edge(alias, edge);
        *result = new ct_tensor{std::move(alias)};
    });
}

ct_status ct_tape_backward(ct_tape *tape, const ct_tensor *loss, ct_gradient_body body, void *context,
                           char **error) noexcept {
    return ct::guarded(error, [&] {
        TORCH_CHECK(loss->value.numel() == 1, "a loss has one element, not ", loss->value.numel());
        TORCH_CHECK(loss->value.requires_grad(), "the loss does not depend on any watched tensor");
        const ct::Opened opened(*tape->receiver, body, context);
        torch::autograd::Engine::get_default_engine().execute(
            {torch::autograd::impl::gradient_edge(loss->value)}, {at::ones_like(loss->value)},
            /*keep_graph=*/false, /*create_graph=*/false, /*accumulate_grad=*/true);
    });
}
