#include "attention.h"
#include "parallel.h"
#include "ck_width.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace ct {
namespace {

/// The BLAS's product of column-major matrices.
using Product = void (*)(const char *, const char *, const int *, const int *, const int *, const float *, const float *,
                         const int *, const float *, const int *, const float *, float *, const int *);

Product product() {
    static const auto found = reinterpret_cast<Product>(dlsym(RTLD_DEFAULT, "sgemm_"));
    return found;
}

/// A row-major matrix: its rows lie `stride` elements apart.
struct Matrix {
    float *elements;
    int64_t stride;
};

/// result (rows × columns) = scale · left · right, each transposed where said; `inner` is the axis that is summed over.
void multiply(Matrix left, bool leftTransposed, Matrix right, bool rightTransposed, Matrix result, int64_t rows,
              int64_t columns, int64_t inner, float scale) {
    const int m = static_cast<int>(columns), n = static_cast<int>(rows), k = static_cast<int>(inner);
    const int a = static_cast<int>(right.stride), b = static_cast<int>(left.stride), c = static_cast<int>(result.stride);
    const float zero = 0;
    product()(rightTransposed ? "T" : "N", leftTransposed ? "T" : "N", &m, &n, &k, &scale, right.elements, &a,
              left.elements, &b, &zero, result.elements, &c);
}

/// eˣ for x ≤ 0 to about an ulp: 2ⁿ · eʳ with |r| ≤ ln 2 / 2 and Cephes' polynomial for eʳ; 0 below the smallest normal number.
inline float exponential(float x) {
    const float clamped = x < -87.3f ? -87.3f : x;
    const float n = std::floor(clamped * 1.44269504f + 0.5f);
    const float r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1;
    const int32_t bits = (static_cast<int32_t>(n) + 127) << 23;
    float power;
    std::memcpy(&power, &bits, sizeof power);
    return x < -87.3f ? 0 : p * power;
}

/// The softmax of one row in place; zeros where every score is -∞, and NaN throughout where one is NaN.
CK_EVERY_WIDTH void softmax(float *row, int64_t count) {
    float highest = -std::numeric_limits<float>::infinity();
    for (int64_t i = 0; i < count; i++) highest = row[i] > highest ? row[i] : highest;
    if (highest == -std::numeric_limits<float>::infinity()) {
        bool isDead = true;
        for (int64_t i = 0; i < count; i++) isDead = isDead && row[i] == highest;
        std::fill(row, row + count, isDead ? 0 : std::numeric_limits<float>::quiet_NaN());
        return;
    }
    constexpr int64_t lanes = 16;
    float sums[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes)
        for (int64_t lane = 0; lane < lanes; lane++) sums[lane] += row[i + lane] = exponential(row[i + lane] - highest);
    float sum = 0;
    for (; i < count; i++) sum += row[i] = exponential(row[i] - highest);
    for (int64_t lane = 0; lane < lanes; lane++) sum += sums[lane];
    const float factor = 1 / sum;
    for (int64_t j = 0; j < count; j++) row[j] *= factor;
}

/// ∂L/∂scores of one row from the weights and ∂L/∂weights, in place of the latter.
CK_EVERY_WIDTH void softmaxGradient(const float *weights, float *gradient, int64_t count, float scale) {
    constexpr int64_t lanes = 16;
    float sums[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes)
        for (int64_t lane = 0; lane < lanes; lane++) sums[lane] += weights[i + lane] * gradient[i + lane];
    float sum = 0;
    for (; i < count; i++) sum += weights[i] * gradient[i];
    for (int64_t lane = 0; lane < lanes; lane++) sum += sums[lane];
    for (int64_t j = 0; j < count; j++) gradient[j] = scale * weights[j] * (gradient[j] - sum);
}

/// Strides of a mask that broadcasts over [B,H,L,S].
struct Mask {
    at::Tensor tensor;
    bool isBoolean = false;

    Mask(const at::Tensor &given, at::IntArrayRef shape) {
        if (!given.defined()) return;
        isBoolean = given.scalar_type() == at::kBool;
        tensor = (isBoolean ? given : given.to(at::kFloat)).expand(shape);
    }

    void apply(float *row, int64_t batch, int64_t head, int64_t query, int64_t keys) const {
        const auto start = batch * tensor.stride(0) + head * tensor.stride(1) + query * tensor.stride(2);
        const auto step = tensor.stride(3);
        if (isBoolean) {
            const auto *open = static_cast<const bool *>(tensor.data_ptr()) + start;
            for (int64_t i = 0; i < keys; i++)
                row[i] = open[i * step] ? row[i] : -std::numeric_limits<float>::infinity();
        } else {
            const auto *added = static_cast<const float *>(tensor.data_ptr()) + start;
            for (int64_t i = 0; i < keys; i++) row[i] += added[i * step];
        }
    }
};

/// As it is where its rows are contiguous, else a copy that is.
at::Tensor withRows(const at::Tensor &tensor) {
    const auto fits = tensor.stride(3) == 1 && tensor.stride(2) >= tensor.size(3) && tensor.stride(2) <= INT32_MAX;
    return fits ? tensor : tensor.contiguous();
}

Matrix matrix(const at::Tensor &tensor, int64_t batch, int64_t head) {
    return {static_cast<float *>(tensor.data_ptr()) + batch * tensor.stride(0) + head * tensor.stride(1),
            std::max<int64_t>(1, tensor.stride(2))};
}

/// [B,H,L,V] whose memory is in the order [B,L,H,V], which the projection that follows takes without a copy.
at::Tensor emptyByToken(const at::Tensor &like, int64_t length, int64_t width) {
    return at::empty({like.size(0), length, like.size(1), width}, like.options()).transpose(1, 2);
}

struct Attention : torch::autograd::Function<Attention> {
    static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &givenQuery,
                              const at::Tensor &givenKey, const at::Tensor &givenValue, const Mask &mask,
                              bool causal, double scale, bool keepsWeights) {
        const auto query = withRows(givenQuery), key = withRows(givenKey), value = withRows(givenValue);
        const auto heads = query.size(1), length = query.size(2), keys = key.size(2);
        auto result = emptyByToken(query, length, value.size(3));
        at::Tensor kept;
        if (keepsWeights) kept = at::empty({query.size(0), heads, length, keys}, query.options());
        parallel(query.size(0) * heads, 1, [&](int64_t begin, int64_t end) {
            std::vector<float> block(keepsWeights ? 0 : static_cast<size_t>(length * keys));
            for (auto unit = begin; unit < end; unit++) {
                const auto batch = unit / heads, head = unit % heads;
                const auto scores = keepsWeights ? matrix(kept, batch, head) : Matrix{block.data(), keys};
                multiply(matrix(query, batch, head), false, matrix(key, batch, head), true, scores, length, keys,
                         query.size(3), static_cast<float>(scale));
                for (int64_t row = 0; row < length; row++) {
                    auto *start = scores.elements + row * keys;
                    if (causal && row + 1 < keys)
                        std::fill(start + row + 1, start + keys, -std::numeric_limits<float>::infinity());
                    if (mask.tensor.defined()) mask.apply(start, batch, head, row, keys);
                    softmax(start, keys);
                }
                multiply(scores, false, matrix(value, batch, head), false, matrix(result, batch, head), length,
                         value.size(3), keys, 1);
            }
        });
        context->saved_data["scale"] = scale;
        if (keepsWeights) context->save_for_backward({query, key, value, kept});
        return result;
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                   torch::autograd::variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const auto &query = saved[0], &key = saved[1], &value = saved[2], &weights = saved[3];
        const auto scale = static_cast<float>(context->saved_data["scale"].toDouble());
        const auto slope = withRows(gradients[0]);
        const auto heads = query.size(1), length = query.size(2), keys = key.size(2), width = query.size(3);
        auto forQuery = emptyByToken(query, length, width), forKey = emptyByToken(query, keys, width);
        auto forValue = emptyByToken(query, keys, value.size(3));
        parallel(query.size(0) * heads, 1, [&](int64_t begin, int64_t end) {
            std::vector<float> block(static_cast<size_t>(length * keys));
            const Matrix scores{block.data(), keys};
            for (auto unit = begin; unit < end; unit++) {
                const auto batch = unit / heads, head = unit % heads;
                const auto kept = matrix(weights, batch, head), out = matrix(slope, batch, head);
                multiply(kept, true, out, false, matrix(forValue, batch, head), keys, value.size(3), length, 1);
                multiply(out, false, matrix(value, batch, head), true, scores, length, keys, value.size(3), 1);
                for (int64_t row = 0; row < length; row++)
                    softmaxGradient(kept.elements + row * keys, scores.elements + row * keys, keys, scale);
                multiply(scores, false, matrix(key, batch, head), false, matrix(forQuery, batch, head), length, width,
                         keys, 1);
                multiply(scores, true, matrix(query, batch, head), false, matrix(forKey, batch, head), keys, width,
                         length, 1);
            }
        });
        return {forQuery, forKey, forValue, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
    }
};

bool isDense(const at::Tensor &tensor) {
    return tensor.dim() == 4 && tensor.scalar_type() == at::kFloat && tensor.device().is_cpu() &&
           tensor.layout() == at::kStrided && tensor.numel() > 0;
}

} // namespace

bool canFuseAttention(const at::Tensor &query, const at::Tensor &key, const at::Tensor &value, const at::Tensor &mask) {
    if (!product() || !isDense(query) || !isDense(key) || !isDense(value)) return false;
    if (mask.defined() && (mask.requires_grad() || !mask.device().is_cpu())) return false;
    const auto outer = query.sizes().slice(0, 2);
    return key.sizes().slice(0, 2) == outer && value.sizes().slice(0, 2) == outer && key.size(3) == query.size(3) &&
           value.size(2) == key.size(2) && query.size(2) <= INT32_MAX && key.size(2) <= INT32_MAX;
}

at::Tensor fusedAttention(const at::Tensor &query, const at::Tensor &key, const at::Tensor &value,
                          const at::Tensor &mask, bool causal, double scale) {
    const auto records =
        at::GradMode::is_enabled() && (query.requires_grad() || key.requires_grad() || value.requires_grad());
    const Mask open(mask, {query.size(0), query.size(1), query.size(2), key.size(2)});
    return Attention::apply(query, key, value, open, causal, scale, records);
}

} // namespace ct
