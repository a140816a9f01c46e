/// RE2 (Debian: libre2-dev) for Swift: expressions in time and memory that are bounded by their length.
#ifndef CRE2_H
#define CRE2_H
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cre2_expression cre2_expression;

/// Compiles UTF-8 of `count` bytes; NULL where RE2 refuses it. Free it with `cre2_free`.
cre2_expression *_Nullable cre2_compile(const char *_Nonnull pattern, size_t count);

/// Whether `text` matches from its beginning on, as Python's `re.match` has it. Safe from several threads at once.
bool cre2_match(const cre2_expression *_Nonnull expression, const char *_Nonnull text, size_t count);

void cre2_free(cre2_expression *_Nonnull expression);

#ifdef __cplusplus
}
#endif
#endif
