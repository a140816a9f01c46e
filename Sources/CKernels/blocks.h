/// Loops over blocks of elements on several threads.
#pragma once

#include "elements.h"
#include "threads.h"

namespace ck {

/// Calls body(offset, size) for every block of `elements`.
template <class Body> void forEachBlock(int64_t elements, const Body &body) {
    const auto blocks = (elements + blockSize - 1) / blockSize;
    onThreads(blocks, grain / blockSize, [&](int64_t begin, int64_t end) {
        for (auto block = begin; block < end; block++) {
            const auto offset = block * blockSize;
            body(offset, std::min(blockSize, elements - offset));
        }
    });
}

} // namespace ck
