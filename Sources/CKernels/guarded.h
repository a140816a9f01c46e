/// The one place of this library where a C++ exception ends.
#pragma once

#include "ck_status.h"

#include <cstring>
#include <exception>

namespace ck {

/// Runs `body`; whatever it throws becomes a status and a message.
template <class Body> ck_status guarded(char **error, const Body &body) noexcept {
    try {
        body();
        return CK_OK;
    } catch (const std::exception &thrown) {
        *error = strdup(thrown.what());
    } catch (...) {
        *error = strdup("an unknown C++ exception");
    }
    return CK_FAILED;
}

} // namespace ck
