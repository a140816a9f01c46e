#include "unused_libraries.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string>

namespace ct {
namespace {

/// DT_NEEDED of Debian 12's libtorch_cpu.so.1.13 without the libraries of which it has an undefined symbol. Other
/// systems' have other names, for which nothing is done.
constexpr const char *unusedNames[] = {
    "libopencv_calib3d.so.406",      "libopencv_core.so.406",         "libopencv_dnn.so.406",
    "libopencv_features2d.so.406",   "libopencv_flann.so.406",        "libopencv_highgui.so.406",
    "libopencv_imgcodecs.so.406",    "libopencv_imgproc.so.406",      "libopencv_optflow.so.406",
    "libopencv_video.so.406",        "libopencv_videoio.so.406",      "libopencv_ximgproc.so.406",
    "libavcodec.so.59",              "libavformat.so.59",             "libavutil.so.57",
    "libswresample.so.4",            "libswscale.so.6",               "libzmq.so.5",
    "liblmdb.so.0",                  "libleveldb.so.1d",              "libsnappy.so.1",
};

#if defined(__x86_64__)
constexpr ElfW(Half) machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr ElfW(Half) machine = EM_AARCH64;
#endif

/// The least that a loader takes for a shared library: its name, and no symbol.
struct EmptyLibrary {
    ElfW(Ehdr) header;
    ElfW(Phdr) segments[3];
    ElfW(Dyn) dynamic[5];
    ElfW(Sym) noSymbol;
    /// A zero, then the name.
    char strings[64];

    explicit EmptyLibrary(const char *name) {
        std::memset(this, 0, sizeof *this);
        std::memcpy(header.e_ident, ELFMAG, SELFMAG);
        header.e_ident[EI_CLASS] = ELFCLASS64;
        header.e_ident[EI_DATA] = ELFDATA2LSB;
        header.e_ident[EI_VERSION] = EV_CURRENT;
        header.e_type = ET_DYN;
        header.e_machine = machine;
        header.e_version = EV_CURRENT;
        header.e_phoff = offsetof(EmptyLibrary, segments);
        header.e_ehsize = sizeof header;
        header.e_phentsize = sizeof segments[0];
        header.e_phnum = 3;

        segments[0] = segment(PT_LOAD, 0, sizeof *this);
        segments[0].p_align = 0x10000;
        segments[1] = segment(PT_DYNAMIC, offsetof(EmptyLibrary, dynamic), sizeof dynamic);
        // Without it the loader takes the stack to be executable.
        segments[2] = segment(PT_GNU_STACK, 0, 0);

        dynamic[0] = entry(DT_SONAME, 1);
        dynamic[1] = entry(DT_STRTAB, offsetof(EmptyLibrary, strings));
        dynamic[2] = entry(DT_STRSZ, sizeof strings);
        dynamic[3] = entry(DT_SYMTAB, offsetof(EmptyLibrary, noSymbol));
        dynamic[4] = entry(DT_NULL, 0);
        std::strncpy(strings + 1, name, sizeof strings - 2);
    }

    static ElfW(Phdr) segment(ElfW(Word) type, size_t offset, size_t size) {
        ElfW(Phdr) result{};
        result.p_type = type;
        result.p_flags = PF_R | PF_W;
        result.p_offset = result.p_vaddr = result.p_paddr = offset;
        result.p_filesz = result.p_memsz = size;
        result.p_align = 8;
        return result;
    }

    static ElfW(Dyn) entry(ElfW(Sxword) tag, ElfW(Xword) value) {
        ElfW(Dyn) result{};
        result.d_tag = tag;
        result.d_un.d_val = value;
        return result;
    }
};

/// Null where the kernel or the loader does not take it. The loader knows libraries by their paths, so that `file`,
/// which is open then, is closed only when all are loaded.
void *loadEmpty(const char *name, int &file) {
    const EmptyLibrary library(name);
    file = memfd_create(name, MFD_CLOEXEC);
    if (file < 0 || write(file, &library, sizeof library) != static_cast<ssize_t>(sizeof library)) return nullptr;
    return dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_LAZY | RTLD_LOCAL);
}

} // namespace

UnusedLibraries UnusedLibraries::standIn() {
    UnusedLibraries result;
#if defined(__x86_64__) || defined(__aarch64__)
    std::vector<int> files;
    for (const auto *name : unusedNames) {
        if (auto *real = dlopen(name, RTLD_LAZY | RTLD_NOLOAD)) {
            dlclose(real);
            continue;
        }
        if (auto *handle = loadEmpty(name, files.emplace_back(-1))) result.handles_.push_back(handle);
    }
    for (const auto file : files) {
        if (file >= 0) close(file);
    }
#endif
    return result;
}

void UnusedLibraries::remove() {
    for (auto *handle : handles_) dlclose(handle);
    handles_.clear();
}

} // namespace ct
