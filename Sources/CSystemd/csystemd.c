#include "csystemd.h"

#include <errno.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

int csystemd_notify(const char *state) { return sd_notify(0, state); }

int csystemd_journal_send(const csystemd_field *fields, size_t count) {
    struct iovec vectors[256];
    if (count > sizeof vectors / sizeof vectors[0]) return -E2BIG;
    for (size_t index = 0; index < count; index++) {
        vectors[index].iov_base = (void *)fields[index].bytes;
        vectors[index].iov_len = fields[index].length;
    }
    return sd_journal_sendv(vectors, (int)count);
}

uint64_t csystemd_watchdog_interval(void) {
    uint64_t microseconds = 0;
    return sd_watchdog_enabled(0, &microseconds) > 0 ? microseconds : 0;
}
