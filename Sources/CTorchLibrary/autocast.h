/// Autocast on the CPU under the names of libtorch 1.13 and of 2.4 and later.
#pragma once

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/api/include/torch/version.h>

namespace ct {

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
inline bool isAutocasting() { return at::autocast::is_autocast_enabled(at::kCPU); }
inline at::ScalarType autocastType() { return at::autocast::get_autocast_dtype(at::kCPU); }
inline void setAutocast(bool enabled, at::ScalarType type) {
    at::autocast::set_autocast_dtype(at::kCPU, type);
    at::autocast::set_autocast_enabled(at::kCPU, enabled);
}
#else
inline bool isAutocasting() { return at::autocast::is_cpu_enabled(); }
inline at::ScalarType autocastType() { return at::autocast::get_autocast_cpu_dtype(); }
inline void setAutocast(bool enabled, at::ScalarType type) {
    at::autocast::set_autocast_cpu_dtype(type);
    at::autocast::set_cpu_enabled(enabled);
}
#endif

/// Autocasts, or not, while it lives.
class AutocastMode {
  public:
    /// `dtype` is c10::ScalarType's number, or -1 for the one in force.
    AutocastMode(bool enabled, int32_t dtype) : before(isAutocasting()), typeBefore(autocastType()) {
        setAutocast(enabled, dtype < 0 ? typeBefore : static_cast<at::ScalarType>(dtype));
    }
    ~AutocastMode() { setAutocast(before, typeBefore); }
    AutocastMode(const AutocastMode &) = delete;
    AutocastMode &operator=(const AutocastMode &) = delete;

  private:
    bool before;
    at::ScalarType typeBefore;
};

} // namespace ct
