#define _GNU_SOURCE
#include "CControl.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int unix_address(const char *path, struct sockaddr_un *address) {
    if (strlen(path) >= sizeof address->sun_path) {
        return -ENAMETOOLONG;
    }
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    strcpy(address->sun_path, path);
    return 0;
}

int ccontrol_bind_unix(const char *path, uint32_t mode) {
    struct sockaddr_un address;
    int status = unix_address(path, &address);
    if (status < 0) {
        return status;
    }
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) {
        return -errno;
    }
    // Linux gives the file the permissions of the socket.
    if (fchmod(descriptor, mode) < 0 || bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
        status = -errno;
        close(descriptor);
        return status;
    }
    return descriptor;
}

int ccontrol_connect_unix(const char *path) {
    struct sockaddr_un address;
    int status = unix_address(path, &address);
    if (status < 0) {
        return status;
    }
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return -errno;
    }
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
        status = -errno;
        close(descriptor);
        return status;
    }
    return descriptor;
}
