/// Operators of libtorch's dispatcher by name, so that none needs a function of its own.
#ifndef CT_OPERATORS_H
#define CT_OPERATORS_H

#include "ct_tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

enum {
    CT_NONE = 0,
    CT_DEFAULT = 1,
    CT_TENSOR = 2,
    CT_SLOT = 3,
    CT_INT = 4,
    CT_DOUBLE = 5,
    CT_BOOL = 6,
    CT_STRING = 7,
    CT_COMPLEX = 8,
    CT_LIST = 9
};

/// One argument. `integer` is the value of CT_INT and CT_BOOL, the number of a CT_SLOT, the count of `items` of a CT_LIST;
/// element types, layouts and memory formats are CT_INT by c10's numbers, devices CT_STRING.
typedef struct ct_value {
    int32_t kind;
    int64_t integer;
    double number;
    double imaginary;
    const char *_Nullable string;
    const ct_tensor *_Nullable tensor;
    const struct ct_value *_Nullable items;
} ct_value;

typedef struct ct_operator ct_operator;

/// `*result` is null where the dispatcher has no such operator. Never freed: operators live as long as the process.
ct_status ct_operator_find(const char *name, const char *overload, const ct_operator *_Nullable *_Nonnull result,
                           char *_Nullable *_Nonnull error) CT_NOEXCEPT;
int64_t ct_operator_argument_count(const ct_operator *op) CT_NOEXCEPT;
const char *ct_operator_argument_name(const ct_operator *op, int64_t index) CT_NOEXCEPT;
bool ct_operator_argument_has_default(const ct_operator *op, int64_t index) CT_NOEXCEPT;
/// Whether a result may share its memory.
bool ct_operator_argument_is_aliased(const ct_operator *op, int64_t index) CT_NOEXCEPT;
/// Whether the operator writes to it.
bool ct_operator_argument_is_written(const ct_operator *op, int64_t index) CT_NOEXCEPT;
/// The schema as PyTorch prints it; to be freed with `free`.
char *_Nullable ct_operator_schema(const ct_operator *op) CT_NOEXCEPT;

/// Calls `op`; arguments that are missing at the end take their defaults. Tensors of list results follow one another,
/// other results become tensors without axes. `*results` is an array to be freed with `ct_results_free` after its
/// tensors have been taken over.
ct_status ct_operator_call(const ct_operator *op, const ct_value *_Nullable arguments, int64_t count,
                           ct_tensor *_Nullable *_Nullable *_Nonnull results, int64_t *result_count,
                           char *_Nullable *_Nonnull error) CT_NOEXCEPT;
void ct_results_free(ct_tensor *_Nullable *_Nullable results) CT_NOEXCEPT;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
