#include "elements.h"
#include "ck_width.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace ck {
namespace {

/// c10::ScalarType's numbers.
enum Type : int32_t { half = 5, single = 6, twice = 7, brain = 15 };

float number(uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

uint32_t bitsOf(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

CK_EVERY_WIDTH void widen(const uint16_t *source, float *target, int64_t count) {
    for (int64_t i = 0; i < count; i++) target[i] = number(uint32_t(source[i]) << 16);
}

CK_EVERY_WIDTH void narrow(const float *source, uint16_t *target, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        const uint32_t bits = bitsOf(source[i]);
        const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
        target[i] = source[i] != source[i] ? uint16_t(0x7fc0) : uint16_t(rounded);
    }
}

/// A half's exponent counts from 15 and single precision's from 127: the product with 2^112 puts that right, for subnormals
/// too, and is exact.
CK_EVERY_WIDTH void widenHalves(const uint16_t *source, float *target, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        const uint32_t sign = uint32_t(source[i] & 0x8000) << 16, magnitude = uint32_t(source[i] & 0x7fff) << 13;
        const uint32_t finite = bitsOf(number(magnitude) * 0x1p112f), other = magnitude | 0x7f800000;
        target[i] = number(sign | (magnitude < 0x7c00u << 13 ? finite : other));
    }
}

/// Three cases: what is too small for a normal half is rounded by an addition whose last place is the subnormals'; what is
/// too large, or no number, becomes infinite or NaN; all else drops 13 bits.
CK_EVERY_WIDTH void narrowHalves(const float *source, uint16_t *target, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        const uint32_t bits = bitsOf(source[i]), magnitude = bits & 0x7fffffff;
        const uint32_t small = bitsOf(number(magnitude) + 0.5f) - 0x3f000000;
        const uint32_t large = magnitude > 0x7f800000 ? 0x7e00 : 0x7c00;
        const uint32_t normal = (magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13;
        const uint32_t rounded = magnitude < 0x38800000 ? small : magnitude >= 0x477ff000 ? large : normal;
        target[i] = uint16_t(rounded | (bits >> 16 & 0x8000));
    }
}

} // namespace

bool isFloating(int32_t dtype) { return dtype == half || dtype == single || dtype == twice || dtype == brain; }

void check(const ck_piece &origin, const ck_piece *vectors, int64_t count) {
    const auto last = vectors + count;
    if (!isFloating(origin.dtype) || !std::all_of(vectors, last, [](const auto &v) { return isFloating(v.dtype); }))
        throw std::invalid_argument("a tensor that is not of floating point can't be merged");
}

void checkResult(int32_t dtype) {
    if (!isFloating(dtype)) throw std::invalid_argument("a merged tensor must be of floating point");
}

const float *load(const ck_piece &piece, int64_t offset, int64_t count, float *buffer) {
    switch (piece.dtype) {
    case single:
        return static_cast<const float *>(piece.bytes) + offset;
    case brain:
        widen(static_cast<const uint16_t *>(piece.bytes) + offset, buffer, count);
        return buffer;
    case half:
        widenHalves(static_cast<const uint16_t *>(piece.bytes) + offset, buffer, count);
        return buffer;
    default: {
        const auto source = static_cast<const double *>(piece.bytes) + offset;
        std::copy(source, source + count, buffer);
        return buffer;
    }
    }
}

void store(const float *source, void *result, int32_t dtype, int64_t offset, int64_t count) {
    switch (dtype) {
    case single:
        std::copy(source, source + count, static_cast<float *>(result) + offset);
        return;
    case brain:
        narrow(source, static_cast<uint16_t *>(result) + offset, count);
        return;
    case half:
        narrowHalves(source, static_cast<uint16_t *>(result) + offset, count);
        return;
    default:
        std::copy(source, source + count, static_cast<double *>(result) + offset);
        return;
    }
}

} // namespace ck
