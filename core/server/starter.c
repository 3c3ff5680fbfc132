/* SPDX-License-Identifier: MIT
 *
 * Both sides.  Records go over a socket that keeps them apart: a byte asks,
 * and is answered by how the start went; when the process has ended, that is
 * said, too.
 */
#include "starter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_S 10 /* for the kernel to start a program */
#define LOOK_MS 500   /* has it ended? */

struct starter_word {
  pid_t child;
  int error; /* errno of the start; 0: none */
  int ended; /* boolean */
};

/* ---- a program is started ----------------------------------------------- */

/* The other one isn't to believe what is said to this process of itself. */
static bool is_for_one(const char *variable) {
  static const char *const names[] = {
      "WATCHDOG_PID=", "LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES="};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strncmp(variable, names[i], strlen(names[i])) == 0)
      return true;
  return false;
}

static char **environment(void) {
  size_t count = 0, kept = 0;
  while (environ[count] != NULL)
    count++;
  char **out = calloc(count + 1, sizeof *out);
  for (size_t i = 0; out != NULL && i < count; i++)
    if (!is_for_one(environ[i]))
      out[kept++] = environ[i];
  return out;
}

int starter_spawn(const char *program, const char *file, pid_t *pid) {
  char *arguments[] = {strdup(program), strdup("-c"), strdup(file),
                       strdup("--takeover"), NULL};
  char **variables = environment();
  int error = ENOMEM;
  if (variables != NULL && arguments[0] != NULL && arguments[1] != NULL &&
      arguments[2] != NULL && arguments[3] != NULL)
    error = posix_spawnp(pid, program, NULL, NULL, arguments, variables);
  for (size_t i = 0; i < 4; i++)
    free(arguments[i]);
  free(variables);
  return error;
}

/* ---- the gateway's side ------------------------------------------------- */

static int run_starter(int socket, const char *program, const char *file) {
  char *arguments[] = {strdup(program), strdup("-c"), strdup(file),
                       strdup("--starter"), NULL};
  posix_spawn_file_actions_t actions;
  pid_t pid;
  int error = ENOMEM;
  if (arguments[0] != NULL && arguments[1] != NULL && arguments[2] != NULL &&
      arguments[3] != NULL && posix_spawn_file_actions_init(&actions) == 0) {
    error = posix_spawn_file_actions_adddup2(&actions, socket, STARTER_FD);
    if (error == 0)
      error = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments,
                          environ);
    posix_spawn_file_actions_destroy(&actions);
  }
  for (size_t i = 0; i < 4; i++)
    free(arguments[i]);
  return error;
}

bool starter_begin(struct starter *starter, const char *program,
                   const char *file, struct errmsg *errmsg) {
  const struct timeval patience = {.tv_sec = PATIENCE_S};
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return errmsg_set(errmsg, "no socket: %s", strerror(errno));
  setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  int error = run_starter(pair[1], program, file);
  close(pair[1]);
  starter->socket = pair[0];
  if (error == 0)
    return true;
  starter_end(starter);
  return errmsg_set(errmsg, "no process can be started: %s", strerror(error));
}

static bool starter_hear(const struct starter *starter,
                         struct starter_word *word) {
  return recv(starter->socket, word, sizeof *word, 0) == sizeof *word;
}

int starter_ask(const struct starter *starter, pid_t *pid) {
  struct starter_word word;
  if (send(starter->socket, "s", 1, MSG_NOSIGNAL) != 1)
    return errno == ECONNRESET ? EPIPE : errno;
  errno = 0;
  if (!starter_hear(starter, &word))
    return errno == EAGAIN ? ETIMEDOUT : EPIPE;
  *pid = word.child;
  return word.error;
}

enum starter_news starter_news(const struct starter *starter, pid_t child) {
  struct starter_word word;
  if (!starter_hear(starter, &word))
    return STARTER_GONE;
  return word.ended && word.child == child ? STARTER_CHILD_ENDED
                                           : STARTER_NOTHING;
}

void starter_end(struct starter *starter) {
  if (starter->socket >= 0)
    close(starter->socket);
  starter->socket = -1;
}

/* ---- its own side ------------------------------------------------------- */

/* The end of the gateway is its own, and no key of a terminal. */
static void ignore_signals(void) {
  static const int numbers[] = {SIGINT,  SIGTERM, SIGHUP, SIGQUIT,
                                SIGUSR1, SIGUSR2, SIGPIPE};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    signal(numbers[i], SIG_IGN);
}

static void heed_signals(void) {
  static const int numbers[] = {SIGINT,  SIGTERM, SIGHUP,
                                SIGQUIT, SIGUSR1, SIGUSR2};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    signal(numbers[i], SIG_DFL);
}

static void starter_start(const char *program, const char *file,
                          struct starter_word *word) {
  *word = (struct starter_word){0};
  heed_signals(); /* as the program gets them */
  word->error = starter_spawn(program, file, &word->child);
  ignore_signals();
  if (word->error != 0)
    word->child = 0;
  send(STARTER_FD, word, sizeof *word, MSG_NOSIGNAL);
}

static void starter_bury(struct starter_word *word) {
  if (word->child == 0 || waitpid(word->child, NULL, WNOHANG) != word->child)
    return;
  word->ended = 1;
  send(STARTER_FD, word, sizeof *word, MSG_NOSIGNAL);
  word->child = 0;
}

/* The program that is started is to hold nothing of it, and nobody to trace
 * who isn't confined. */
static void starter_close(void) {
  sigset_t none;
  sigemptyset(&none);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  ignore_signals();
  sigprocmask(SIG_SETMASK, &none, NULL);
  fcntl(STARTER_FD, F_SETFD, FD_CLOEXEC);
#ifdef SYS_close_range /* sockets of the service manager, for one */
  syscall(SYS_close_range, STARTER_FD + 1, ~0u, 0);
#endif
}

int starter_serve(const char *program, const char *file) {
  struct starter_word word = {0};
  struct pollfd wait[2] = {{.fd = STARTER_FD, .events = POLLIN},
                           {.fd = -1, .events = POLLIN}};
  char asked;
  starter_close();
  /* Where the kernel has no descriptors of processes, it looks again. */
  while (poll(wait, 2, word.child != 0 && wait[1].fd < 0 ? LOOK_MS : -1) >=
             0 ||
         errno == EINTR) {
    starter_bury(&word);
    if (word.child == 0 && wait[1].fd >= 0) {
      close(wait[1].fd);
      wait[1].fd = -1;
    }
    if (wait[0].revents != 0) {
      if (recv(STARTER_FD, &asked, 1, 0) != 1)
        return 0;
      starter_start(program, file, &word);
      if (word.child != 0)
        wait[1].fd = (int)syscall(SYS_pidfd_open, word.child, 0);
    }
    wait[0].revents = wait[1].revents = 0;
  }
  return 1;
}
