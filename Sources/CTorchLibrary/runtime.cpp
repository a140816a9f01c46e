#include "ct_functions.h"
#include "ct_runtime.h"
#include "autocast.h"
#include "guarded.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <dlfcn.h>
#include <link.h>

#include <climits>

ct_status ct_set_threads(int32_t count, char **error) noexcept {
    return ct::guarded(error, [&] {
        at::set_num_threads(count);
        using SetThreads = void (*)(int);
        const auto blas = reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
        if (blas) blas(count);
    });
}

bool ct_grad_mode(void) noexcept { return at::GradMode::is_enabled(); }

void ct_set_grad_mode(bool enabled) noexcept { at::GradMode::set_enabled(enabled); }

bool ct_autocast(void) noexcept { return ct::isAutocasting(); }

void ct_set_autocast(bool enabled) noexcept {
    ct::setAutocast(enabled, at::kBFloat16);
    if (!enabled) at::autocast::clear_cache();
}

const char *ct_torch_version(void) noexcept { return TORCH_VERSION; }

bool ct_has_mkl(void) noexcept { return at::hasMKL(); }

char *ct_blas_libraries(void) noexcept {
    char *text = nullptr;
    ct::guarded(nullptr, [&] {
        std::string paths;
        dl_iterate_phdr(
            [](dl_phdr_info *library, size_t, void *context) {
                auto &paths = *static_cast<std::string *>(context);
                const std::string path = library->dlpi_name;
                const auto name = path.substr(path.rfind('/') + 1);
                if (name.find("blas") == std::string::npos && name.find("mkl_rt") == std::string::npos) return 0;
                char resolved[PATH_MAX];
                paths += realpath(path.c_str(), resolved) ? resolved : path;
                paths += '\n';
                return 0;
            },
            &paths);
        text = ct::copied(paths.c_str());
    });
    return text;
}

const char *ct_openblas_core(void) noexcept {
    using CoreName = const char *(*)();
    const auto core = reinterpret_cast<CoreName>(dlsym(RTLD_DEFAULT, "openblas_get_corename"));
    return core ? core() : nullptr;
}

const char *ct_library_interface(void) noexcept { return CT_INTERFACE; }
