#include "ck_structured.h"
#include "elements.h"
#include "guarded.h"
#include "threads.h"
#include "ck_width.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace {

/// Rows and columns of a tile: its sums fit into the registers.
constexpr int64_t tileRows = 4;
constexpr int64_t lanes = 16;
constexpr int64_t tileColumns = 2 * lanes;
/// Rows that one thread adds up the columns of, whatever the number of threads.
constexpr int64_t rowsPerChunk = 32;

typedef float Lanes __attribute__((vector_size(4 * lanes), aligned(4)));

struct Segment {
    int64_t row, rows, column, size;
};

/// target[r * blockSize + c] = sum over k of packed[k * tileRows + r] * right[k * stride + c] over one tile.
__attribute__((always_inline)) inline void multiplyTile(const float *packed, const float *right, int64_t stride,
                                                        int64_t rank, float *target) {
    Lanes sums[tileRows][2] = {};
    for (int64_t k = 0; k < rank; k++) {
        const Lanes first = *reinterpret_cast<const Lanes *>(right + k * stride);
        const Lanes second = *reinterpret_cast<const Lanes *>(right + k * stride + lanes);
#pragma clang loop unroll(full)
        for (int64_t row = 0; row < tileRows; row++) {
            const float factor = packed[k * tileRows + row];
            sums[row][0] += factor * first;
            sums[row][1] += factor * second;
        }
    }
#pragma clang loop unroll(full)
    for (int64_t row = 0; row < tileRows; row++) {
        *reinterpret_cast<Lanes *>(target + row * ck::blockSize) = sums[row][0];
        *reinterpret_cast<Lanes *>(target + row * ck::blockSize + lanes) = sums[row][1];
    }
}

/// The product over all whole tiles of `size` columns, and from `tail`, whose rows are `tileColumns` long, the rest.
CK_EVERY_WIDTH void multiply(const float *packed, const float *right, int64_t stride, int64_t rank, const float *tail,
                             int64_t size, float *target) {
    int64_t column = 0;
    for (; column + tileColumns <= size; column += tileColumns)
        multiplyTile(packed, right + column, stride, rank, target + column);
    if (column == size) return;
    float padded[tileRows * ck::blockSize];
    multiplyTile(packed, tail, tileColumns, rank, padded);
    for (int64_t row = 0; row < tileRows; row++)
        std::copy_n(padded + row * ck::blockSize, size - column, target + row * ck::blockSize + column);
}

CK_EVERY_WIDTH void scale(float *target, const float *source, float factor, int64_t count) {
    for (int64_t i = 0; i < count; i++) target[i] = factor * source[i];
}

CK_EVERY_WIDTH void scaleEach(float *target, const float *source, const float *factors, int64_t count) {
    for (int64_t i = 0; i < count; i++) target[i] = factors[i] * source[i];
}

CK_EVERY_WIDTH void subtract(float *target, const float *f, const float *p, int64_t count) {
    for (int64_t i = 0; i < count; i++) target[i] = f[i] - p[i];
}

CK_EVERY_WIDTH void add(float *result, const float *vector, float factor, int64_t count) {
    for (int64_t i = 0; i < count; i++) result[i] += factor * vector[i];
}

CK_EVERY_WIDTH void addEach(float *result, const float *vector, float factor, const float *factors, int64_t count) {
    for (int64_t i = 0; i < count; i++) result[i] += factor * factors[i] * vector[i];
}

CK_EVERY_WIDTH float dot(const float *g, const float *vector, int64_t count) {
    float partial[2 * lanes] = {};
    int64_t i = 0;
    for (; i + 2 * lanes <= count; i += 2 * lanes)
        for (int64_t lane = 0; lane < 2 * lanes; lane++) partial[lane] += g[i + lane] * vector[i + lane];
    float sum = 0;
    for (; i < count; i++) sum += g[i] * vector[i];
    for (int64_t lane = 0; lane < 2 * lanes; lane++) sum += partial[lane];
    return sum;
}

CK_EVERY_WIDTH float gatedDot(const float *g, const float *vector, const float *gains, float factor, float *columns,
                              int64_t count) {
    float partial[2 * lanes] = {};
    int64_t i = 0;
    for (; i + 2 * lanes <= count; i += 2 * lanes)
        for (int64_t lane = 0; lane < 2 * lanes; lane++) {
            const float x = g[i + lane] * vector[i + lane];
            partial[lane] += gains[i + lane] * x;
            columns[i + lane] += factor * x;
        }
    float sum = 0;
    for (; i < count; i++) {
        const float x = g[i] * vector[i];
        sum += gains[i] * x;
        columns[i] += factor * x;
    }
    for (int64_t lane = 0; lane < 2 * lanes; lane++) sum += partial[lane];
    return sum;
}

CK_EVERY_WIDTH void productEach(double *products, const float *g, const float *vector, int64_t count) {
    for (int64_t i = 0; i < count; i++) products[i] = g[i] * vector[i];
}

CK_EVERY_WIDTH void addProducts(double *products, const float *left, const float *right, int64_t count) {
    for (int64_t i = 0; i < count; i++) products[i] += static_cast<double>(left[i]) * right[i];
}

/// The last, narrower tile of every low-rank update, filled up with zeros.
std::vector<std::vector<float>> tails(const ck_update *updates, int64_t count, int64_t columns) {
    const int64_t rest = columns % tileColumns, start = columns - rest;
    std::vector<std::vector<float>> tails(count);
    for (int64_t i = 0; i < count && rest > 0; i++) {
        if (updates[i].kind != CK_LOW_RANK) continue;
        tails[i].resize(updates[i].rank * tileColumns);
        for (int64_t k = 0; k < updates[i].rank; k++)
            std::copy_n(updates[i].right + k * columns + start, rest, tails[i].data() + k * tileColumns);
    }
    return tails;
}

/// What is worked out of the updates before there are threads, where running out of memory is an error and not an end.
struct Prepared {
    std::vector<std::vector<float>> tails;
    /// The left factors, `tileRows` rows together: packed[(group * rank + k) * tileRows + row].
    std::vector<std::vector<float>> packed;
    int64_t rank = 0;

    Prepared(const ck_update *updates, int64_t count, int64_t rows, int64_t columns)
        : tails(::tails(updates, count, columns)), packed(count) {
        const int64_t groups = (rows + tileRows - 1) / tileRows;
        for (int64_t i = 0; i < count; i++) {
            if (updates[i].kind != CK_LOW_RANK) continue;
            rank = std::max(rank, updates[i].rank);
            packed[i].resize(groups * tileRows * updates[i].rank);
            for (int64_t row = 0; row < rows; row++)
                for (int64_t k = 0; k < updates[i].rank; k++)
                    packed[i][(row / tileRows * updates[i].rank + k) * tileRows + row % tileRows] =
                        updates[i].left[row * updates[i].rank + k];
        }
    }

    /// Units of `rows` rows below which another thread costs more than it saves.
    int64_t grain(int64_t rows, int64_t columns) const {
        return std::max<int64_t>(1, ck::grain / std::max<int64_t>(1, columns * rows * (1 + rank / 8)));
    }
};

/// Elements of the i-th update over a few rows and at most a block of columns; row r begins at target + r * blockSize.
void fill(const ck_update *updates, int64_t i, const Prepared &prepared, const Segment &segment, int64_t columns,
          const float *const *origin, float *target) {
    const auto &update = updates[i];
    if (update.kind == CK_LOW_RANK) {
        multiply(prepared.packed[i].data() + segment.row * update.rank, update.right + segment.column, columns, update.rank,
                 prepared.tails[i].data(), segment.size, target);
        return;
    }
    for (int64_t row = 0; row < segment.rows; row++) {
        if (update.kind == CK_ROW_GAINS)
            scale(target + row * ck::blockSize, origin[row], update.left[segment.row + row], segment.size);
        else
            scaleEach(target + row * ck::blockSize, origin[row], update.right + segment.column, segment.size);
    }
}

void addWeighted(float *result, const float *vector, const ck_weights &weights, int64_t row, int64_t column,
                 int64_t columns, int64_t size) {
    if (weights.granularity == CK_EACH_ELEMENT) {
        addEach(result, vector, 1, weights.factors + row * columns + column, size);
        return;
    }
    const float factor = weights.factors[weights.granularity == CK_ONE ? 0 : row];
    if (weights.gains)
        addEach(result, vector, factor, weights.gains + column, size);
    else
        add(result, vector, factor, size);
}

void check(const ck_update *updates, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        const auto &update = updates[i];
        const bool isWhole = update.kind == CK_LOW_RANK ? update.rank > 0 && update.left && update.right
                                                        : (update.kind == CK_ROW_GAINS ? update.left : update.right) != nullptr;
        if (!isWhole) throw std::invalid_argument("an update of a matrix lacks one of its factors");
    }
}

/// Calls body(segment) for the blocks of columns of `tileRows` rows from `row` on.
template <class Body> void forEachSegment(int64_t row, int64_t rows, int64_t columns, const Body &body) {
    for (int64_t column = 0; column < columns; column += ck::blockSize)
        body(Segment{row, std::min(tileRows, rows - row), column, std::min(ck::blockSize, columns - column)});
}

} // namespace

ck_status ck_structured_sum(ck_piece origin, const ck_piece *vectors, int64_t vectorCount, const ck_update *updates,
                            int64_t updateCount, const ck_weights *weights, int64_t rows, int64_t columns, void *result,
                            int32_t dtype, char **error) noexcept {
    return ck::guarded(error, [&] {
        ck::check(origin, vectors, vectorCount);
        ck::checkResult(dtype);
        check(updates, updateCount);
        const Prepared prepared(updates, updateCount, rows, columns);
        const int64_t groups = (rows + tileRows - 1) / tileRows;
        ck::onThreads(groups, prepared.grain(tileRows, columns), [&](int64_t begin, int64_t end) {
            float buffers[tileRows][ck::blockSize], merged[tileRows][ck::blockSize], vector[tileRows * ck::blockSize];
            for (int64_t group = begin; group < end; group++) {
                forEachSegment(group * tileRows, rows, columns, [&](const Segment &segment) {
                    const float *p[tileRows] = {};
                    for (int64_t row = 0; row < segment.rows; row++) {
                        const int64_t offset = (segment.row + row) * columns + segment.column;
                        p[row] = ck::load(origin, offset, segment.size, buffers[row]);
                        std::copy_n(p[row], segment.size, merged[row]);
                        for (int64_t i = 0; i < vectorCount; i++) {
                            subtract(vector, ck::load(vectors[i], offset, segment.size, vector), p[row], segment.size);
                            addWeighted(merged[row], vector, weights[i], segment.row + row, segment.column, columns, segment.size);
                        }
                    }
                    for (int64_t i = 0; i < updateCount; i++) {
                        fill(updates, i, prepared, segment, columns, p, vector);
                        for (int64_t row = 0; row < segment.rows; row++)
                            addWeighted(merged[row], vector + row * ck::blockSize, weights[vectorCount + i], segment.row + row,
                                        segment.column, columns, segment.size);
                    }
                    for (int64_t row = 0; row < segment.rows; row++)
                        ck::store(merged[row], result, dtype, (segment.row + row) * columns + segment.column, segment.size);
                });
            }
        });
    });
}

ck_status ck_structured_dots(const float *gradient, ck_piece origin, const ck_update *updates, int64_t count,
                             const ck_weights *weights, int64_t rows, int64_t columns, double *products,
                             double *columnProducts, char **error) noexcept {
    return ck::guarded(error, [&] {
        ck::check(origin, nullptr, 0);
        check(updates, count);
        const Prepared prepared(updates, count, rows, columns);
        const int64_t chunks = (rows + rowsPerChunk - 1) / rowsPerChunk;
        std::vector<float> sums(columnProducts ? chunks * count * columns : 0);
        if (weights[0].granularity != CK_EACH_ELEMENT) std::fill(products, products + count * rows, 0.0);
        ck::onThreads(chunks, prepared.grain(rowsPerChunk, columns), [&](int64_t begin, int64_t end) {
            float buffers[tileRows][ck::blockSize], vector[tileRows * ck::blockSize];
            for (int64_t start = begin * rowsPerChunk; start < std::min(rows, end * rowsPerChunk); start += tileRows) {
                forEachSegment(start, rows, columns, [&](const Segment &segment) {
                    const float *p[tileRows] = {};
                    for (int64_t row = 0; row < segment.rows; row++)
                        p[row] = ck::load(origin, (segment.row + row) * columns + segment.column, segment.size, buffers[row]);
                    for (int64_t i = 0; i < count; i++) {
                        fill(updates, i, prepared, segment, columns, p, vector);
                        for (int64_t inTile = 0; inTile < segment.rows; inTile++) {
                            const int64_t row = segment.row + inTile;
                            const float *g = gradient + row * columns + segment.column;
                            const float *own = vector + inTile * ck::blockSize;
                            if (weights[i].granularity == CK_EACH_ELEMENT) {
                                productEach(products + (i * rows + row) * columns + segment.column, g, own, segment.size);
                            } else if (columnProducts && weights[i].gains) {
                                float *target = sums.data() + (start / rowsPerChunk * count + i) * columns + segment.column;
                                const float factor = weights[i].factors[weights[i].granularity == CK_ONE ? 0 : row];
                                products[i * rows + row] +=
                                    gatedDot(g, own, weights[i].gains + segment.column, factor, target, segment.size);
                            } else {
                                products[i * rows + row] += dot(g, own, segment.size);
                            }
                        }
                    }
                });
            }
        });
        if (!columnProducts) return;
        std::fill(columnProducts, columnProducts + count * columns, 0.0);
        for (int64_t chunk = 0; chunk < chunks; chunk++)
            for (int64_t i = 0; i < count * columns; i++) columnProducts[i] += sums[chunk * count * columns + i];
    });
}

ck_status ck_segment_dots(const float *left, const float *right, const int64_t *lengths, int64_t count, int64_t columns,
                          double *products, char **error) noexcept {
    return ck::guarded(error, [&] {
        std::fill(products, products + count * columns, 0.0);
        for (int64_t i = 0; i < count; i++)
            for (int64_t row = 0; row < lengths[i]; row++, left += columns, right += columns)
                addProducts(products + i * columns, left, right, columns);
    });
}
