#include "ck_methods.h"
#include "blocks.h"
#include "guarded.h"
#include "ck_width.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace {

using ck::blockSize;
using ck::forEachBlock;

uint32_t magnitude(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits & 0x7fffffff;
}

/// Adds what is kept of f - p to `total`.
CK_EVERY_WIDTH void addKept(float *total, const float *f, const float *p, float threshold, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        const float difference = f[i] - p[i];
        total[i] += std::fabs(difference) >= threshold ? difference : 0.0f;
    }
}

/// Adds what is kept of f - p and has the sign of `total` to `sum`, and counts it.
CK_EVERY_WIDTH void addAgreeing(float *sum, float *number, const float *total, const float *f, const float *p,
                                float threshold, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        const float difference = f[i] - p[i];
        const bool agrees = std::fabs(difference) >= threshold &&
                            ((difference > 0 && total[i] > 0) || (difference < 0 && total[i] < 0));
        sum[i] += agrees ? difference : 0.0f;
        number[i] += agrees ? 1.0f : 0.0f;
    }
}

CK_EVERY_WIDTH void addMean(float *result, const float *sum, const float *number, float factor, int64_t count) {
    for (int64_t i = 0; i < count; i++) result[i] += number[i] > 0 ? factor * (sum[i] / number[i]) : 0.0f;
}

/// Adds factor * (f - p) where the element's draw is below `share`: a counter-based generator (SplitMix64 over the element's
/// number), so that pieces and threads may come in any order.
CK_EVERY_WIDTH void addDrawn(float *result, const float *f, const float *p, float factor, uint64_t seed, int64_t first,
                             uint64_t share, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        uint64_t z = seed + static_cast<uint64_t>(first + i + 1) * 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        const bool isKept = z >> 32 < share;
        result[i] += isKept ? factor * (f[i] - p[i]) : 0.0f;
    }
}

} // namespace

ck_status ck_count_magnitudes(ck_piece origin, ck_piece vector, int64_t elements, int32_t upper, int64_t *bins,
                              char **error) noexcept {
    return ck::guarded(error, [&] {
        ck::check(origin, &vector, 1);
        float originBuffer[blockSize], vectorBuffer[blockSize];
        for (int64_t offset = 0; offset < elements; offset += blockSize) {
            const auto size = std::min(blockSize, elements - offset);
            const auto *p = ck::load(origin, offset, size, originBuffer);
            const auto *f = ck::load(vector, offset, size, vectorBuffer);
            for (int64_t i = 0; i < size; i++) {
                const auto bits = magnitude(f[i] - p[i]);
                if (upper < 0) {
                    bins[bits >> 15]++;
                } else if (bits >> 15 == static_cast<uint32_t>(upper)) {
                    bins[bits & 0x7fff]++;
                }
            }
        }
    });
}

ck_status ck_merge_ties(ck_piece origin, const ck_piece *vectors, const float *thresholds, int64_t count,
                        int64_t elements, float factor, void *result, int32_t dtype, char **error) noexcept {
    return ck::guarded(error, [&] {
        ck::check(origin, vectors, count);
        ck::checkResult(dtype);
        forEachBlock(elements, [&](int64_t offset, int64_t size) {
            float originBuffer[blockSize], vectorBuffer[blockSize], merged[blockSize];
            float total[blockSize] = {}, sum[blockSize] = {}, number[blockSize] = {};
            const auto *p = ck::load(origin, offset, size, originBuffer);
            for (int64_t i = 0; i < count; i++)
                addKept(total, ck::load(vectors[i], offset, size, vectorBuffer), p, thresholds[i], size);
            for (int64_t i = 0; i < count; i++)
                addAgreeing(sum, number, total, ck::load(vectors[i], offset, size, vectorBuffer), p, thresholds[i], size);
            std::copy(p, p + size, merged);
            addMean(merged, sum, number, factor, size);
            ck::store(merged, result, dtype, offset, size);
        });
    });
}

ck_status ck_merge_dare(ck_piece origin, const ck_piece *vectors, const float *coefficients, const uint64_t *seeds,
                        int64_t count, int64_t first, int64_t elements, double share, void *result, int32_t dtype,
                        char **error) noexcept {
    return ck::guarded(error, [&] {
        ck::check(origin, vectors, count);
        ck::checkResult(dtype);
        const auto below = static_cast<uint64_t>(share * 4294967296.0);
        forEachBlock(elements, [&](int64_t offset, int64_t size) {
            float originBuffer[blockSize], vectorBuffer[blockSize], merged[blockSize];
            const auto *p = ck::load(origin, offset, size, originBuffer);
            std::copy(p, p + size, merged);
            for (int64_t i = 0; i < count; i++)
                addDrawn(merged, ck::load(vectors[i], offset, size, vectorBuffer), p,
                         static_cast<float>(coefficients[i] / share), seeds[i], first + offset, below, size);
            ck::store(merged, result, dtype, offset, size);
        });
    });
}
