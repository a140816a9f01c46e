/// Settings of the whole process.
#ifndef CK_PROCESS_H
#define CK_PROCESS_H

#include "ck_status.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Threads that a function of this library may use, 1 or more. Holds for calls that begin later, on any thread.
void ck_set_threads(int32_t count) CK_NOEXCEPT;
/// As it was set; before that, one for each core that this process may use.
int32_t ck_threads(void) CK_NOEXCEPT;
/// Makes the allocator keep what is freed instead of giving it back: for a process that allocates the same over and over.
void ck_keep_freed_memory(void) CK_NOEXCEPT;
/// Makes the allocator give every large block back when it is freed. By default it learns to keep blocks of up to
/// 32 MiB, and what lies between others that are still in use stays resident.
void ck_return_freed_memory(void) CK_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
