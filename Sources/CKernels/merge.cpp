#include "ck_merge.h"
#include "blocks.h"
#include "guarded.h"
#include "ck_width.h"

#include <algorithm>
#include <vector>

namespace {

using ck::blockSize;
using ck::forEachBlock;
using ck::load;
constexpr int64_t lanes = 32;

// sum of g * (f - p), in `lanes` partial sums that are added in order.
CK_EVERY_WIDTH float dot(const float *g, const float *f, const float *p, int64_t count) {
    float partial[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes)
        for (int64_t lane = 0; lane < lanes; lane++) partial[lane] += g[i + lane] * (f[i + lane] - p[i + lane]);
    float sum = 0;
    for (; i < count; i++) sum += g[i] * (f[i] - p[i]);
    for (int64_t lane = 0; lane < lanes; lane++) sum += partial[lane];
    return sum;
}

// sum of x * gain over x = g * (f - p), as `dot` adds; coefficient * x is added to `columns`.
CK_EVERY_WIDTH float gatedDot(const float *g, const float *f, const float *p, const float *gains, float coefficient,
                              float *columns, int64_t count) {
    float partial[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        for (int64_t lane = 0; lane < lanes; lane++) {
            const float x = g[i + lane] * (f[i + lane] - p[i + lane]);
            partial[lane] += gains[i + lane] * x;
            columns[i + lane] += coefficient * x;
        }
    }
    float sum = 0;
    for (; i < count; i++) {
        const float x = g[i] * (f[i] - p[i]);
        sum += gains[i] * x;
        columns[i] += coefficient * x;
    }
    for (int64_t lane = 0; lane < lanes; lane++) sum += partial[lane];
    return sum;
}

// products[r] = g * (f - p) where every element is a row.
CK_EVERY_WIDTH void multiply(double *products, const float *g, const float *f, const float *p, int64_t count) {
    for (int64_t i = 0; i < count; i++) products[i] = g[i] * (f[i] - p[i]);
}

CK_EVERY_WIDTH void accumulate(float *result, const float *f, const float *p, float coefficient, int64_t count) {
    for (int64_t i = 0; i < count; i++) result[i] += coefficient * (f[i] - p[i]);
}

CK_EVERY_WIDTH void accumulateGated(float *result, const float *f, const float *p, float coefficient, const float *gains,
                                    int64_t count) {
    for (int64_t i = 0; i < count; i++) result[i] += coefficient * gains[i] * (f[i] - p[i]);
}

CK_EVERY_WIDTH void accumulateEach(float *result, const float *f, const float *p, const float *coefficients,
                                   int64_t count) {
    for (int64_t i = 0; i < count; i++) result[i] += coefficients[i] * (f[i] - p[i]);
}

// Rows that one thread adds up the columns of, whatever the number of threads.
constexpr int64_t rowsPerChunk = 32;

} // namespace

ck_status ck_merge_dots(const float *gradient, ck_piece origin, const ck_piece *vectors, int64_t count, int64_t rows,
                        int64_t stride, double *products, char **error) noexcept {
    return ck::guarded(error, [&] {
        ck::check(origin, vectors, count);
        if (stride == 1) {
            return forEachBlock(rows, [&](int64_t offset, int64_t size) {
                float originBuffer[blockSize], vectorBuffer[blockSize];
                const float *p = load(origin, offset, size, originBuffer);
                for (int64_t i = 0; i < count; i++)
                    multiply(products + i * rows + offset, gradient + offset, load(vectors[i], offset, size, vectorBuffer), p, size);
            });
        }
        const int64_t blocks = (stride + blockSize - 1) / blockSize;
        std::vector<float> sums(rows * blocks * count);
        ck::onThreads(rows * blocks, std::max<int64_t>(1, ck::grain / std::min(stride, blockSize)), [&](int64_t begin, int64_t end) {
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

ck_status ck_merge_gated_dots(const float *gradient, ck_piece origin, const ck_piece *vectors, const float *coefficients,
                              const float *gains, int64_t count, int64_t rows, int64_t stride, double *products,
                              double *columnProducts, char **error) noexcept {
    return ck::guarded(error, [&] {
        ck::check(origin, vectors, count);
        const int64_t chunks = (rows + rowsPerChunk - 1) / rowsPerChunk;
        std::vector<float> columns(chunks * count * stride);
        std::fill(products, products + count * rows, 0.0);
        ck::onThreads(chunks, std::max<int64_t>(1, ck::grain / (stride * rowsPerChunk)), [&](int64_t begin, int64_t end) {
            float originBuffer[blockSize], vectorBuffer[blockSize];
            for (int64_t row = begin * rowsPerChunk; row < std::min(rows, end * rowsPerChunk); row++) {
                float *sums = columns.data() + row / rowsPerChunk * count * stride;
                for (int64_t inRow = 0; inRow < stride; inRow += blockSize) {
                    const int64_t offset = row * stride + inRow, size = std::min(blockSize, stride - inRow);
                    const float *p = load(origin, offset, size, originBuffer);
                    for (int64_t i = 0; i < count; i++)
                        products[i * rows + row] +=
                            gatedDot(gradient + offset, load(vectors[i], offset, size, vectorBuffer), p,
                                     gains + i * stride + inRow, coefficients[i * rows + row], sums + i * stride + inRow, size);
                }
            }
        });
        std::fill(columnProducts, columnProducts + count * stride, 0.0);
        for (int64_t chunk = 0; chunk < chunks; chunk++)
            for (int64_t i = 0; i < count * stride; i++) columnProducts[i] += columns[chunk * count * stride + i];
    });
}

ck_status ck_merge_sum(ck_piece origin, const ck_piece *vectors, const float *coefficients, const float *gains,
                       int64_t count, int64_t rows, int64_t stride, void *result, int32_t dtype, char **error) noexcept {
    return ck::guarded(error, [&] {
        ck::check(origin, vectors, count);
        ck::checkResult(dtype);
        if (stride == 1) {
            return forEachBlock(rows, [&](int64_t offset, int64_t size) {
                float originBuffer[blockSize], vectorBuffer[blockSize], merged[blockSize];
                const float *p = load(origin, offset, size, originBuffer);
                std::copy(p, p + size, merged);
                for (int64_t i = 0; i < count; i++)
                    accumulateEach(merged, load(vectors[i], offset, size, vectorBuffer), p, coefficients + i * rows + offset, size);
                ck::store(merged, result, dtype, offset, size);
            });
        }
        const int64_t blocks = (stride + blockSize - 1) / blockSize;
        ck::onThreads(rows * blocks, std::max<int64_t>(1, ck::grain / std::min(stride, blockSize)), [&](int64_t begin, int64_t end) {
            float originBuffer[blockSize], vectorBuffer[blockSize], merged[blockSize];
            for (int64_t unit = begin; unit < end; unit++) {
                const int64_t row = unit / blocks, inRow = unit % blocks * blockSize;
                const int64_t offset = row * stride + inRow, size = std::min(blockSize, stride - inRow);
                const float *p = load(origin, offset, size, originBuffer);
                std::copy(p, p + size, merged);
                for (int64_t i = 0; i < count; i++) {
                    const float *f = load(vectors[i], offset, size, vectorBuffer);
                    const float coefficient = coefficients[i * rows + row];
                    if (gains)
                        accumulateGated(merged, f, p, coefficient, gains + i * stride + inRow, size);
                    else
                        accumulate(merged, f, p, coefficient, size);
                }
                ck::store(merged, result, dtype, offset, size);
            }
        });
    });
}
