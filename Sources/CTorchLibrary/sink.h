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

    /// Hands over a part of ∂L/∂θ, which is one of CT_….
    void give(int64_t index, int32_t part, at::Tensor first, at::Tensor second) const;
};

/// The gradient function of a watched tensor: hands the summed gradient over and leads nowhere.
class Sink final : public torch::autograd::Node {
  public:
    /// The highest sequence number makes the engine run a sink as soon as its gradient is complete, not at the end.
    Sink(std::shared_ptr<Receiver> receiver, int64_t index, int32_t parts)
        : Node(UINT64_MAX), receiver(std::move(receiver)), index(index), parts(parts) {}

    torch::autograd::variable_list apply(torch::autograd::variable_list &&gradients) override;

    /// Whether such a part may be given to it.
    bool takes(int32_t part) const { return parts >> part & 1; }

    /// Takes a part of the gradient, which then must not come again by the graph.
    void take(int32_t part, at::Tensor first, at::Tensor second) const;

  private:
    std::shared_ptr<Receiver> receiver;
    int64_t index;
    int32_t parts;
};

} // namespace ct
