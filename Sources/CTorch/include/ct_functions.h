/// The functions of the shared library, one a line: result, name, parameters, arguments. A function that is declared in a header
/// and is missing here does not link.
#ifndef CT_FUNCTIONS_H
#define CT_FUNCTIONS_H

// clang-format off
#define CT_FUNCTIONS(F) \
    F(ct_status, ct_tensor_empty, (const int64_t *shape, int64_t rank, int32_t dtype, const char *device, ct_tensor **result, char **error), (shape, rank, dtype, device, result, error)) \
    F(ct_status, ct_tensor_empty_narrow, (const int64_t *shape, int64_t rank, int32_t dtype, ct_tensor **result, char **error), (shape, rank, dtype, result, error)) \
    F(void, ct_tensor_free, (ct_tensor *tensor), (tensor)) \
    F(int64_t, ct_tensor_rank, (const ct_tensor *tensor), (tensor)) \
    F(int64_t, ct_tensor_element_count, (const ct_tensor *tensor), (tensor)) \
    F(int32_t, ct_tensor_dtype, (const ct_tensor *tensor), (tensor)) \
    F(int64_t, ct_tensor_length, (const ct_tensor *tensor, int64_t axis), (tensor, axis)) \
    F(int64_t, ct_tensor_stride, (const ct_tensor *tensor, int64_t axis), (tensor, axis)) \
    F(bool, ct_tensor_is_narrow, (const ct_tensor *tensor), (tensor)) \
    F(char *, ct_tensor_device, (const ct_tensor *tensor), (tensor)) \
    F(bool, ct_tensor_requires_grad, (const ct_tensor *tensor), (tensor)) \
    F(bool, ct_tensor_is_unshared, (const ct_tensor *tensor), (tensor)) \
    F(ct_status, ct_tensor_bytes, (const ct_tensor *tensor, void **bytes, int64_t *count, char **error), (tensor, bytes, count, error)) \
    F(ct_status, ct_operator_find, (const char *name, const char *overload, const ct_operator **result, char **error), (name, overload, result, error)) \
    F(int64_t, ct_operator_argument_count, (const ct_operator *op), (op)) \
    F(const char *, ct_operator_argument_name, (const ct_operator *op, int64_t index), (op, index)) \
    F(bool, ct_operator_argument_has_default, (const ct_operator *op, int64_t index), (op, index)) \
    F(bool, ct_operator_argument_is_aliased, (const ct_operator *op, int64_t index), (op, index)) \
    F(bool, ct_operator_argument_is_written, (const ct_operator *op, int64_t index), (op, index)) \
    F(char *, ct_operator_schema, (const ct_operator *op), (op)) \
    F(ct_status, ct_operator_call, (const ct_operator *op, const ct_value *arguments, int64_t count, ct_tensor ***results, int64_t *result_count, char **error), (op, arguments, count, results, result_count, error)) \
    F(void, ct_results_free, (ct_tensor **results), (results)) \
    F(ct_status, ct_program_create, (int64_t slots, ct_program **result, char **error), (slots, result, error)) \
    F(void, ct_program_free, (ct_program *program), (program)) \
    F(ct_status, ct_program_add_call, (ct_program *program, const ct_operator *op, const char *place, const ct_value *arguments, int64_t argument_count, const int64_t *results, int64_t result_count, const int64_t *freed, int64_t freed_count, char **error), (program, op, place, arguments, argument_count, results, result_count, freed, freed_count, error)) \
    F(ct_status, ct_program_begin_grad_mode, (ct_program *program, bool enabled, char **error), (program, enabled, error)) \
    F(ct_status, ct_program_begin_autocast, (ct_program *program, bool enabled, int32_t dtype, char **error), (program, enabled, dtype, error)) \
    F(ct_status, ct_program_end_mode, (ct_program *program, char **error), (program, error)) \
    F(ct_status, ct_values_create, (const ct_program *program, ct_values **result, char **error), (program, result, error)) \
    F(void, ct_values_free, (ct_values *values), (values)) \
    F(ct_status, ct_values_set, (ct_values *values, int64_t slot, const ct_tensor *tensor, char **error), (values, slot, tensor, error)) \
    F(ct_status, ct_values_get, (const ct_values *values, int64_t slot, ct_tensor **result, char **error), (values, slot, result, error)) \
    F(bool, ct_values_is_tensor, (const ct_values *values, int64_t slot), (values, slot)) \
    F(ct_status, ct_values_copy, (ct_values *values, const ct_values *from, int64_t slot, char **error), (values, from, slot, error)) \
    F(ct_status, ct_values_run, (ct_values *values, int64_t first, int64_t end, char **error), (values, first, end, error)) \
    F(ct_status, ct_tape_create, (ct_tape **result, char **error), (result, error)) \
    F(void, ct_tape_free, (ct_tape *tape), (tape)) \
    F(ct_status, ct_tape_watch, (ct_tape *tape, const ct_tensor *tensor, int64_t index, int32_t parts, ct_tensor **result, char **error), (tape, tensor, index, parts, result, error)) \
    F(ct_status, ct_tape_backward, (ct_tape *tape, const ct_tensor *const *roots, const ct_tensor *const *gradients, int64_t count, ct_gradient_body body, void *context, char **error), (tape, roots, gradients, count, body, context, error)) \
    F(ct_status, ct_set_threads, (int32_t count, char **error), (count, error)) \
    F(bool, ct_grad_mode, (void), ()) \
    F(void, ct_set_grad_mode, (bool enabled), (enabled)) \
    F(bool, ct_autocast, (void), ()) \
    F(void, ct_set_autocast, (bool enabled), (enabled)) \
    F(const char *, ct_torch_version, (void), ()) \
    F(bool, ct_has_mkl, (void), ()) \
    F(char *, ct_blas_libraries, (void), ()) \
    F(const char *, ct_openblas_core, (void), ())
// clang-format on

/// The list as text, by which a program and a library of different builds know each other.
#define CT_SIGNATURE(result, name, parameters, arguments) #result " " #name #parameters "\n"
#define CT_INTERFACE CT_FUNCTIONS(CT_SIGNATURE)

#ifdef __cplusplus
/// The list that the library was built with; defined there alone.
extern "C" const char *ct_library_interface(void) noexcept;
#endif

#endif
