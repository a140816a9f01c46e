#ifndef CCONTROL_H
#define CCONTROL_H

#include <stdint.h>

/// A Unix stream socket that does not block, bound to `path` with at most the permissions `mode` (and no more than the
/// umask allows), so that nobody else can connect in between. Returns a descriptor, or the negative of errno.
int ccontrol_bind_unix(const char *_Nonnull path, uint32_t mode);

/// A Unix stream socket connected to `path`. Returns a descriptor, or the negative of errno.
int ccontrol_connect_unix(const char *_Nonnull path);

#endif
