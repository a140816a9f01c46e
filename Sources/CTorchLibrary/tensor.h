/// What stands behind a tensor's handle.
#pragma once

#include "ct_tensor.h"

#include <ATen/core/Tensor.h>

struct ct_tensor {
    at::Tensor value;
};
