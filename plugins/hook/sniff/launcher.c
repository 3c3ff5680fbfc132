/* SPDX-License-Identifier: MIT
 *
 * The gateway's side.  It is one for the process, as decision 0067 says: an
 * instance that comes with a reload finds it running, when no process can be
 * made any more.  Its socket keeps its number for as long as there are users,
 * so that every thread may write to it without a lock.
 */
#include "launcher.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sniffwire.h"

#define PROGRAM "sluice-sniff" /* beside the plugin */
#define END_TRIES 200          /* of 10 ms: that long its end is waited for */
#define END_MS 10

/* By start() and stop(), which no two threads call at once, but for `pid` and
 * what is atomic. */
static struct {
  unsigned users;
  int socket; /* -1: there are none */
  _Atomic pid_t pid;
  atomic_flag launching;
} launcher = {.socket = -1, .launching = ATOMIC_FLAG_INIT};

/* ---- the program -------------------------------------------------------- */

static bool find_program(char out[PATH_MAX], struct errmsg *err) {
  Dl_info info;
  if (dladdr(&launcher, &info) == 0 || info.dli_fname == NULL)
    return errmsg_set(err, "it isn't known where this plugin lies");
  const char *slash = strrchr(info.dli_fname, '/');
  int folder = slash == NULL ? 1 : (int)(slash - info.dli_fname);
  int len = snprintf(out, PATH_MAX, "%.*s/%s", folder,
                     slash == NULL ? "." : info.dli_fname, PROGRAM);
  if (len < 0 || len >= PATH_MAX)
    return errmsg_set(err, "the plugin's path is too long");
  if (access(out, X_OK) == 0)
    return true;
  return errmsg_set(err,
                    "the program that looks at files, %.100s, can't be "
                    "started: %s; it is installed beside this plugin",
                    out, strerror(errno));
}

/* Nothing of the gateway goes along but the socket. */
static int spawn(pid_t *pid, const char *path, int socket) {
  char name[] = PROGRAM, zone[] = "TZ=UTC0", locale[] = "LC_ALL=C";
  char *arguments[] = {name, NULL}, *variables[] = {zone, locale, NULL};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t how;
  sigset_t none;
  if (posix_spawn_file_actions_init(&actions) != 0)
    return ENOMEM;
  if (posix_spawnattr_init(&how) != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return ENOMEM;
  }
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&how, &none);
  posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
  int error = posix_spawn_file_actions_adddup2(&actions, socket, SNIFFWIRE_FD);
  if (error == 0)
    error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
                                             "/dev/null", O_RDWR, 0);
  if (error == 0)
    error = posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO,
                                             STDOUT_FILENO);
  if (error == 0)
    error = posix_spawn(pid, path, &actions, &how, arguments, variables);
  posix_spawnattr_destroy(&how);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

/* A copy that isn't the number that dup2() is asked for: it would keep its
 * CLOEXEC. */
static int keep_apart(int fd) {
  int other = fcntl(fd, F_DUPFD_CLOEXEC, 10);
  close(fd);
  return other;
}

/* Its socket; -1, and why. */
static int launch(struct errmsg *err) {
  char path[PATH_MAX];
  int pair[2];
  pid_t pid;
  if (!find_program(path, err))
    return -1;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    errmsg_set(err, "no socket: %s", strerror(errno));
    return -1;
  }
  pair[1] = keep_apart(pair[1]);
  int error = pair[1] < 0 ? errno : spawn(&pid, path, pair[1]);
  if (pair[1] >= 0)
    close(pair[1]);
  if (error == 0) {
    atomic_store(&launcher.pid, pid);
    return pair[0];
  }
  close(pair[0]);
  errmsg_set(err, "no process can be started: %s%s", strerror(error),
             error == EPERM || error == EACCES
                 ? "; this gateway has confined itself, so restart it, or "
                   "have `sluice ctl upgrade` start another one"
                 : "");
  return -1;
}

/* It ends by itself, when its socket is closed. */
static void launcher_bury(int tries) {
  const struct timespec step = {.tv_nsec = END_MS * 1000000L};
  pid_t pid = atomic_load(&launcher.pid);
  for (int i = 0; i < tries; i++) {
    pid_t ended = waitpid(pid, NULL, WNOHANG);
    if (ended != 0 && !(ended < 0 && errno == EINTR))
      return;
    nanosleep(&step, NULL);
  }
}

bool launcher_join(struct errmsg *err) {
  if (launcher.users == 0)
    launcher.socket = launch(err);
  if (launcher.socket < 0)
    return false;
  launcher.users++;
  return true;
}

void launcher_leave(void) {
  if (--launcher.users > 0)
    return;
  close(launcher.socket);
  launcher.socket = -1;
  launcher_bury(END_TRIES);
}

/* ---- helpers ------------------------------------------------------------ */

static bool say(const int fds[2]) {
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
  } control = {0};
  char start = SNIFFWIRE_START;
  struct iovec part = {.iov_base = &start, .iov_len = sizeof start};
  struct msghdr head = {.msg_iov = &part,
                        .msg_iovlen = 1,
                        .msg_control = control.bytes,
                        .msg_controllen = sizeof control.bytes};
  struct cmsghdr *rights = CMSG_FIRSTHDR(&head);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(2 * sizeof(int));
  memcpy(CMSG_DATA(rights), fds, 2 * sizeof(int));
  return sendmsg(launcher.socket, &head, MSG_NOSIGNAL | MSG_DONTWAIT) ==
         (ssize_t)sizeof start;
}

static bool launch_in_place(struct errmsg *err) {
  int socket = launch(err);
  if (socket < 0)
    return false;
  bool ok = dup3(socket, launcher.socket, O_CLOEXEC) >= 0 ||
            errmsg_set(err, "no socket: %s", strerror(errno));
  close(socket);
  return ok;
}

/* One that was killed is followed by another one, where that can be, and once.
 * A thread that finds another one at it fails its object. */
static bool launch_again(struct errmsg *err) {
  if (atomic_flag_test_and_set(&launcher.launching))
    return errmsg_set(err, "the process that starts helpers has ended");
  bool is_there = waitpid(atomic_load(&launcher.pid), NULL, WNOHANG) == 0;
  bool ok = is_there || launch_in_place(err);
  atomic_flag_clear(&launcher.launching);
  return ok;
}

static bool order(const int fds[2], struct errmsg *err) {
  if (say(fds))
    return true;
  if (errno == EAGAIN)
    return errmsg_set(err, "the process that starts helpers doesn't answer");
  return launch_again(err) &&
         (say(fds) ||
          errmsg_set(err, "no helper can be asked for: %s", strerror(errno)));
}

int launcher_start(int database, struct errmsg *err) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    errmsg_set(err, "no socket: %s", strerror(errno));
    return -1;
  }
  fcntl(pair[0], F_SETFL, O_NONBLOCK);
  const int fds[] = {pair[1], database};
  bool ok = order(fds, err);
  close(pair[1]);
  if (ok)
    return pair[0];
  close(pair[0]);
  return -1;
}
