/// Merges by rules that are not a sum of task vectors: TIES and DARE.
#ifndef CK_METHODS_H
#define CK_METHODS_H

#include "ck_merge.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// Values of a bin number: the upper or the lower bits of the 31 bits of a magnitude in float32.
enum { CK_MAGNITUDE_UPPER = 1 << 16, CK_MAGNITUDE_LOWER = 1 << 15 };

/// Counts |vector[e] - origin[e]| by its bits: with `upper` < 0 by the upper 16 of its 31 bits, into CK_MAGNITUDE_UPPER bins;
/// else by the lower 15, into CK_MAGNITUDE_LOWER bins, those whose upper bits are `upper`. Adds to `bins`.
ck_status ck_count_magnitudes(ck_piece origin, ck_piece vector, int64_t elements, int32_t upper, int64_t *bins,
                              char *_Nullable *_Nonnull error) CK_NOEXCEPT;

/// TIES: of every difference vectors[i] - origin the elements of a magnitude of at least thresholds[i] are kept; each element's
/// sign is that of the sum of what is kept; result = origin + factor * the mean of what is kept and agrees with that sign.
ck_status ck_merge_ties(ck_piece origin, const ck_piece *vectors, const float *thresholds, int64_t count,
                        int64_t elements, float factor, void *result, int32_t dtype,
                        char *_Nullable *_Nonnull error) CK_NOEXCEPT;

/// DARE: result = origin + sum over i of coefficients[i] / share * (vectors[i] - origin), of which each element is kept with
/// probability `share`. Whether depends on seeds[i] and the element's number, `first` for the piece's first, and on nothing else.
ck_status ck_merge_dare(ck_piece origin, const ck_piece *vectors, const float *coefficients, const uint64_t *seeds,
                        int64_t count, int64_t first, int64_t elements, double share, void *result, int32_t dtype,
                        char *_Nullable *_Nonnull error) CK_NOEXCEPT;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
