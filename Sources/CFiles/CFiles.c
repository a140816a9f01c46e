#define _GNU_SOURCE
#include "CFiles.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

int cfiles_openat2(int directory, const char *path, uint64_t flags, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = 0, .resolve = resolve};
    long result = syscall(SYS_openat2, directory, path, &how, sizeof how);
    return result < 0 ? -errno : (int)result;
}

int cfiles_open_place(const char *path) {
    int result = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return result < 0 ? -errno : result;
}

int cfiles_reserve(int descriptor, int64_t bytes) {
    return fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, bytes) < 0 ? -errno : 0;
}

int cfiles_clone(int to, int from) {
    return ioctl(to, FICLONE, from) < 0 ? -errno : 0;
}

int cfiles_exchange(const char *one, const char *other) {
    return renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) < 0 ? -errno : 0;
}

int cfiles_peer(int descriptor, uint32_t *user) {
    struct sockaddr address;
    socklen_t length = sizeof address;
    if (getsockname(descriptor, &address, &length) < 0) {
        return -errno;
    }
    if (address.sa_family != AF_UNIX) {
        return -ENOTSUP;
    }
    struct ucred peer;
    length = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) {
        return -errno;
    }
    *user = peer.uid;
    return 0;
}

int cfiles_room(const char *path, int64_t *available, int64_t *total) {
    struct statvfs status;
    if (statvfs(path, &status) < 0) {
        return -errno;
    }
    *available = (int64_t)status.f_bavail * (int64_t)status.f_frsize;
    *total = (int64_t)status.f_blocks * (int64_t)status.f_frsize;
    return 0;
}
