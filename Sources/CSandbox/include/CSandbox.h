#ifndef CSANDBOX_H
#define CSANDBOX_H

/// Lets this process and its children make no sockets but Unix ones (seccomp; socket(2) fails with EACCES, io_uring is not there).
/// Returns 0, or the negative of errno.
int csandbox_deny_network(void);

/// Lets this process and its children write below these folders alone (Landlock); reading stays as it is. Returns 0; 1 where the
/// kernel has no Landlock; or the negative of errno.
int csandbox_allow_writing(const char *_Nonnull const *_Nonnull folders, int count);

#endif
