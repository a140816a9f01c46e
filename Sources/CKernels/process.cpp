#include "ck_process.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <thread>

namespace {

/// 0: not set.
std::atomic<int32_t> given{0};

} // namespace

void ck_set_threads(int32_t count) noexcept { given = count; }

int32_t ck_threads(void) noexcept {
    if (const auto count = given.load()) return count;
    return std::max(1, static_cast<int32_t>(std::thread::hardware_concurrency()));
}

void ck_keep_freed_memory(void) noexcept {
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

void ck_return_freed_memory(void) noexcept {
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
}
