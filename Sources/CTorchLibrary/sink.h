/// Where the gradients of watched tensors end.
#pragma once

#include "ct_tape.h"

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/function.h>

#include <cstdint>
#include <memory>

namespace ct {

/// Who receives gradients while a pass runs.
struct Receiver {
    ct_gradient_body body = nullptr;
    void *context = nullptr;

    /// Hands over ∂L/∂θ, or where there is a `right` the part leftᵀ · right of it.
    void give(int64_t index, at::Tensor left, at::Tensor right) const;
};

/// The gradient function of a watched tensor: hands the summed gradient over and leads nowhere.
class Sink final : public torch::autograd::Node {
  public:
    /// The highest sequence number makes the engine run a sink as soon as its gradient is complete, not at the end.
    Sink(std::shared_ptr<Receiver> receiver, int64_t index, bool takesProducts)
        : Node(UINT64_MAX), takesProducts(takesProducts), receiver(std::move(receiver)), index(index) {}

    torch::autograd::variable_list apply(torch::autograd::variable_list &&gradients) override;

    /// Takes the part leftᵀ · right of the gradient, which then must not come again by the graph.
    void take(at::Tensor left, at::Tensor right) const;

    const bool takesProducts;

  private:
    std::shared_ptr<Receiver> receiver;
    int64_t index;
};

} // namespace ct
