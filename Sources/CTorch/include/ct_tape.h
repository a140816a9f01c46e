/// Gradients that are handed over as soon as they are summed and are never accumulated.
#ifndef CT_TAPE_H
#define CT_TAPE_H

#include "ct_tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

typedef struct ct_tape ct_tape;

/// What a part of a gradient comes as.
enum {
    /// The sum over all uses of which nothing else came: `first`.
    CT_WHOLE = 0,
    /// firstᵀ · second.
    CT_PRODUCT = 1,
    /// The rows of `second`, added at the places on the first axis that `first` holds, int64.
    CT_ROWS = 2
};

/// Takes over both tensors. Anything but 0 stops the pass.
typedef int32_t (*ct_gradient_body)(void *_Nullable context, int64_t index, int32_t part, ct_tensor *first,
                                    ct_tensor *_Nullable second);

ct_status ct_tape_create(ct_tape *_Nullable *_Nonnull result, char *_Nullable *_Nonnull error) CT_NOEXCEPT;
void ct_tape_free(ct_tape *tape) CT_NOEXCEPT;

/// An alias of `tensor` whose gradient goes to the body under `index`. `parts`, a bit 1 << CT_… for each: what comes of a linear
/// layer in float32 comes as a product, what comes of an embedding as rows, once for each use, and before the sum of what
/// comes of other uses.
ct_status ct_tape_watch(ct_tape *tape, const ct_tensor *tensor, int64_t index, int32_t parts,
                        ct_tensor *_Nullable *_Nonnull result, char *_Nullable *_Nonnull error) CT_NOEXCEPT;
/// Back-propagates from `roots`, with ∂L/∂root of each; a null gradient is that of a loss of one element, 1. A root may be a watched
/// alias itself: its gradient then is the first summand of what arrives there. On the CPU `body` runs on the calling thread.
ct_status ct_tape_backward(ct_tape *tape, const ct_tensor *_Nonnull const *_Nonnull roots,
                           const ct_tensor *_Nullable const *_Nonnull gradients, int64_t count, ct_gradient_body body,
                           void *_Nullable context, char *_Nullable *_Nonnull error) CT_NOEXCEPT;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
