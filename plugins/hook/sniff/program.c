/* SPDX-License-Identifier: MIT
 *
 * The program sluice-sniff, which the hook `sniff` starts: it starts a helper
 * when it is told to, and ends it when the gateway has closed its end of the
 * helper's socket.  It reads what the gateway says and nothing of any client,
 * and ends, with all of its helpers, when the gateway does.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "looker.h"
#include "sniffwire.h"

#define HELPERS_MAX 256 /* of all instances of the hook */
#define NOBODY 65534

struct helper {
  pid_t pid;  /* 0: none */
  int socket; /* a copy of its end, to see the other one closed */
};

static struct helper helpers[HELPERS_MAX];

/* ---- what it gives up --------------------------------------------------- */

/* The end of the gateway is its own, and no key of a terminal. */
static void ignore_signals(void) {
  static const int numbers[] = {SIGINT,  SIGTERM, SIGHUP, SIGQUIT,
                                SIGUSR1, SIGUSR2, SIGPIPE};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    signal(numbers[i], SIG_IGN);
}

static void close_others(unsigned from) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, from, ~0u, 0u) == 0)
    return;
#endif
  for (unsigned fd = from; fd < 1024; fd++)
    close((int)fd);
}

/* A process that has none is let pass where a unit forbids the call. */
static bool drop_rights(void) {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  const struct __user_cap_data_struct none[2] = {{0, 0, 0}};
  struct __user_cap_data_struct now[2] = {{0, 0, 0}};
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return (syscall(SYS_capget, &head, now) == 0 &&
          memcmp(now, none, sizeof now) == 0) ||
         syscall(SYS_capset, &head, none) == 0;
}

static bool is_forbidden(void) {
  return errno == EPERM || errno == EINVAL;
}

/* Where the system lets root be nobody else, root has no rights. */
static bool become_nobody(void) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return false;
  if (geteuid() == 0 &&
      ((setgroups(0, NULL) != 0 && !is_forbidden()) ||
       (setresgid(NOBODY, NOBODY, NOBODY) != 0 && !is_forbidden()) ||
       (setresuid(NOBODY, NOBODY, NOBODY) != 0 && !is_forbidden())))
    return false;
  return drop_rights();
}

/* ---- helpers ------------------------------------------------------------ */

static void forget(struct helper *helper) {
  close(helper->socket);
  helper->pid = 0;
}

static void end_helper(struct helper *helper) {
  if (helper->pid == 0)
    return;
  kill(helper->pid, SIGKILL);
  while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
    ;
  forget(helper);
}

static void end_all(void) {
  for (size_t i = 0; i < HELPERS_MAX; i++)
    end_helper(&helpers[i]);
}

static void bury(void) {
  pid_t pid;
  while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
    for (size_t i = 0; i < HELPERS_MAX; i++)
      if (helpers[i].pid == pid)
        forget(&helpers[i]);
}

static struct helper *free_helper(void) {
  for (size_t i = 0; i < HELPERS_MAX; i++)
    if (helpers[i].pid == 0)
      return &helpers[i];
  return NULL;
}

/* The child has two descriptors, and those of the standard streams. */
static void be_helper(pid_t parent, int socket, int database) {
  sigset_t none;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(1);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  dup2(socket, SNIFFWIRE_FD);
  dup2(database, SNIFFWIRE_DATABASE_FD);
  close_others(SNIFFWIRE_DATABASE_FD + 1);
  looker_serve();
  _exit(0);
}

/* Takes the socket. */
static void start_helper(int socket, int database) {
  struct helper *helper = free_helper();
  pid_t parent = getpid();
  pid_t pid = helper == NULL ? -1 : fork();
  if (pid == 0)
    be_helper(parent, socket, database);
  if (pid > 0)
    *helper = (struct helper){.pid = pid, .socket = socket};
  else
    close(socket);
}

/* ---- orders ------------------------------------------------------------- */

/* Both are above those that the child makes. */
static void take_rights(struct msghdr *head, int fds[2]) {
  struct cmsghdr *rights = CMSG_FIRSTHDR(head);
  if (rights == NULL || rights->cmsg_level != SOL_SOCKET ||
      rights->cmsg_type != SCM_RIGHTS ||
      rights->cmsg_len != CMSG_LEN(2 * sizeof(int)))
    return;
  memcpy(fds, CMSG_DATA(rights), 2 * sizeof(int));
  for (int i = 0; i < 2; i++) {
    int above = fcntl(fds[i], F_DUPFD_CLOEXEC, SNIFFWIRE_DATABASE_FD + 1);
    close(fds[i]);
    fds[i] = above;
  }
}

static bool obey(void) {
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
  } control;
  char order = 0;
  struct iovec part = {.iov_base = &order, .iov_len = sizeof order};
  struct msghdr head = {.msg_iov = &part,
                        .msg_iovlen = 1,
                        .msg_control = control.bytes,
                        .msg_controllen = sizeof control.bytes};
  int fds[2] = {-1, -1};
  ssize_t got = recvmsg(SNIFFWIRE_FD, &head, MSG_CMSG_CLOEXEC);
  if (got != (ssize_t)sizeof order)
    return got < 0 && errno == EINTR;
  take_rights(&head, fds);
  bury();
  if (order == SNIFFWIRE_START && fds[0] >= 0 && fds[1] >= 0)
    start_helper(fds[0], fds[1]);
  else if (fds[0] >= 0)
    close(fds[0]);
  if (fds[1] >= 0)
    close(fds[1]);
  return true;
}

/* Until there is an order, or something has ended; false: for good. */
static bool attend(const sigset_t *signals) {
  struct pollfd waits[1 + HELPERS_MAX] = {
      {.fd = SNIFFWIRE_FD, .events = POLLIN}};
  for (size_t i = 0; i < HELPERS_MAX; i++)
    waits[1 + i].fd = helpers[i].pid == 0 ? -1 : helpers[i].socket;
  if (ppoll(waits, 1 + HELPERS_MAX, NULL, signals) < 0)
    return errno == EINTR;
  for (size_t i = 0; i < HELPERS_MAX; i++)
    if (waits[1 + i].revents != 0)
      end_helper(&helpers[i]);
  return waits[0].revents == 0 || obey();
}

static void on_child(int signal_number) {
  (void)signal_number;
}

int main(void) {
  const struct sigaction child = {.sa_handler = on_child};
  sigset_t ended, none;
  ignore_signals();
  close_others(SNIFFWIRE_FD + 1);
  looker_silence();
  if (!become_nobody())
    return 1;
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  fcntl(SNIFFWIRE_FD, F_SETFD, FD_CLOEXEC);
  sigemptyset(&none);
  sigemptyset(&ended);
  sigaddset(&ended, SIGCHLD);
  sigprocmask(SIG_BLOCK, &ended, NULL);
  sigaction(SIGCHLD, &child, NULL);
  do
    bury();
  while (attend(&none));
  end_all();
  return 0;
}
