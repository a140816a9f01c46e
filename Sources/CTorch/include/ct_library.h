/// The shared library behind the other functions: it alone links libtorch, and is loaded when one of them is called first.
/// Where it can't be, functions that have an `error` fail with the reason, and the others answer zero or null.
#ifndef CT_LIBRARY_H
#define CT_LIBRARY_H

#include "ct_status.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// Looked for beside the program's own file and in ../lib/supermerge from there.
#define CT_LIBRARY_NAME "libsupermerge-torch.so"

/// Loads the library where it is not loaded yet, and libtorch with it.
ct_status ct_library_load(char *_Nullable *_Nonnull error) CT_NOEXCEPT;
/// Whether it is loaded; loads nothing.
bool ct_library_is_loaded(void) CT_NOEXCEPT;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
