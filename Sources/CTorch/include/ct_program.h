/// A straight-line program of operator calls over numbered slots, run in one call.
#ifndef CT_PROGRAM_H
#define CT_PROGRAM_H

#include "ct_operators.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

typedef struct ct_program ct_program;

/// A program over `slots` slots, of which the first `inputs` are filled by the caller of each run.
ct_status ct_program_create(int64_t slots, int64_t inputs, ct_program *_Nullable *_Nonnull result,
                            char *_Nullable *_Nonnull error) CT_NOEXCEPT;
void ct_program_free(ct_program *program) CT_NOEXCEPT;

/// Appends a call. Results go to the slots `results` (-1: dropped), lists unpacked; then the slots `freed` are emptied.
/// `place` leads the message of a failure of this call.
ct_status ct_program_add_call(ct_program *program, const ct_operator *op, const char *place,
                              const ct_value *_Nullable arguments, int64_t argument_count,
                              const int64_t *_Nullable results, int64_t result_count, const int64_t *_Nullable freed,
                              int64_t freed_count, char *_Nullable *_Nonnull error) CT_NOEXCEPT;
/// Grad mode, or CPU autocast (with its dtype, -1: as it is), until the matching end.
ct_status ct_program_begin_grad_mode(ct_program *program, bool enabled, char *_Nullable *_Nonnull error) CT_NOEXCEPT;
ct_status ct_program_begin_autocast(ct_program *program, bool enabled, int32_t dtype,
                                    char *_Nullable *_Nonnull error) CT_NOEXCEPT;
ct_status ct_program_end_mode(ct_program *program, char *_Nullable *_Nonnull error) CT_NOEXCEPT;
ct_status ct_program_set_outputs(ct_program *program, const int64_t *slots, int64_t count,
                                 char *_Nullable *_Nonnull error) CT_NOEXCEPT;

/// Runs the program; `outputs` has room for every output.
ct_status ct_program_run(const ct_program *program, const ct_tensor *_Nonnull const *_Nonnull inputs, int64_t count,
                         ct_tensor *_Nullable *_Nonnull outputs, char *_Nullable *_Nonnull error) CT_NOEXCEPT;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
