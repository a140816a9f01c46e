/// Settings of libtorch and of the calling thread.
#ifndef CT_RUNTIME_H
#define CT_RUNTIME_H

#include "ct_status.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

ct_status ct_set_threads(int32_t count, char *_Nullable *_Nonnull error) CT_NOEXCEPT;

bool ct_grad_mode(void) CT_NOEXCEPT;
void ct_set_grad_mode(bool enabled) CT_NOEXCEPT;
bool ct_autocast(void) CT_NOEXCEPT;
/// bfloat16 matrix products on the CPU.
void ct_set_autocast(bool enabled) CT_NOEXCEPT;

/// The version whose headers this was compiled with.
const char *ct_torch_version(void) CT_NOEXCEPT;
/// True where libtorch carries MKL inside.
bool ct_has_mkl(void) CT_NOEXCEPT;
/// Resolved paths of the BLAS libraries in the process, one a line; to be freed with `free`.
char *_Nullable ct_blas_libraries(void) CT_NOEXCEPT;

/// The processor that OpenBLAS has chosen its kernels for; null where the BLAS is not OpenBLAS.
const char *_Nullable ct_openblas_core(void) CT_NOEXCEPT;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
