/// The library that has the `ct_*` functions and links libtorch, loaded when one of them is called first.
#pragma once

#include "ct_library.h"

#include <cstring>
#include <string>
#include <type_traits>

namespace ct {

class Library {
  public:
    /// Loads the library on the first call; what went wrong then is told for as long as the process lives.
    static const Library &shared();
    static bool isLoaded();

    /// Empty where the library is there.
    const std::string &fault() const { return fault_; }
    /// Null where the library is not there.
    void *find(const char *name) const;

  private:
    Library();

    void *handle_ = nullptr;
    std::string fault_;
};

inline void tell(char **error) { *error = strdup(Library::shared().fault().c_str()); }
template <class Argument> void tell(Argument) {}

/// What a function answers where there is no library to call: a failure with its reason where it has a last argument `error`,
/// else nothing, zero or null.
template <class Result, class... Arguments> Result refused(Arguments... arguments) {
    if constexpr ((std::is_same_v<Arguments, char **> || ...)) {
        (tell(arguments), ...);
        return CT_FAILED;
    } else {
        return Result();
    }
}

} // namespace ct
