/// Functions compiled once for each width of vector registers; the loader chooses.
#pragma once

#if defined(__x86_64__) && defined(__clang__)
#define CK_EVERY_WIDTH __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CK_EVERY_WIDTH
#endif
