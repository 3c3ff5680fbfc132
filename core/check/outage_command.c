/* SPDX-License-Identifier: MIT
 *
 * One command, waited for.
 */
#include "outage_command.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define NO_STATUS 128

/* The signals that the check ignores are the command's own again. */
static pid_t spawn(const char *command) {
  char *const words[] = {"sh", "-c", (char *)command, NULL};
  posix_spawnattr_t how;
  sigset_t usual;
  pid_t pid;
  sigemptyset(&usual);
  sigaddset(&usual, SIGPIPE);
  if (posix_spawnattr_init(&how) != 0)
    abort();
  posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setsigdefault(&how, &usual);
  int error = posix_spawnp(&pid, "sh", NULL, &how, words, environ);
  posix_spawnattr_destroy(&how);
  return error == 0 ? pid : -1;
}

int outage_command(const char *command) {
  int status = 0;
  pid_t pid = spawn(command);
  if (pid < 0)
    return NO_STATUS;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR)
      return NO_STATUS;
  return WIFEXITED(status) ? WEXITSTATUS(status)
                           : NO_STATUS + WTERMSIG(status);
}
