/* SPDX-License-Identifier: MIT
 *
 * A gateway, its plugins and their libraries call these after the start.
 * Names that a processor doesn't have are passed over.  Not here, and so
 * refused: programs and processes of its own, tracing, mounts, namespaces,
 * keys, modules, bpf, io_uring, handles of files, clocks, limits of others,
 * and modes, owners, times and attributes of files that aren't open, as no
 * rule of folders holds for these.
 */
#ifndef SERVER_SYSCALLS_TABLE_H
#define SERVER_SYSCALLS_TABLE_H

static const char *const allowed[] = {
    /* bytes and names */
    "read", "write", "pread64", "pwrite64", "readv", "writev", "preadv",
    "pwritev", "preadv2", "pwritev2", "open", "openat", "openat2", "creat",
    "close", "close_range", "lseek", "_llseek", "fstat", "stat", "lstat",
    "newfstatat", "fstat64", "stat64", "lstat64", "fstatat64", "statx",
    "statfs", "fstatfs", "statfs64", "fstatfs64", "access", "faccessat",
    "faccessat2", "readlink", "readlinkat", "getdents", "getdents64", "mkdir",
    "mkdirat", "rmdir", "unlink", "unlinkat", "rename", "renameat",
    "renameat2", "link", "linkat", "symlink", "symlinkat", "fchmod", "fchown",
    "truncate", "ftruncate", "truncate64", "ftruncate64", "fallocate",
    "fadvise64", "fadvise64_64", "arm_fadvise64_64", "fsync", "fdatasync",
    "sync_file_range", "syncfs", "readahead", "flock", "fcntl", "fcntl64",
    "dup", "dup2", "dup3", "pipe", "pipe2", "sendfile", "sendfile64",
    "copy_file_range", "splice", "tee", "umask", "getcwd", "chdir", "fchdir",
    "getxattr", "lgetxattr", "fgetxattr", "listxattr", "llistxattr",
    "flistxattr", "memfd_create", "inotify_init", "inotify_init1",
    "inotify_add_watch", "inotify_rm_watch",
    /* memory */
    "brk", "munmap", "mremap", "madvise", "msync", "mincore", "mlock",
    "mlock2", "munlock", "membarrier", "get_mempolicy",
    /* threads, and time */
    "futex", "futex_waitv", "futex_time64", "set_robust_list",
    "get_robust_list", "rseq", "set_tid_address", "gettid", "exit",
    "exit_group", "arch_prctl", "sched_yield", "sched_getaffinity",
    "sched_setaffinity", "sched_getparam", "sched_getscheduler",
    "sched_get_priority_min", "sched_get_priority_max", "getcpu", "nanosleep",
    "clock_nanosleep", "clock_nanosleep_time64", "clock_gettime",
    "clock_gettime64", "clock_getres", "clock_getres_time64", "gettimeofday",
    "time", "times", "timer_create", "timer_settime", "timer_settime64",
    "timer_gettime", "timer_delete", "timer_getoverrun", "timerfd_create",
    "timerfd_settime", "timerfd_settime64", "timerfd_gettime", "setitimer",
    "getitimer", "alarm", "pause", "restart_syscall",
    /* signals */
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending",
    "rt_sigtimedwait", "rt_sigsuspend", "sigreturn", "sigaltstack", "signalfd",
    "signalfd4",
    /* sockets */
    "socketpair", "bind", "connect", "accept", "accept4", "getsockname",
    "getpeername", "getsockopt", "setsockopt", "recv", "recvfrom", "recvmsg",
    "recvmmsg", "recvmmsg_time64", "shutdown", "poll", "ppoll", "ppoll_time64",
    "select", "_newselect", "pselect6", "pselect6_time64", "epoll_create",
    "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "eventfd", "eventfd2",
    /* who and how much */
    "getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getresuid",
    "getresgid", "getgroups", "getpgrp", "getpgid", "getsid", "getrusage",
    "getrlimit", "ugetrlimit", "sysinfo", "uname", "getrandom", "getpriority",
    "capget", "wait4", "waitid", "waitpid", "pidfd_open"};

#endif
