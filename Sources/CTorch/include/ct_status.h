/// How every function of this library answers. Results come through out-parameters and belong to the caller; on failure
/// nothing is written to them and `*error`, where one is asked for, points at a message to be freed with `free`.
#ifndef CT_STATUS_H
#define CT_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
#define CT_NOEXCEPT noexcept
#else
#define CT_NOEXCEPT
#endif

typedef int32_t ct_status;

/// CT_OUT_OF_MEMORY: a tensor did not fit into the memory of its device.
enum { CT_OK = 0, CT_FAILED = 1, CT_OUT_OF_MEMORY = 2 };

#endif
