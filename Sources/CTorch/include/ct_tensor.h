/// A tensor by an opaque handle, which holds one reference.
#ifndef CT_TENSOR_H
#define CT_TENSOR_H

#include "ct_status.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

typedef struct ct_tensor ct_tensor;

/// Uninitialised and contiguous. `dtype` is c10::ScalarType's number; `device` libtorch's name of the device, `cpu` or `cuda:1`.
ct_status ct_tensor_empty(const int64_t *shape, int64_t rank, int32_t dtype, const char *device,
                          ct_tensor *_Nullable *_Nonnull result, char *_Nullable *_Nonnull error) CT_NOEXCEPT;
/// The same of a 16-bit type for weights in storage that linear layers and embeddings know by its kind: they give
/// float32, as if the weights had been widened before.
ct_status ct_tensor_empty_narrow(const int64_t *shape, int64_t rank, int32_t dtype,
                                 ct_tensor *_Nullable *_Nonnull result, char *_Nullable *_Nonnull error) CT_NOEXCEPT;
void ct_tensor_free(ct_tensor *tensor) CT_NOEXCEPT;

int64_t ct_tensor_rank(const ct_tensor *tensor) CT_NOEXCEPT;
int64_t ct_tensor_element_count(const ct_tensor *tensor) CT_NOEXCEPT;
int32_t ct_tensor_dtype(const ct_tensor *tensor) CT_NOEXCEPT;
/// The length of one axis, 0 <= axis < rank.
int64_t ct_tensor_length(const ct_tensor *tensor, int64_t axis) CT_NOEXCEPT;
/// Elements in memory between two neighbours on one axis, 0 <= axis < rank.
int64_t ct_tensor_stride(const ct_tensor *tensor, int64_t axis) CT_NOEXCEPT;
/// Whether `ct_tensor_empty_narrow` made its storage.
bool ct_tensor_is_narrow(const ct_tensor *tensor) CT_NOEXCEPT;

/// libtorch's name of the device that holds it; to be freed with `free`, null where memory has run out.
char *_Nullable ct_tensor_device(const ct_tensor *tensor) CT_NOEXCEPT;
/// Whether what is done with it is recorded for gradients.
bool ct_tensor_requires_grad(const ct_tensor *tensor) CT_NOEXCEPT;

/// Whether nothing else holds the tensor or its elements.
bool ct_tensor_is_unshared(const ct_tensor *tensor) CT_NOEXCEPT;

/// The elements in place; fails unless the tensor is contiguous and on the CPU.
ct_status ct_tensor_bytes(const ct_tensor *tensor, void *_Nullable *_Nonnull bytes, int64_t *count,
                          char *_Nullable *_Nonnull error) CT_NOEXCEPT;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
