#ifndef CSYSTEMD_H
#define CSYSTEMD_H

#include <stddef.h>
#include <stdint.h>

/* libsystemd as Swift needs it. Pointers are never kept; nothing here allocates for the caller. */

#pragma clang assume_nonnull begin

/** One `NAME=value` of a journal entry, `length` bytes in all. */
typedef struct {
    const void *bytes;
    size_t length;
} csystemd_field;

/** Tells the service manager `state` (sd_notify(3)). 1: told; 0: no service manager; negative: -errno. */
int csystemd_notify(const char *state);

/** Sends one entry to the journal (sd_journal_sendv(3)). 0, or -errno. At most 256 fields: -E2BIG beyond. */
int csystemd_journal_send(const csystemd_field *fields, size_t count);

/** The watchdog's interval in microseconds (sd_watchdog_enabled(3)), 0 where none is set for this process. */
uint64_t csystemd_watchdog_interval(void);

#pragma clang assume_nonnull end

#endif
