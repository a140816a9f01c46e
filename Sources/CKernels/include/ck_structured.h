/// Sums and dot products of task vectors that have a structure: a product of two thin matrices, or gains of rows or columns. They
/// are worked out a few rows at a time, in registers, and never stand in memory.
#ifndef CK_STRUCTURED_H
#define CK_STRUCTURED_H

#include "ck_merge.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

enum ck_structure { CK_LOW_RANK, CK_ROW_GAINS, CK_COLUMN_GAINS };

/// How one task changes `rows` rows of a matrix. CK_LOW_RANK: left [rows, rank] times right [rank, columns]. CK_ROW_GAINS:
/// left[r] * origin in row r. CK_COLUMN_GAINS: right[c] * origin in column c.
typedef struct {
    int32_t kind;
    int64_t rank;
    const float *_Nullable left;
    const float *_Nullable right;
} ck_update;

/// How the elements of a task's vector count: each `factors[0]`, or factors[r] in row r, or factors[r * columns + c]; and that
/// times gains[c] where there are gains.
enum ck_granularity { CK_ONE, CK_EACH_ROW, CK_EACH_ELEMENT };
typedef struct {
    int32_t granularity;
    const float *factors;
    const float *_Nullable gains;
} ck_weights;

/// result = origin + sum over i of the weighted vectors[i] - origin + sum over k of the weighted updates[k], in float32, rounded once
/// to `dtype`. `weights` holds those of the vectors, then those of the updates.
ck_status ck_structured_sum(ck_piece origin, const ck_piece *_Nullable vectors, int64_t vectorCount,
                            const ck_update *updates, int64_t updateCount, const ck_weights *weights, int64_t rows,
                            int64_t columns, void *result, int32_t dtype, char *_Nullable *_Nonnull error) CK_NOEXCEPT;

/// With x = gradient[r, c] * update[r, c]: products[k * rows + r] = sum over c of gains[c] * x, or where the granularity is
/// CK_EACH_ELEMENT products[(k * rows + r) * columns + c] = x; and columnProducts[k * columns + c] = sum over r of
/// factors[r] * x where the updates have gains. Sums are taken in an order that does not depend on the number of threads.
ck_status ck_structured_dots(const float *gradient, ck_piece origin, const ck_update *updates, int64_t count,
                             const ck_weights *weights, int64_t rows, int64_t columns, double *products,
                             double *_Nullable columnProducts, char *_Nullable *_Nonnull error) CK_NOEXCEPT;

/// products[i * columns + c] = sum over the rows r of segment i of left[r, c] * right[r, c], in double precision; segment i is the
/// lengths[i] rows that follow those of the segments before it.
ck_status ck_segment_dots(const float *left, const float *right, const int64_t *lengths, int64_t count, int64_t columns,
                          double *products, char *_Nullable *_Nonnull error) CK_NOEXCEPT;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
