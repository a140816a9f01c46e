/// The two sums of a merge over pieces of tensors in plain memory, converted to float32 on the way.
#ifndef CK_MERGE_H
#define CK_MERGE_H

#include "ck_status.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// Elements in memory; `dtype` is the number of float16, bfloat16, float32 or float64 in c10::ScalarType.
typedef struct {
    const void *bytes;
    int32_t dtype;
} ck_piece;

/// products[i * rows + r] = sum over the elements e of row r of gradient[e] * (vectors[i][e] - origin[e]).
/// The sums are taken in an order that does not depend on the number of threads.
ck_status ck_merge_dots(const float *gradient, ck_piece origin, const ck_piece *vectors, int64_t count, int64_t rows,
                        int64_t stride, double *products, char *_Nullable *_Nonnull error) CK_NOEXCEPT;

/// With x = gradient[e] * (vectors[i][e] - origin[e]) of the element e of row r and column c:
/// products[i * rows + r] = sum over c of gains[i * stride + c] * x, and
/// columnProducts[i * stride + c] = sum over r of coefficients[i * rows + r] * x.
ck_status ck_merge_gated_dots(const float *gradient, ck_piece origin, const ck_piece *vectors,
                              const float *coefficients, const float *gains, int64_t count, int64_t rows,
                              int64_t stride, double *products, double *columnProducts,
                              char *_Nullable *_Nonnull error) CK_NOEXCEPT;

/// result[e] = origin[e] + sum over i of coefficients[i * rows + r] * gains[i * stride + c] * (vectors[i][e] - origin[e]),
/// rounded once to `dtype`, for every element e of every row r and column c. No gains: all are 1.
ck_status ck_merge_sum(ck_piece origin, const ck_piece *vectors, const float *coefficients,
                       const float *_Nullable gains, int64_t count, int64_t rows, int64_t stride, void *result,
                       int32_t dtype, char *_Nullable *_Nonnull error) CK_NOEXCEPT;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
