/// A straight-line program of operator calls over numbered slots, run whole or in ranges of instructions.
#ifndef CT_PROGRAM_H
#define CT_PROGRAM_H

#include "ct_operators.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

typedef struct ct_program ct_program;

/// A program over `slots` slots.
ct_status ct_program_create(int64_t slots, ct_program *_Nullable *_Nonnull result,
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
/// The slots of one run. It refers to `program`, which must live longer.
typedef struct ct_values ct_values;

/// Empty slots for a run of `program`.
ct_status ct_values_create(const ct_program *program, ct_values *_Nullable *_Nonnull result,
                           char *_Nullable *_Nonnull error) CT_NOEXCEPT;
void ct_values_free(ct_values *values) CT_NOEXCEPT;

/// Puts a tensor into a slot, or empties it.
ct_status ct_values_set(ct_values *values, int64_t slot, const ct_tensor *_Nullable tensor,
                        char *_Nullable *_Nonnull error) CT_NOEXCEPT;
/// The tensor in a slot; a number becomes a tensor without axes. Fails where the slot is empty.
ct_status ct_values_get(const ct_values *values, int64_t slot, ct_tensor *_Nullable *_Nonnull result,
                        char *_Nullable *_Nonnull error) CT_NOEXCEPT;
/// Whether a slot holds a tensor and not a number or nothing.
bool ct_values_is_tensor(const ct_values *values, int64_t slot) CT_NOEXCEPT;
/// Copies a slot of another run of the same program, numbers as numbers; tensors share their elements.
ct_status ct_values_copy(ct_values *values, const ct_values *from, int64_t slot,
                         char *_Nullable *_Nonnull error) CT_NOEXCEPT;
/// Runs the instructions `first` to before `end` in the order in which they were appended. Fails where the range cuts a mode's
/// region. After a failure the slots hold what was computed until then.
ct_status ct_values_run(ct_values *values, int64_t first, int64_t end, char *_Nullable *_Nonnull error) CT_NOEXCEPT;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
