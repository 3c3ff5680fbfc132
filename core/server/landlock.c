/* SPDX-License-Identifier: MIT
 *
 * The kernel's Documentation/userspace-api/landlock.rst has what each version
 * knows; <linux/landlock.h> of this system may know less than its kernel, so
 * numbers and structures are given here, as that header has them.
 */
#include "landlock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define VERSION_FLAG 1u /* LANDLOCK_CREATE_RULESET_VERSION */
#define RULE_PATH 1     /* LANDLOCK_RULE_PATH_BENEATH */
#define RULE_PORT 2     /* LANDLOCK_RULE_NET_PORT, since 4 */

enum access /* LANDLOCK_ACCESS_FS_... */
{
  EXECUTE = 1 << 0,
  WRITE_FILE = 1 << 1,
  READ_FILE = 1 << 2,
  READ_DIR = 1 << 3,
  REMOVE_DIR = 1 << 4,
  REMOVE_FILE = 1 << 5,
  MAKE_DIR = 1 << 7,
  MAKE_REG = 1 << 8,
  MAKE_SOCK = 1 << 9,
  VERSION_1 = (1 << 13) - 1,
  REFER = 1 << 13,    /* since 2: from one folder to another */
  TRUNCATE = 1 << 14, /* since 3 */
  IOCTL_DEV = 1 << 15 /* since 5 */
};
#define OF_FILES (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV)

#define BIND_TCP 1u /* LANDLOCK_ACCESS_NET_..., since 4 */
#define CONNECT_TCP 2u
#define SCOPES 3u /* abstract UNIX sockets, and signals, since 6 */
#define SCOPE_SIGNAL 2u

struct landlock_rules {
  uint64_t files, ports, scopes;
};
struct landlock_path {
  uint64_t access;
  int32_t parent;
} __attribute__((packed));
struct landlock_port {
  uint64_t access, port;
};

static const unsigned lets[REACH_KINDS] = {
    [REACH_SYSTEM] = EXECUTE | READ_FILE | READ_DIR,
    [REACH_READ] = READ_FILE | READ_DIR,
    [REACH_WRITE] = READ_FILE | READ_DIR | WRITE_FILE | REMOVE_DIR |
                    REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SOCK | REFER |
                    TRUNCATE,
    [REACH_SOCKETS] = MAKE_SOCK | REMOVE_FILE,
    [REACH_FILE] = READ_FILE | WRITE_FILE | TRUNCATE};

int landlock_version(void) {
  long version =
      syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, VERSION_FLAG);
  return version < 0 ? 0 : (int)version;
}

static uint64_t known_files(int version) {
  return VERSION_1 | (version >= 2 ? REFER : 0) |
         (version >= 3 ? TRUNCATE : 0) | (version >= 5 ? IOCTL_DEV : 0);
}

/* The manager of services may listen at an abstract address. */
static uint64_t known_scopes(int version) {
  const char *notify = getenv("NOTIFY_SOCKET");
  if (version < 6)
    return 0;
  return notify != NULL && *notify == '@' ? SCOPE_SIGNAL : SCOPES;
}

/* Nothing needs no rule, nor what has no place in a tree, as a pipe. */
static bool add_path(int rules, uint64_t known, uint64_t access, int fd) {
  struct stat st;
  if (fd < 0 || fstat(fd, &st) != 0)
    return true;
  if (!S_ISDIR(st.st_mode))
    access &= OF_FILES;
  struct landlock_path rule = {.access = access & known, .parent = fd};
  return rule.access == 0 ||
         syscall(SYS_landlock_add_rule, rules, RULE_PATH, &rule, 0u) == 0 ||
         errno == EBADFD;
}

static bool add_paths(int rules, uint64_t known, const struct reach *reach) {
  for (size_t i = 0; i < reach->count; i++) {
    const struct reach_path *path = &reach->paths[i];
    int fd = open(path->path, O_PATH | O_CLOEXEC);
    bool ok = add_path(rules, known, lets[path->kind], fd);
    if (fd >= 0)
      close(fd);
    if (!ok)
      return false;
  }
  /* Where the log goes, and /proc/self/fd/1 is opened again. */
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (!add_path(rules, known, lets[REACH_FILE], fd))
      return false;
  return true;
}

static bool add_ports(int rules, uint64_t access, const unsigned char *ports) {
  for (unsigned i = 0; i < REACH_PORTS; i++) {
    struct landlock_port rule = {.access = access, .port = i};
    if (reach_has_port(ports, i) &&
        syscall(SYS_landlock_add_rule, rules, RULE_PORT, &rule, 0u) != 0)
      return false;
  }
  return true;
}

static bool restrict_self(int rules, const struct landlock_rules *handled,
                          const struct reach *reach) {
  return add_paths(rules, handled->files, reach) &&
         ((handled->ports & BIND_TCP) == 0 ||
          add_ports(rules, BIND_TCP, reach->bind)) &&
         ((handled->ports & CONNECT_TCP) == 0 ||
          add_ports(rules, CONNECT_TCP, reach->connect)) &&
         prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall(SYS_landlock_restrict_self, rules, 0u) == 0;
}

/* A thread that is there already would go on as it was. */
static bool is_alone(void) {
  DIR *tasks = opendir("/proc/self/task");
  size_t count = 0;
  for (struct dirent *task; tasks != NULL && (task = readdir(tasks)) != NULL;)
    count += task->d_name[0] != '.';
  if (tasks != NULL)
    closedir(tasks);
  return count <= 1;
}

bool landlock_apply(int version, const struct reach *reach,
                    struct errmsg *errmsg) {
  struct landlock_rules handled = {.files = known_files(version),
                                   .scopes = known_scopes(version)};
  if (!is_alone())
    return errmsg_set(errmsg, "a library has started a thread before");
  /* Port 0 is any one, and several sockets are bound to the one it was. */
  if (version >= 4)
    handled.ports = (reach_has_port(reach->bind, 0) ? 0 : BIND_TCP) |
                    (reach->anywhere ? 0 : CONNECT_TCP);
  /* Older kernels know a shorter structure, and take a longer one whose rest
   * is zero. */
  int rules =
      (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0u);
  bool ok = rules >= 0 && restrict_self(rules, &handled, reach);
  int error = errno;
  if (rules >= 0)
    close(rules);
  return ok || errmsg_set(errmsg, "landlock: %s", strerror(error));
}
