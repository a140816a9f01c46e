#include "elements.h"
#include "width.h"

#include <c10/core/ScalarType.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace ct {
namespace {

CT_EVERY_WIDTH void widen(const uint16_t *source, float *target, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        const uint32_t bits = uint32_t(source[i]) << 16;
        std::memcpy(&target[i], &bits, sizeof bits);
    }
}

CT_EVERY_WIDTH void narrow(const float *source, uint16_t *target, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        std::memcpy(&bits, &source[i], sizeof bits);
        const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
        target[i] = source[i] != source[i] ? uint16_t(0x7fc0) : uint16_t(rounded);
    }
}

} // namespace

bool isFloating(int32_t dtype) {
    const auto type = c10::ScalarType(dtype);
    return type == c10::kFloat || type == c10::kBFloat16 || type == c10::kHalf || type == c10::kDouble;
}

void check(const ct_piece &origin, const ct_piece *vectors, int64_t count) {
    const auto last = vectors + count;
    if (!isFloating(origin.dtype) || !std::all_of(vectors, last, [](const auto &v) { return isFloating(v.dtype); }))
        throw std::invalid_argument("a tensor that is not of floating point can't be merged");
}

void checkResult(int32_t dtype) {
    if (!isFloating(dtype)) throw std::invalid_argument("a merged tensor must be of floating point");
}

const float *load(const ct_piece &piece, int64_t offset, int64_t count, float *buffer) {
    switch (c10::ScalarType(piece.dtype)) {
    case c10::kFloat:
        return static_cast<const float *>(piece.bytes) + offset;
    case c10::kBFloat16:
        widen(static_cast<const uint16_t *>(piece.bytes) + offset, buffer, count);
        return buffer;
    case c10::kHalf: {
        const auto source = static_cast<const c10::Half *>(piece.bytes) + offset;
        std::copy(source, source + count, buffer);
        return buffer;
    }
    default: {
        const auto source = static_cast<const double *>(piece.bytes) + offset;
        std::copy(source, source + count, buffer);
        return buffer;
    }
    }
}

void store(const float *source, void *result, int32_t dtype, int64_t offset, int64_t count) {
    switch (c10::ScalarType(dtype)) {
    case c10::kFloat:
        std::copy(source, source + count, static_cast<float *>(result) + offset);
        return;
    case c10::kBFloat16:
        narrow(source, static_cast<uint16_t *>(result) + offset, count);
        return;
    case c10::kHalf:
        std::copy(source, source + count, static_cast<c10::Half *>(result) + offset);
        return;
    default:
        std::copy(source, source + count, static_cast<double *>(result) + offset);
        return;
    }
}

} // namespace ct
