#include "ct_merge.h"
#include "guarded.h"
#include "threads.h"
#include "width.h"

#include <c10/core/ScalarType.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <vector>

namespace {

constexpr int64_t blockSize = 1024;
constexpr int64_t lanes = 32;
// Elements below which a second thread costs more than it saves.
constexpr int64_t grain = 1 << 16;

CT_EVERY_WIDTH void widen(const uint16_t *source, float *target, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        const uint32_t bits = uint32_t(source[i]) << 16;
        std::memcpy(&target[i], &bits, sizeof bits);
    }
}

bool isFloating(int32_t dtype) {
    const auto type = c10::ScalarType(dtype);
    return type == c10::kFloat || type == c10::kBFloat16 || type == c10::kHalf || type == c10::kDouble;
}

// Before threads start: an exception must not leave one of them.
void check(ct_piece origin, const ct_piece *vectors, int64_t count) {
    const auto last = vectors + count;
    if (!isFloating(origin.dtype) || !std::all_of(vectors, last, [](const auto &v) { return isFloating(v.dtype); }))
        throw std::invalid_argument("a tensor that is not of floating point can't be merged");
}

// The elements [offset, offset + count) as float32: in place, or in `buffer`.
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

// Round to nearest, ties to even; NaN stays NaN.
CT_EVERY_WIDTH void narrow(const float *source, uint16_t *target, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        std::memcpy(&bits, &source[i], sizeof bits);
        const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
        target[i] = source[i] != source[i] ? uint16_t(0x7fc0) : uint16_t(rounded);
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

// sum of g * (f - p), in `lanes` partial sums that are added in order.
CT_EVERY_WIDTH float dot(const float *g, const float *f, const float *p, int64_t count) {
    float partial[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes)
        for (int64_t lane = 0; lane < lanes; lane++) partial[lane] += g[i + lane] * (f[i + lane] - p[i + lane]);
    float sum = 0;
    for (; i < count; i++) sum += g[i] * (f[i] - p[i]);
    for (int64_t lane = 0; lane < lanes; lane++) sum += partial[lane];
    return sum;
}

CT_EVERY_WIDTH void accumulate(float *result, const float *f, const float *p, float coefficient, int64_t count) {
    for (int64_t i = 0; i < count; i++) result[i] += coefficient * (f[i] - p[i]);
}

} // namespace

ct_status ct_merge_dots(const float *gradient, ct_piece origin, const ct_piece *vectors, int64_t count, int64_t rows,
                        int64_t stride, double *products, char **error) noexcept {
    return ct::guarded(error, [&] {
        check(origin, vectors, count);
        const int64_t blocks = (stride + blockSize - 1) / blockSize;
        std::vector<float> sums(rows * blocks * count);
        ct::onThreads(rows * blocks, std::max<int64_t>(1, grain / std::min(stride, blockSize)), [&](int64_t begin, int64_t end) {
            float originBuffer[blockSize], vectorBuffer[blockSize];
            for (int64_t unit = begin; unit < end; unit++) {
                const int64_t inRow = unit % blocks * blockSize;
                const int64_t offset = unit / blocks * stride + inRow;
                const int64_t size = std::min(blockSize, stride - inRow);
                const float *p = load(origin, offset, size, originBuffer);
                for (int64_t i = 0; i < count; i++)
                    sums[unit * count + i] = dot(gradient + offset, load(vectors[i], offset, size, vectorBuffer), p, size);
            }
        });
        std::fill(products, products + count * rows, 0.0);
        for (int64_t unit = 0; unit < rows * blocks; unit++)
            for (int64_t i = 0; i < count; i++) products[i * rows + unit / blocks] += sums[unit * count + i];
    });
}

ct_status ct_merge_sum(ct_piece origin, const ct_piece *vectors, const float *coefficients, int64_t count,
                       int64_t rows, int64_t stride, void *result, int32_t dtype, char **error) noexcept {
    return ct::guarded(error, [&] {
        check(origin, vectors, count);
        if (!isFloating(dtype)) throw std::invalid_argument("a merged tensor must be of floating point");
        const int64_t blocks = (stride + blockSize - 1) / blockSize;
        ct::onThreads(rows * blocks, std::max<int64_t>(1, grain / std::min(stride, blockSize)), [&](int64_t begin, int64_t end) {
            float originBuffer[blockSize], vectorBuffer[blockSize], merged[blockSize];
            for (int64_t unit = begin; unit < end; unit++) {
                const int64_t row = unit / blocks, inRow = unit % blocks * blockSize;
                const int64_t offset = row * stride + inRow, size = std::min(blockSize, stride - inRow);
                const float *p = load(origin, offset, size, originBuffer);
                std::copy(p, p + size, merged);
                for (int64_t i = 0; i < count; i++)
                    accumulate(merged, load(vectors[i], offset, size, vectorBuffer), p, coefficients[i * rows + row], size);
                store(merged, result, dtype, offset, size);
            }
        });
    });
}
