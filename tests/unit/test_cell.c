/* SPDX-License-Identifier: MIT
 *
 * A process in its cell is ended by the kernel for whatever it tries beside
 * reading and writing its socket.
 */
#include "cell.h"
#include "sniffwire.h"
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

#define OWN_WAY 7 /* exit status of one that went through */

static void opens(void) {
  (void)open("/etc/passwd", O_RDONLY);
}

static void reads_another(void) {
  char byte;
  (void)!read(STDIN_FILENO, &byte, 1);
}

static void writes_another(void) {
  (void)!write(STDERR_FILENO, "", 1);
}

static void makes_a_socket(void) {
  (void)socket(AF_INET, SOCK_STREAM, 0);
}

static void sends_a_descriptor(void) {
  struct msghdr head = {.msg_iov = NULL};
  (void)sendmsg(SNIFFWIRE_FD, &head, 0);
}

static void forks(void) {
  if (fork() == 0)
    _exit(0);
}

static void starts_a_program(void) {
  char *none[] = {NULL};
  (void)execve("/bin/true", none, none);
}

static void signals_its_parent(void) {
  (void)kill(getppid(), 0);
}

static void maps_code(void) {
  (void)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
             -1, 0);
}

static void makes_code(void) {
  static char page[8192];
  char *at = page + 4096 - (size_t)page % 4096;
  (void)mprotect(at, 4096, PROT_READ | PROT_EXEC);
}

static void maps_a_file(void) {
  (void)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, SNIFFWIRE_FD, 0);
}

static void does_its_work(void) {
  char byte = 'x', *memory = malloc(1 << 20);
  if (memory == NULL || write(SNIFFWIRE_FD, &byte, 1) != 1 ||
      read(SNIFFWIRE_FD, &byte, 1) != 1 || byte != 'y')
    _exit(1);
  memset(memory, 1, 1 << 20);
  free(memory);
}

static void takes_too_much_memory(void) {
  _exit(malloc((size_t)300 << 20) == NULL ? OWN_WAY : 1);
}

/* How one ends that does that in its cell. */
static int ended(void (*act)(void), int other) {
  int status = 0;
  pid_t pid = fork();
  if (pid == 0) {
    dup2(other, SNIFFWIRE_FD);
    if (cell_close() != NULL)
      _exit(1);
    act();
    _exit(OWN_WAY);
  }
  while (pid > 0 && waitpid(pid, &status, 0) < 0)
    ;
  return status;
}

static void test_cell_lets_nothing_through_but_its_work(void) {
  static const struct {
    const char *what;
    void (*act)(void);
    bool good;
  } rows[] = {{"opens", opens, false},
              {"reads another", reads_another, false},
              {"writes another", writes_another, false},
              {"makes a socket", makes_a_socket, false},
              {"sends a descriptor", sends_a_descriptor, false},
              {"forks", forks, false},
              {"starts a program", starts_a_program, false},
              {"signals its parent", signals_its_parent, false},
              {"maps code", maps_code, false},
              {"makes code", makes_code, false},
              {"maps a file", maps_a_file, false},
              {"takes too much memory", takes_too_much_memory, true},
              {"does its work", does_its_work, true}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int pair[2];
    CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CU_ASSERT(write(pair[0], "y", 1) == 1);
    int status = ended(rows[i].act, pair[1]);
    close(pair[0]);
    close(pair[1]);
    if (rows[i].good)
      ROW(rows[i].what, WIFEXITED(status) && WEXITSTATUS(status) == OWN_WAY);
    else
      ROW(rows[i].what, WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_cell_lets_nothing_through_but_its_work), {NULL, NULL}};
  if (cell_is_open()) {
    puts("skipped: a build with sanitizers");
    return 77;
  }
  return unit_main("cell", tests);
}
