/// Loops over threads that live for one call: twenty microseconds to start, and nothing spins before or after, as OpenMP's
/// threads do where nobody has told them otherwise before the process began.
#pragma once

#include "ck_process.h"

#include <algorithm>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

namespace ck {

/// Calls body(begin, end) over parts of 0..<count, at least `grain` long, on at most `ck_threads()` threads. `body` must
/// not throw; which thread takes which part must not change its result.
template <class Body> void onThreads(int64_t count, int64_t grain, const Body &body) {
    const auto parts = std::max<int64_t>(1, std::min<int64_t>(ck_threads(), count / std::max<int64_t>(1, grain)));
    std::vector<std::thread> others;
    others.reserve(static_cast<size_t>(parts - 1));
    int64_t begin = 0;
    for (int64_t part = 1; part < parts; part++) {
        const auto end = count * part / parts;
        try {
            others.emplace_back([&body, begin, end] { body(begin, end); });
        } catch (const std::system_error &) {
            break;
        }
        begin = end;
    }
    if (begin < count) body(begin, count);
    for (auto &other : others) other.join();
}

} // namespace ck
