/// Elements of pieces of tensors, block by block, as float32.
#pragma once

#include "ck_merge.h"

#include <cstdint>

namespace ck {

/// Elements that a thread works on at a time: a few such blocks fit into the first cache.
constexpr int64_t blockSize = 1024;
/// Elements below which another thread costs more than it saves.
constexpr int64_t grain = 1 << 16;

bool isFloating(int32_t dtype);

/// Throws where a piece is not of floating point. Before threads start: an exception must not leave one of them.
void check(const ck_piece &origin, const ck_piece *vectors, int64_t count);

/// Throws where the result would not be of floating point.
void checkResult(int32_t dtype);

/// The elements [offset, offset + count) as float32: in place, or in `buffer`.
const float *load(const ck_piece &piece, int64_t offset, int64_t count, float *buffer);

/// Rounds to nearest, ties to even, into the elements from `offset` on; NaN stays NaN.
void store(const float *source, void *result, int32_t dtype, int64_t offset, int64_t count);

} // namespace ck
