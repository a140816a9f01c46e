#include "tensor.h"
#include "guarded.h"
#include "narrow.h"

#include <ATen/ATen.h>

ct_status ct_tensor_empty(const int64_t *shape, int64_t rank, int32_t dtype, const char *device, ct_tensor **result,
                          char **error) noexcept {
    return ct::guarded(error, [&] {
        const auto sizes = at::IntArrayRef(shape, static_cast<size_t>(rank));
        const auto options = at::TensorOptions(static_cast<at::ScalarType>(dtype)).device(c10::Device(device));
        *result = new ct_tensor{at::empty(sizes, options)};
    });
}

ct_status ct_tensor_empty_narrow(const int64_t *shape, int64_t rank, int32_t dtype, ct_tensor **result,
                                 char **error) noexcept {
    return ct::guarded(error, [&] {
        const auto sizes = at::IntArrayRef(shape, static_cast<size_t>(rank));
        *result = new ct_tensor{ct::emptyNarrow(sizes, static_cast<at::ScalarType>(dtype))};
    });
}

void ct_tensor_free(ct_tensor *tensor) noexcept { delete tensor; }

int64_t ct_tensor_rank(const ct_tensor *tensor) noexcept { return tensor->value.dim(); }

int64_t ct_tensor_element_count(const ct_tensor *tensor) noexcept { return tensor->value.numel(); }

int32_t ct_tensor_dtype(const ct_tensor *tensor) noexcept { return static_cast<int32_t>(tensor->value.scalar_type()); }

int64_t ct_tensor_length(const ct_tensor *tensor, int64_t axis) noexcept {
    return tensor->value.sizes().data()[axis];
}

int64_t ct_tensor_stride(const ct_tensor *tensor, int64_t axis) noexcept {
    return tensor->value.strides().data()[axis];
}

bool ct_tensor_is_narrow(const ct_tensor *tensor) noexcept { return ct::isNarrow(tensor->value); }

char *ct_tensor_device(const ct_tensor *tensor) noexcept {
    char *text = nullptr;
    ct::guarded(nullptr, [&] { text = ct::copied(tensor->value.device().str().c_str()); });
    return text;
}

bool ct_tensor_requires_grad(const ct_tensor *tensor) noexcept { return tensor->value.requires_grad(); }

bool ct_tensor_is_unshared(const ct_tensor *tensor) noexcept {
    return tensor->value.use_count() == 1 && tensor->value.storage().use_count() == 1;
}

ct_status ct_tensor_bytes(const ct_tensor *tensor, void **bytes, int64_t *count, char **error) noexcept {
    return ct::guarded(error, [&] {
        TORCH_CHECK(tensor->value.device().is_cpu(), "the tensor is not in main memory: copy it to the CPU first");
        TORCH_CHECK(tensor->value.is_contiguous(), "the tensor is not contiguous: call contiguous() first");
        *count = static_cast<int64_t>(tensor->value.nbytes());
        *bytes = tensor->value.data_ptr();
    });
}
