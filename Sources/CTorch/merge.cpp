#include "ct_merge.h"
#include "elements.h"
#include "guarded.h"
#include "threads.h"
#include "width.h"

#include <algorithm>
#include <vector>

namespace {

using ct::blockSize;
using ct::load;
constexpr int64_t lanes = 32;

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
        ct::check(origin, vectors, count);
        const int64_t blocks = (stride + blockSize - 1) / blockSize;
        std::vector<float> sums(rows * blocks * count);
        ct::onThreads(rows * blocks, std::max<int64_t>(1, ct::grain / std::min(stride, blockSize)), [&](int64_t begin, int64_t end) {
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
        ct::check(origin, vectors, count);
        ct::checkResult(dtype);
        const int64_t blocks = (stride + blockSize - 1) / blockSize;
        ct::onThreads(rows * blocks, std::max<int64_t>(1, ct::grain / std::min(stride, blockSize)), [&](int64_t begin, int64_t end) {
            float originBuffer[blockSize], vectorBuffer[blockSize], merged[blockSize];
            for (int64_t unit = begin; unit < end; unit++) {
                const int64_t row = unit / blocks, inRow = unit % blocks * blockSize;
                const int64_t offset = row * stride + inRow, size = std::min(blockSize, stride - inRow);
                const float *p = load(origin, offset, size, originBuffer);
                std::copy(p, p + size, merged);
                for (int64_t i = 0; i < count; i++)
                    accumulate(merged, load(vectors[i], offset, size, vectorBuffer), p, coefficients[i * rows + row], size);
                ct::store(merged, result, dtype, offset, size);
            }
        });
    });
}
