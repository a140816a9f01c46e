/// Gradients that are handed over as soon as they are summed and are never accumulated.
#ifndef CT_TAPE_H
#define CT_TAPE_H

#include "ct_tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

typedef struct ct_tape ct_tape;

/// Takes over `gradient`, the sum over all uses of the tensor; or where there is a `right` both: the gradient's part
/// gradientᵀ · right, which no sum contains. Anything but 0 stops the pass.
typedef int32_t (*ct_gradient_body)(void *_Nullable context, int64_t index, ct_tensor *gradient, ct_tensor *_Nullable right);

ct_status ct_tape_create(ct_tape *_Nullable *_Nonnull result, char *_Nullable *_Nonnull error) CT_NOEXCEPT;
void ct_tape_free(ct_tape *tape) CT_NOEXCEPT;

/// An alias of `tensor` whose gradient goes to the body under `index`. `takes_products`: what comes of a linear layer in float32
/// comes as the two matrices that it is the product of, once for each use, and before the sum of what comes of other uses.
ct_status ct_tape_watch(ct_tape *tape, const ct_tensor *tensor, int64_t index, bool takes_products,
                        ct_tensor *_Nullable *_Nonnull result, char *_Nullable *_Nonnull error) CT_NOEXCEPT;
/// Back-propagates from `loss`, a tensor of one element. On the CPU `body` runs on the calling thread.
ct_status ct_tape_backward(ct_tape *tape, const ct_tensor *loss, ct_gradient_body body, void *_Nullable context,
                           char *_Nullable *_Nonnull error) CT_NOEXCEPT;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
