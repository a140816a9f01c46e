/// The one place where a C++ exception ends.
#pragma once

#include "ct_status.h"

#include <c10/util/Exception.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>

namespace ct {

/// A copy for `free`; null where memory has run out.
inline char *copied(const char *text) noexcept { return strdup(text); }

/// Writes `what`, led by the place where there is one.
inline void report(char **error, const char *place, const char *what) noexcept {
    if (!error) return;
    if (!place) {
        *error = copied(what);
        return;
    }
    const size_t size = std::strlen(place) + std::strlen(what) + 3;
    *error = static_cast<char *>(std::malloc(size));
    if (*error) std::snprintf(*error, size, "%s: %s", place, what);
}

/// Runs `body`; whatever it throws becomes a status and a message. `place`, if any, may change while `body` runs.
template <class Body> ct_status guarded(char **error, const char *const *place, Body &&body) noexcept {
    const auto where = [place] { return place ? *place : nullptr; };
    try {
        body();
        return CT_OK;
    } catch (const c10::OutOfMemoryError &thrown) {
        report(error, where(), thrown.what_without_backtrace());
        return CT_OUT_OF_MEMORY;
    } catch (const std::bad_alloc &) {
        report(error, where(), "no memory is left");
        return CT_OUT_OF_MEMORY;
    } catch (const c10::Error &thrown) {
        report(error, where(), thrown.what_without_backtrace());
    } catch (const std::exception &thrown) {
        report(error, where(), thrown.what());
    } catch (...) {
        report(error, where(), "an unknown C++ exception");
    }
    return CT_FAILED;
}

template <class Body> ct_status guarded(char **error, Body &&body) noexcept {
    return guarded(error, nullptr, std::forward<Body>(body));
}

} // namespace ct
