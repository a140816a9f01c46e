#include "library.h"
#include "ck_process.h"
#include "ct_functions.h"
#include "ct_program.h"
#include "ct_runtime.h"
#include "ct_tape.h"
#include "unused_libraries.h"

#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdlib>

namespace ct {
namespace {

std::atomic<bool> loaded{false};

/// The folder of the program's file, with a slash at its end; empty where the system doesn't say.
std::string ownFolder() {
    char path[PATH_MAX];
    const auto length = readlink("/proc/self/exe", path, sizeof path);
    const std::string own(path, length > 0 ? static_cast<size_t>(length) : 0);
    return own.substr(0, own.rfind('/') + 1);
}

std::string place() {
    const auto folder = ownFolder();
    for (const auto *relative : {"", "../lib/supermerge/"}) {
        const auto path = folder + relative + CT_LIBRARY_NAME;
        if (access(path.c_str(), F_OK) == 0) return path;
    }
    return {};
}

} // namespace

Library::Library() {
    const auto path = place();
    if (path.empty()) {
        fault_ = CT_LIBRARY_NAME " is neither beside " + ownFolder() +
                 "supermerge nor in ../lib/supermerge; install it from the same build (make install), or build it: "
                 "swift build --product supermerge-torch";
        return;
    }
    auto unused = UnusedLibraries::standIn();
    handle_ = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL);
    if (!handle_ && !unused.isEmpty()) {
        unused.remove();
        handle_ = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL);
    }
    if (!handle_) {
        const auto *reason = dlerror();
        fault_ = std::string("libtorch can't be loaded, and is perhaps not installed (on Debian: apt install libtorch-dev "
                             "libopenblas0-openmp): ") +
                 (reason ? reason : path.c_str());
        return;
    }
    const auto interface = reinterpret_cast<decltype(&ct_library_interface)>(dlsym(handle_, "ct_library_interface"));
    if (!interface || std::strcmp(interface(), CT_INTERFACE) != 0) {
        dlclose(handle_);
        handle_ = nullptr;
        fault_ = path + " is of another version than this program; install both from one build";
        return;
    }
    const auto setThreads = reinterpret_cast<decltype(&ct_set_threads)>(dlsym(handle_, "ct_set_threads"));
    char *error = nullptr;
    if (setThreads(ck_threads(), &error) != CT_OK) free(error);
    loaded = true;
}

const Library &Library::shared() {
    static const Library library;
    return library;
}

bool Library::isLoaded() { return loaded; }

void *Library::find(const char *name) const { return handle_ ? dlsym(handle_, name) : nullptr; }

} // namespace ct

ct_status ct_library_load(char **error) noexcept {
    if (ct::Library::shared().fault().empty()) return CT_OK;
    ct::tell(error);
    return CT_FAILED;
}

bool ct_library_is_loaded(void) noexcept { return ct::Library::isLoaded(); }

// Every function of the list: passes its arguments on to the library's.
#define CT_STUB(Result, name, parameters, arguments)                                                                    \
    Result name parameters noexcept {                                                                                   \
        static const auto function = reinterpret_cast<decltype(&name)>(ct::Library::shared().find(#name));              \
        return function ? function arguments : ct::refused<Result> arguments;                                           \
    }

CT_FUNCTIONS(CT_STUB)
