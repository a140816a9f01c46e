/// Merges by rules that are not a sum of task vectors: TIES and DARE.
#ifndef CT_METHODS_H
#define CT_METHODS_H

#include "ct_merge.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// Values of a bin number: the upper or the lower bits of the 31 bits of a magnitude in float32.
enum { CT_MAGNITUDE_UPPER = 1 << 16, CT_MAGNITUDE_LOWER = 1 << 15 };

/// Counts |vector[e] - origin[e]| by its bits: with `upper` < 0 by the upper 16 of its 31 bits, into CT_MAGNITUDE_UPPER bins;
/// else by the lower 15, into CT_MAGNITUDE_LOWER bins, those whose upper bits are `upper`. Adds to `bins`.
ct_status ct_count_magnitudes(ct_piece origin, ct_piece vector, int64_t elements, int32_t upper, int64_t *bins,
                              char *_Nullable *_Nonnull error) CT_NOEXCEPT;

/// TIES: of every difference vectors[i] - origin the elements of a magnitude of at least thresholds[i] are kept; each element's
/// sign is that of the sum of what is kept; result = origin + factor * the mean of what is kept and agrees with that sign.
ct_status ct_merge_ties(ct_piece origin, const ct_piece *vectors, const float *thresholds, int64_t count,
                        int64_t elements, float factor, void *result, int32_t dtype,
                        char *_Nullable *_Nonnull error) CT_NOEXCEPT;

/// DARE: result = origin + sum over i of coefficients[i] / share * (vectors[i] - origin), of which each element is kept with
/// probability `share`. Whether depends on seeds[i] and the element's number, `first` for the piece's first, and on nothing else.
ct_status ct_merge_dare(ct_piece origin, const ct_piece *vectors, const float *coefficients, const uint64_t *seeds,
                        int64_t count, int64_t first, int64_t elements, double share, void *result, int32_t dtype,
                        char *_Nullable *_Nonnull error) CT_NOEXCEPT;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
