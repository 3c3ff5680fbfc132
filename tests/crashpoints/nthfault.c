/* SPDX-License-Identifier: MIT
 *
 * No plugin, but a library for LD_PRELOAD: one call of a process fails, the
 * N-th of those that can, or the N-th allocation.  The file that NTH_FAULT
 * names is shared with the test, which says which and sees how many there
 * were: numbers of four bytes, in the order of struct order.
 *
 * Descriptors that are neither files, folders nor sockets are left alone, as
 * is stderr: the kernel has no such errors for them.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define OWN __attribute__((visibility("default")))

enum { NOTHING, CALLS, MEMORY };

struct order {
  atomic_int what, nth, error; /* the test's; `what` comes last */
  atomic_int count, failed;    /* since; how many did fail: 0 or 1 */
  char name[24];               /* of the call that failed */
};

static struct order none;
static struct order *order = &none;

__attribute__((constructor)) static void share(void) {
  const char *path = getenv("NTH_FAULT");
  int fd = path == NULL
               ? -1
               : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return;
  void *shared =
      mmap(NULL, sizeof *order, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (shared != MAP_FAILED)
    order = shared;
}

static bool is_it(int what, const char *name, int error) {
  if (atomic_load(&order->what) != what ||
      atomic_fetch_add(&order->count, 1) + 1 != atomic_load(&order->nth))
    return false;
  snprintf(order->name, sizeof order->name, "%s", name);
  atomic_store(&order->failed, 1);
  int other = atomic_load(&order->error);
  errno = other ? other : error;
  return true;
}

static bool can_fail(int fd) {
  struct stat st;
  int why = errno;
  bool can =
      fd != STDERR_FILENO && fstat(fd, &st) == 0 &&
      (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISSOCK(st.st_mode));
  errno = why;
  return can;
}

/* Does this call on this descriptor fail? */
static bool call_fails(int fd, const char *name, int error) {
  return atomic_load(&order->what) == CALLS && can_fail(fd) &&
         is_it(CALLS, name, error);
}

static bool path_fails(const char *name, int error) {
  return is_it(CALLS, name, error);
}

/* ---- calls ---- */

#define ON_FILE(type, name, error, number, params, ...)                       \
  OWN type name params;                                                       \
  type name params {                                                          \
    return call_fails(fd, #name, error) ? -1                                  \
                                        : (type)syscall(number, __VA_ARGS__); \
  }

#define ON_PATH(name, error, number, params, ...)                             \
  OWN int name params;                                                        \
  int name params {                                                           \
    return path_fails(#name, error) ? -1 : (int)syscall(number, __VA_ARGS__); \
  }

ON_FILE(ssize_t, pread64, EIO, SYS_pread64,
        (int fd, void *to, size_t len, off64_t at), fd, to, len, at)
ON_FILE(ssize_t, pread, EIO, SYS_pread64,
        (int fd, void *to, size_t len, off_t at), fd, to, len, at)
ON_FILE(ssize_t, read, EIO, SYS_read, (int fd, void *to, size_t len), fd, to,
        len)
ON_FILE(ssize_t, readv, ECONNRESET, SYS_readv,
        (int fd, const struct iovec *to, int count), fd, to, count)
ON_FILE(ssize_t, write, EIO, SYS_write, (int fd, const void *data, size_t len),
        fd, data, len)
ON_FILE(ssize_t, pwrite64, ENOSPC, SYS_pwrite64,
        (int fd, const void *data, size_t len, off64_t at), fd, data, len, at)
ON_FILE(ssize_t, pwrite, EIO, SYS_pwrite64,
        (int fd, const void *data, size_t len, off_t at), fd, data, len, at)
ON_FILE(ssize_t, writev, EPIPE, SYS_writev,
        (int fd, const struct iovec *data, int count), fd, data, count)
ON_FILE(ssize_t, recv, ECONNRESET, SYS_recvfrom,
        (int fd, void *to, size_t len, int flags), fd, to, len, flags, NULL,
        NULL)
ON_FILE(ssize_t, send, EPIPE, SYS_sendto,
        (int fd, const void *data, size_t len, int flags), fd, data, len,
        flags, NULL, 0)
ON_FILE(int, fsync, EIO, SYS_fsync, (int fd), fd)
ON_FILE(int, fdatasync, EIO, SYS_fdatasync, (int fd), fd)
ON_FILE(int, syncfs, EIO, SYS_syncfs, (int fd), fd)
ON_FILE(int, ftruncate, EIO, SYS_ftruncate, (int fd, off_t size), fd, size)
ON_FILE(int, ftruncate64, EIO, SYS_ftruncate, (int fd, off64_t size), fd, size)
ON_FILE(int, fallocate, ENOSPC, SYS_fallocate,
        (int fd, int mode, off_t from, off_t count), fd, mode, from, count)
ON_FILE(int, fallocate64, ENOSPC, SYS_fallocate,
        (int fd, int mode, off64_t from, off64_t count), fd, mode, from, count)
ON_FILE(int, sync_file_range, EIO, SYS_sync_file_range,
        (int fd, off64_t from, off64_t count, unsigned flags), fd, from, count,
        flags)
ON_FILE(int, fchmod, EPERM, SYS_fchmod, (int fd, mode_t mode), fd, mode)
ON_FILE(ssize_t, sendfile, EIO, SYS_sendfile,
        (int fd, int from, off_t *at, size_t len), fd, from, at, len)
ON_FILE(ssize_t, sendfile64, EIO, SYS_sendfile,
        (int fd, int from, off64_t *at, size_t len), fd, from, at, len)

ON_PATH(mkdirat, EIO, SYS_mkdirat, (int folder, const char *path, mode_t mode),
        folder, path, mode)
ON_PATH(unlinkat, EIO, SYS_unlinkat, (int folder, const char *path, int flags),
        folder, path, flags)
ON_PATH(linkat, EIO, SYS_linkat,
        (int from, const char *old, int to, const char *path, int flags), from,
        old, to, path, flags)
ON_PATH(renameat, EIO, SYS_renameat,
        (int from, const char *old, int to, const char *path), from, old, to,
        path)
ON_PATH(fchmodat, EPERM, SYS_fchmodat,
        (int folder, const char *path, mode_t mode, int flags), folder, path,
        mode, flags * 0)
ON_PATH(socket, EMFILE, SYS_socket, (int family, int type, int protocol),
        family, type, protocol)
ON_PATH(accept4, EMFILE, SYS_accept4,
        (int fd, struct sockaddr *from, socklen_t *len, int flags), fd, from,
        len, flags)

#define OPENS(name, folder, ...)                                            \
  OWN int name(__VA_ARGS__, int flags, ...);                                \
  int name(__VA_ARGS__, int flags, ...) {                                   \
    va_list args;                                                           \
    va_start(args, flags);                                                  \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0; \
    va_end(args);                                                           \
    return path_fails(#name, EMFILE)                                        \
               ? -1                                                         \
               : (int)syscall(SYS_openat, folder, path, flags, mode);       \
  }

OPENS(open, AT_FDCWD, const char *path)
OPENS(open64, AT_FDCWD, const char *path)
OPENS(openat, folder, int folder, const char *path)
OPENS(openat64, folder, int folder, const char *path)

/* ---- memory: glibc's own is below ---- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

OWN void *malloc(size_t size);
OWN void *calloc(size_t count, size_t size);
OWN void *realloc(void *memory, size_t size);

void *malloc(size_t size) {
  return is_it(MEMORY, "malloc", ENOMEM) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  return is_it(MEMORY, "calloc", ENOMEM) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
  return is_it(MEMORY, "realloc", ENOMEM) ? NULL
                                          : __libc_realloc(memory, size);
}
