/// Memory of tensors on the CPU: libtorch's own, whose failure is told by its type, as that of other devices is.
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include <cstring>

namespace {

/// Passes every call on. Nothing is marked `override`: what is virtual, and whether it is const, differs between versions.
struct TypedAllocator final : c10::Allocator {
    explicit TypedAllocator(c10::Allocator *inner) : inner(inner) {}

    c10::DataPtr allocate(size_t count) const { return allocated(count); }
    c10::DataPtr allocate(size_t count) { return allocated(count); }
    c10::DeleterFnPtr raw_deleter() const { return inner->raw_deleter(); }
    void copy_data(void *target, const void *source, size_t count) const { std::memcpy(target, source, count); }

  private:
    c10::DataPtr allocated(size_t count) const {
        try {
            return inner->allocate(count);
        } catch (const c10::Error &thrown) {
            throw c10::OutOfMemoryError(
                {__func__, __FILE__, static_cast<uint32_t>(__LINE__)},
                "a tensor of " + std::to_string(count) + " bytes does not fit into memory");
        }
    }

    c10::Allocator *inner;
};

/// Replaces libtorch's allocator when the library is loaded, before there is any tensor.
const bool isReplaced = [] {
    static TypedAllocator allocator(c10::GetCPUAllocator());
    c10::SetCPUAllocator(&allocator, 1);
    return true;
}();

} // namespace
