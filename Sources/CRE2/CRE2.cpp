#include "CRE2.h"

#include <new>
#include <re2/re2.h>

cre2_expression *cre2_compile(const char *pattern, size_t count) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    auto *expression = new (std::nothrow) RE2(re2::StringPiece(pattern, count), options);
    if (expression && expression->ok()) return reinterpret_cast<cre2_expression *>(expression);
    delete expression;
    return nullptr;
}

bool cre2_match(const cre2_expression *expression, const char *text, size_t count) {
    auto *compiled = reinterpret_cast<const RE2 *>(expression);
    return compiled->Match(re2::StringPiece(text, count), 0, count, RE2::ANCHOR_START, nullptr, 0);
}

void cre2_free(cre2_expression *expression) { delete reinterpret_cast<RE2 *>(expression); }
