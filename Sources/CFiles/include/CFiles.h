#ifndef CFILES_H
#define CFILES_H

#include <stdint.h>

/// openat2(2), which Debian 12's glibc does not wrap. Returns a descriptor, or the negative of errno.
int cfiles_openat2(int directory, const char *_Nonnull path, uint64_t flags, uint64_t resolve);

/// Opens a directory for nothing but a place to start from (O_PATH). Returns a descriptor, or the negative of errno.
int cfiles_open_place(const char *_Nonnull path);

/// Reserves room for a file of `bytes` without changing its length. Returns 0, or the negative of errno.
int cfiles_reserve(int descriptor, int64_t bytes);

/// Makes the empty file `to` share the content of `from` (FICLONE: btrfs, XFS, bcachefs). Returns 0, or the negative of errno.
int cfiles_clone(int to, int from);

/// Makes two entries of one file system change places in one step. Returns 0, or the negative of errno.
int cfiles_exchange(const char *_Nonnull one, const char *_Nonnull other);

/// Bytes that a file system still has for this user, and bytes in all. Returns 0, or the negative of errno.
int cfiles_room(const char *_Nonnull path, int64_t *_Nonnull available, int64_t *_Nonnull total);

/// The user at the other end of a Unix socket, as it was when that end connected. Returns 0, or the negative of errno.
int cfiles_peer(int descriptor, uint32_t *_Nonnull user);

#endif
