/* SPDX-License-Identifier: MIT
 *
 * The list, and those calls of which only some are let through, as a filter
 * that libseccomp makes.
 */
#include "syscalls.h"

#include <string.h>

#ifdef HAVE_SECCOMP
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "refusal.h"
#include "syscalls_table.h"

#define FICLONE_REQUEST                               \
  0x40049409u /* of <linux/fs.h>, which glibc's hates \
               */
#define TYPE_OF_SOCKET 0xfu
#define RIGHTS_OF_CODE (PROT_WRITE | PROT_EXEC)

/* Arguments that are an int are compared as 32 bits. */
static struct scmp_arg_cmp equals(unsigned argument, uint32_t value) {
  return (struct scmp_arg_cmp){.arg = argument,
                               .op = SCMP_CMP_MASKED_EQ,
                               .datum_a = UINT32_MAX,
                               .datum_b = value};
}

static bool let(scmp_filter_ctx filter, const char *name, unsigned count,
                const struct scmp_arg_cmp *arguments) {
  int number = seccomp_syscall_resolve_name(name);
  return number < 0 || seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number,
                                              count, arguments) == 0;
}

static bool let_one(scmp_filter_ctx filter, const char *name,
                    struct scmp_arg_cmp argument) {
  return let(filter, name, 1, &argument);
}

static bool let_values(scmp_filter_ctx filter, const char *name, unsigned arg,
                       const uint32_t *values, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!let_one(filter, name, equals(arg, values[i])))
      return false;
  return true;
}

static bool let_socket(scmp_filter_ctx filter, unsigned family, unsigned type,
                       unsigned protocol) {
  const struct scmp_arg_cmp arguments[] = {
      equals(0, family), SCMP_CMP(1, SCMP_CMP_MASKED_EQ, TYPE_OF_SOCKET, type),
      equals(2, protocol)};
  return let(filter, "socket", 3, arguments);
}

/* Streams and datagrams, of no protocol but TCP and UDP: rules of ports know
 * no other stream.  Raw ones ask the kernel for addresses alone. */
static bool let_sockets(scmp_filter_ctx filter) {
  static const struct {
    unsigned family, type, protocol;
  } rows[] = {{AF_UNIX, SOCK_STREAM, 0},
              {AF_UNIX, SOCK_DGRAM, 0},
              {AF_UNIX, SOCK_SEQPACKET, 0},
              {AF_INET, SOCK_STREAM, 0},
              {AF_INET, SOCK_STREAM, IPPROTO_TCP},
              {AF_INET, SOCK_DGRAM, 0},
              {AF_INET, SOCK_DGRAM, IPPROTO_UDP},
              {AF_INET6, SOCK_STREAM, 0},
              {AF_INET6, SOCK_STREAM, IPPROTO_TCP},
              {AF_INET6, SOCK_DGRAM, 0},
              {AF_INET6, SOCK_DGRAM, IPPROTO_UDP}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (!let_socket(filter, rows[i].family, rows[i].type, rows[i].protocol))
      return false;
  const struct scmp_arg_cmp routes[] = {equals(0, AF_NETLINK),
                                        equals(2, NETLINK_ROUTE)};
  /* A stream that connects as it sends isn't seen by rules of ports. */
  return let(filter, "socket", 2, routes) &&
         let_one(filter, "sendto",
                 SCMP_CMP(3, SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0)) &&
         let_one(filter, "sendmsg",
                 SCMP_CMP(2, SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0)) &&
         let_one(filter, "sendmmsg",
                 SCMP_CMP(3, SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0));
}

/* It is the kernel that refuses, without a signal: a thread that blocks that,
 * as libc does around these calls, would be the end of the process.  Where all
 * others are refused so anyway, there is no rule for it. */
static bool refuse_call(scmp_filter_ctx filter, const char *name,
                        unsigned count, const struct scmp_arg_cmp *arguments) {
  int number = seccomp_syscall_resolve_name(name);
  uint32_t others;
  if (number < 0 ||
      (seccomp_attr_get(filter, SCMP_FLTATR_ACT_DEFAULT, &others) == 0 &&
       others == SCMP_ACT_ERRNO(EPERM)))
    return true;
  return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), number, count,
                                arguments) == 0;
}

static bool refuse_processes(scmp_filter_ctx filter) {
  static const char *const calls[] = {"fork", "vfork", "execve", "execveat",
                                      "sched_setscheduler"};
  const struct scmp_arg_cmp process =
      SCMP_CMP(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0);
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    if (!refuse_call(filter, calls[i], 0, NULL))
      return false;
  return refuse_call(filter, "clone", 1, &process);
}

/* Threads, and no processes.  clone3() keeps its flags where no filter can
 * read them: without it libraries call clone(). */
static bool let_threads(scmp_filter_ctx filter) {
  int clone3 = seccomp_syscall_resolve_name("clone3");
  return let_one(
             filter, "clone",
             SCMP_CMP(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) &&
         (clone3 < 0 ||
          seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), clone3, 0) == 0) &&
         refuse_processes(filter);
}

/* Nothing is code that can be written. */
static bool let_memory(scmp_filter_ctx filter) {
  static const char *const calls[] = {"mmap", "mmap2", "mprotect"};
  static const unsigned rights[] = {0, PROT_WRITE, PROT_EXEC};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    for (size_t r = 0; r < sizeof rights / sizeof *rights; r++)
      if (!let_one(filter, calls[i],
                   SCMP_CMP(2, SCMP_CMP_MASKED_EQ, RIGHTS_OF_CODE, rights[r])))
        return false;
  return true;
}

/* Of `local`, which takes rights from a file, and of descriptors. */
static bool let_files(scmp_filter_ctx filter) {
  return let_one(filter, "fchmodat", equals(2, S_IRUSR)) &&
         let_one(filter, "utimensat", SCMP_CMP(1, SCMP_CMP_EQ, 0, 0));
}

static bool let_requests(scmp_filter_ctx filter) {
  static const uint32_t requests[] = {
      FIONREAD, FIONBIO,    FIOCLEX,         FIONCLEX,     TCGETS,
      TIOCOUTQ, TIOCGWINSZ, FICLONE_REQUEST, SIOCGIFINDEX, SIOCGIFNAME};
  static const uint32_t options[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE,
                                     0x53564d41 /* PR_SET_VMA */};
  return let_values(filter, "ioctl", 1, requests,
                    sizeof requests / sizeof *requests) &&
         let_values(filter, "prctl", 0, options,
                    sizeof options / sizeof *options);
}

/* Of nobody but itself. */
static bool let_own(scmp_filter_ctx filter) {
  uint32_t self = (uint32_t)getpid();
  return let_one(filter, "kill", equals(0, self)) &&
         let_one(filter, "tgkill", equals(0, self)) &&
         let_one(filter, "setpriority", /* a thread's */
                 equals(0, PRIO_PROCESS)) &&
         let_one(filter, "prlimit64", equals(0, 0)) &&
         let_one(filter, "prlimit64", equals(0, self));
}

static bool let_all(scmp_filter_ctx filter) {
  for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
    if (!let(filter, allowed[i], 0, NULL))
      return false;
  return let_sockets(filter) && let_threads(filter) && let_memory(filter) &&
         let_files(filter) && let_requests(filter) && let_own(filter);
}

static void learn_names(void) {
  for (int number = 0; number < REFUSAL_CALLS; number++) {
    char *name =
        seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number);
    if (name != NULL)
      refusal_name(number, name);
    free(name);
  }
}

bool syscalls_apply(struct errmsg *errmsg) {
  learn_names();
  scmp_filter_ctx filter =
      seccomp_init(refusal_watch() ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(EPERM));
  int error = filter == NULL ? -ENOMEM : 0;
  if (error == 0 && !let_all(filter))
    error = -EINVAL;
  if (error == 0)
    error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
  if (error == 0) /* a tree: each call is looked up in the list */
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  if (error == 0)
    error = seccomp_load(filter);
  seccomp_release(filter);
  return error == 0 || errmsg_set(errmsg, "seccomp: %s", strerror(-error));
}

#else

bool syscalls_apply(struct errmsg *errmsg) {
  return errmsg_set(errmsg, "this build has no libseccomp");
}

#endif
