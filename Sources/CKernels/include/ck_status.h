/// How the functions of this library answer: CK_OK, or CK_FAILED and, in `*error`, a message to be freed with `free`.
#ifndef CK_STATUS_H
#define CK_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
#define CK_NOEXCEPT noexcept
#else
#define CK_NOEXCEPT
#endif

typedef int32_t ck_status;

enum { CK_OK = 0, CK_FAILED = 1 };

#endif
