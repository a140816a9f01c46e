/// Loops over libtorch's own OpenMP threads. libtorch's parallel_for is serial in code that is not itself compiled for GNU
/// OpenMP, which clang can't do; so the run-time library that libtorch has loaded is asked directly.
#pragma once

#include <ATen/Parallel.h>

#include <dlfcn.h>

#include <algorithm>
#include <cstdint>

namespace ct {

/// libgomp's entry points; null where the process has none, and loops are serial.
struct OpenMP {
    using Parallel = void (*)(void (*)(void *), void *, unsigned, unsigned);
    using Number = int (*)();

    Parallel parallel = reinterpret_cast<Parallel>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
    Number thread = reinterpret_cast<Number>(dlsym(RTLD_DEFAULT, "omp_get_thread_num"));
    Number threads = reinterpret_cast<Number>(dlsym(RTLD_DEFAULT, "omp_get_num_threads"));
    Number nested = reinterpret_cast<Number>(dlsym(RTLD_DEFAULT, "omp_in_parallel"));

    bool isThere() const { return parallel && thread && threads && nested; }

    static const OpenMP &shared() {
        static const OpenMP openMP;
        return openMP;
    }
};

/// Calls body(begin, end) over parts of 0..<count, at least `grain` long, on as many threads as libtorch uses. `body` must
/// not throw; which thread takes which part must not change its result.
template <class Body> void parallel(int64_t count, int64_t grain, const Body &body) {
    const auto &openMP = OpenMP::shared();
    const auto parts = std::min<int64_t>(at::get_num_threads(), count / std::max<int64_t>(1, grain));
    if (parts < 2 || !openMP.isThere() || openMP.nested()) {
        if (count > 0) body(int64_t(0), count);
        return;
    }
    struct Work {
        const Body &body;
        const OpenMP &openMP;
        int64_t count;
    } work{body, openMP, count};
    openMP.parallel(
        [](void *context) {
            const auto &work = *static_cast<Work *>(context);
            const int64_t threads = work.openMP.threads(), thread = work.openMP.thread();
            const auto begin = work.count * thread / threads, end = work.count * (thread + 1) / threads;
            if (begin < end) work.body(begin, end);
        },
        &work, static_cast<unsigned>(parts), 0);
}

} // namespace ct
