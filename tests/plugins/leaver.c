/* SPDX-License-Identifier: MIT
 *
 * A hook for tests that tries to leave: what a request's X-Leave names, with
 * X-Leave-To as its path or port, is done in the loop's thread.  The answer's
 * X-Left says "done", or how it failed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sluice/plugin.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define CALL(number, ...) ((int)syscall(number, __VA_ARGS__))
#define NOBODYS_NUMBER 1000 /* a system call of the future */

static struct sluice_handle { int none; } only;

static unsigned long number(const char *text) {
  return strtoul(text, NULL, 10);
}

/* ---- files -------------------------------------------------------------- */

static int keep(int fd) {
  return fd < 0 ? -1 : close(fd);
}

static int try_read(const char *to) {
  return keep(open(to, O_RDONLY | O_CLOEXEC));
}

static int try_list(const char *to) {
  return keep(open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int try_write(const char *to) {
  return keep(open(to, O_WRONLY | O_CLOEXEC));
}

static int try_make(const char *to) {
  return keep(open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int try_unlink(const char *to) {
  return unlink(to);
}

static int try_truncate(const char *to) {
  return truncate(to, 0);
}

static int try_mkdir(const char *to) {
  return mkdir(to, 0700);
}

static int try_chmod(const char *to) {
  return chmod(to, 0666);
}

static int try_chmod_at(const char *to) {
  return fchmodat(AT_FDCWD, to, 0666, 0);
}

static int try_chown(const char *to) {
  return chown(to, getuid(), getgid());
}

static int try_touch(const char *to) {
  return utimensat(AT_FDCWD, to, NULL, 0);
}

static int try_attribute(const char *to) {
  return setxattr(to, "user.sluice", "x", 1, 0);
}

static int try_symlink(const char *to) {
  return symlink("/etc/shadow", to);
}

static int try_move(const char *to) { /* "from to" */
  char from[512];
  const char *blank = strchr(to, ' ');
  snprintf(from, sizeof from, "%.*s", (int)(blank - to), to);
  return rename(from, blank + 1);
}

/* ---- sockets ------------------------------------------------------------ */

static int on_socket(const char *port, int protocol, bool binds) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)number(port)),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol);
  if (fd < 0)
    return -1;
  int result = binds ? bind(fd, (struct sockaddr *)&at, sizeof at)
                     : connect(fd, (struct sockaddr *)&at, sizeof at);
  if (binds && result == 0)
    result = listen(fd, 1);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

static int try_connect(const char *to) {
  return on_socket(to, 0, false);
}

static int try_fastopen(const char *to) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)number(to)),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ssize_t sent =
      sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&at, sizeof at);
  int error = errno;
  close(fd);
  errno = error;
  return (int)sent;
}

static int try_listen(const char *to) {
  return on_socket(to, 0, true);
}

static int try_mptcp(const char *to) {
  return on_socket(to, 262, false);
}

static int try_ping(const char *to) {
  (void)to;
  return keep(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP));
}

static int try_packets(const char *to) {
  (void)to;
  return keep(socket(AF_INET, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

static int try_interface(const char *to) {
  return if_nametoindex(to) == 0 ? -1 : 0;
}

static int try_raw(const char *to) {
  (void)to;
  return keep(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int try_abstract(const char *to) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  size_t len = strlen(to);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  memcpy(at.sun_path + 1, to, len);
  int result =
      connect(fd, (struct sockaddr *)&at,
              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len));
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

/* ---- processes ---------------------------------------------------------- */

static int try_execve(const char *to) {
  char *const arguments[] = {(char *)(uintptr_t)to, NULL};
  return execve(to, arguments, NULL);
}

static int try_fork(const char *to) {
  pid_t child = fork();
  (void)to;
  if (child == 0)
    _exit(0);
  return child < 0 ? -1 : waitpid(child, NULL, 0) < 0 ? -1 : 0;
}

/* libc blocks all signals in there. */
static int try_spawn(const char *to) {
  char *const arguments[] = {(char *)(uintptr_t)to, NULL};
  pid_t child;
  int error = posix_spawn(&child, to, NULL, NULL, arguments, NULL);
  if (error == 0)
    return waitpid(child, NULL, 0) < 0 ? -1 : 0;
  errno = error;
  return -1;
}

static int try_ptrace(const char *to) {
  return (int)ptrace(PTRACE_SEIZE, (pid_t)number(to), NULL, NULL);
}

static int try_kill(const char *to) {
  return kill((pid_t)number(to), 0);
}

static int try_memory(const char *to) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/mem", to);
  return try_read(path);
}

static int try_code(const char *to) {
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  (void)to;
  return page == MAP_FAILED ? -1 : munmap(page, 4096);
}

/* ---- the kernel --------------------------------------------------------- */

static int try_mount(const char *to) {
  return mount("none", to, "tmpfs", 0, NULL);
}

static int try_unshare(const char *to) {
  (void)to;
  return unshare(CLONE_NEWNS);
}

static int try_namespace(const char *to) {
  (void)to;
  return CALL(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
}

static int try_setns(const char *to) {
  (void)to;
  return CALL(SYS_setns, 0, 0);
}

static int try_chroot(const char *to) {
  return chroot(to);
}

static int try_bpf(const char *to) {
  (void)to;
  return CALL(SYS_bpf, 0, NULL, 0);
}

static int try_keyctl(const char *to) {
  (void)to;
  return CALL(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1);
}

static int try_uring(const char *to) {
  char parameters[256] = {0};
  (void)to;
  return keep(CALL(SYS_io_uring_setup, 1, parameters));
}

static int try_faults(const char *to) {
  (void)to;
  return keep(CALL(SYS_userfaultfd, 0));
}

static int try_events(const char *to) {
  (void)to;
  return keep(CALL(SYS_perf_event_open, NULL, 0, -1, -1, 0));
}

static int try_module(const char *to) {
  (void)to;
  return CALL(SYS_init_module, NULL, 0, "");
}

static int try_handle(const char *to) {
  (void)to;
  return CALL(SYS_open_by_handle_at, -1, NULL, 0);
}

static int try_identity(const char *to) {
  return setuid((uid_t)number(to));
}

static int try_clock(const char *to) {
  (void)to;
  return CALL(SYS_settimeofday, NULL, NULL);
}

static int try_dumps(const char *to) {
  (void)to;
  return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int try_future(const char *to) {
  (void)to;
  return CALL(NOBODYS_NUMBER, 0);
}

/* ---- the hook ----------------------------------------------------------- */

static const struct {
  const char *name;
  int (*attempt)(const char *to);
} attempts[] = {
    {"read", try_read},         {"list", try_list},
    {"write", try_write},       {"make", try_make},
    {"unlink", try_unlink},     {"truncate", try_truncate},
    {"mkdir", try_mkdir},       {"symlink", try_symlink},
    {"move", try_move},         {"connect", try_connect},
    {"fastopen", try_fastopen}, {"listen", try_listen},
    {"mptcp", try_mptcp},       {"raw", try_raw},
    {"abstract", try_abstract}, {"execve", try_execve},
    {"fork", try_fork},         {"ptrace", try_ptrace},
    {"kill", try_kill},         {"memory", try_memory},
    {"code", try_code},         {"mount", try_mount},
    {"unshare", try_unshare},   {"namespace", try_namespace},
    {"setns", try_setns},       {"chroot", try_chroot},
    {"bpf", try_bpf},           {"keyctl", try_keyctl},
    {"uring", try_uring},       {"faults", try_faults},
    {"events", try_events},     {"module", try_module},
    {"handle", try_handle},     {"identity", try_identity},
    {"clock", try_clock},       {"dumps", try_dumps},
    {"future", try_future},     {"spawn", try_spawn},
    {"chmod", try_chmod},       {"chmodat", try_chmod_at},
    {"chown", try_chown},       {"touch", try_touch},
    {"xattr", try_attribute},   {"ping", try_ping},
    {"packets", try_packets},   {"interface", try_interface},
};

static const char *leave(const char *name, const char *to) {
  for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
    if (strcmp(attempts[i].name, name) == 0)
      return attempts[i].attempt(to == NULL ? "" : to) < 0
                 ? strerrorname_np(errno)
                 : "done";
  return "unknown";
}

static void *start(const void *conf, struct sluice_host *host) {
  (void)conf, (void)host;
  return &only;
}

static void stop(void *instance) {
  (void)instance;
}

static void *open_hook(void *instance, struct sluice_host *host) {
  (void)host;
  return instance;
}

static void close_hook(void *handle) {
  (void)handle;
}

static void on_response(void *handle, struct sluice_request *request) {
  const char *name = sluice_request_header(request, "X-Leave");
  (void)handle;
  if (name != NULL)
    sluice_request_answer(
        request, "X-Left",
        leave(name, sluice_request_header(request, "X-Leave-To")));
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "leaver",
    .version = "1.0",
    .summary = "tries to leave, for tests",
    .start = start,
    .stop = stop,
    .open = open_hook,
    .close = close_hook,
    .on_response = on_response,
};
SLUICE_REACH({NULL, 0, NULL})
SLUICE_HOOK(leaver, hook)
