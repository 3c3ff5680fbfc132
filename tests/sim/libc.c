/* SPDX-License-Identifier: MIT
 *
 * The words by which programs ask libc to wait, to know the time, to have
 * threads, to get random bytes, and to write what lasts, as the simulation
 * understands them.  The gateway, its plugins and its libraries call these in
 * place of libc's, as the program that is linked defines them.  Before a
 * simulation begins, and for what isn't simulated, they ask the kernel.
 */
#undef _FORTIFY_SOURCE /* its inline functions have these names */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "chance.h"
#include "libc.h"
#include "schedule.h"

#define EPOCH_S 1780000000   /* when simulations take place */
#define YIELDS 25            /* of a hundred locks others go first */
#define SPURIOUS 20          /* of a thousand waits end for no reason */
#define FOREVER_S 1000000000 /* a moment beyond is a date */

static struct libc_faults libc_faults;

void libc_set_faults(const struct libc_faults *faults) {
  libc_faults = *faults;
}

/* ---- time --------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (!schedule_is_on() || clock == CLOCK_THREAD_CPUTIME_ID ||
      clock == CLOCK_PROCESS_CPUTIME_ID)
    return (int)syscall(SYS_clock_gettime, clock, now);
  uint64_t us = schedule_now_us();
  now->tv_sec = (time_t)(us / 1000000);
  now->tv_nsec = (long)(us % 1000000) * 1000;
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
    now->tv_sec += EPOCH_S;
  return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec at;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &at);
  *now = (struct timeval){.tv_sec = at.tv_sec, .tv_usec = at.tv_nsec / 1000};
  return 0;
}

time_t time(time_t *out) {
  struct timespec at;
  clock_gettime(CLOCK_REALTIME, &at);
  if (out != NULL)
    *out = at.tv_sec;
  return at.tv_sec;
}

int timespec_get(struct timespec *now, int base) {
  clock_gettime(CLOCK_REALTIME, now);
  return base;
}

int nanosleep(const struct timespec *wanted, struct timespec *left) {
  if (!schedule_is_on())
    return (int)syscall(SYS_nanosleep, wanted, left);
  schedule_sleep((uint64_t)wanted->tv_sec * 1000000 +
                 (uint64_t)wanted->tv_nsec / 1000);
  return 0;
}

int usleep(useconds_t us) {
  const struct timespec wanted = {.tv_sec = us / 1000000,
                                  .tv_nsec = (long)(us % 1000000) * 1000};
  return nanosleep(&wanted, NULL);
}

static uint64_t until_us(int ms) {
  return ms < 0 ? SCHEDULE_NEVER : schedule_now_us() + (uint64_t)ms * 1000;
}

/* ---- descriptors -------------------------------------------------------- */

static int ask_poll(struct pollfd *fds, nfds_t count, int ms) {
  const struct timespec wait = {.tv_sec = ms / 1000,
                                .tv_nsec = (long)(ms % 1000) * 1000000};
  return (int)syscall(SYS_ppoll, fds, count, ms < 0 ? NULL : &wait, NULL, 8);
}

int poll(struct pollfd *fds, nfds_t count, int ms) {
  if (!schedule_is_on())
    return ask_poll(fds, count, ms);
  int ready = ask_poll(fds, count, 0);
  if (ready != 0 || ms == 0)
    return ready;
  if (count == 0)
    schedule_sleep((uint64_t)ms * 1000);
  else if (schedule_wait_fds(fds, count, until_us(ms)))
    return ask_poll(fds, count, 0);
  return 0;
}

static int ask_epoll(int fd, struct epoll_event *events, int most, int ms) {
  return (int)syscall(SYS_epoll_pwait, fd, events, most, ms, NULL, 8);
}

/* Events that are ready come in any order, and not all of them at once. */
static int take_ready(int fd, struct epoll_event *events, int most) {
  int n = ask_epoll(fd, events, 1 + (int)chance_below((uint64_t)most), 0);
  for (int i = n - 1; i > 0; i--) {
    int k = (int)chance_below((uint64_t)i + 1);
    struct epoll_event event = events[i];
    events[i] = events[k];
    events[k] = event;
  }
  return n;
}

int epoll_wait(int fd, struct epoll_event *events, int most, int ms) {
  if (!schedule_is_on())
    return ask_epoll(fd, events, most, ms);
  struct pollfd self = {.fd = fd, .events = POLLIN};
  if (ms == 0)
    schedule_yield();
  else
    schedule_wait_fds(&self, 1, until_us(ms));
  return take_ready(fd, events, most);
}

/* The way to a client takes little or much before the client takes it. */
int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags) {
  int accepted = (int)syscall(SYS_accept4, fd, address, len, flags);
  if (accepted >= 0 && schedule_is_on()) {
    int size = 2048 << chance_below(8);
    setsockopt(accepted, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }
  return accepted;
}

ssize_t getrandom(void *out, size_t size, unsigned flags) {
  if (!schedule_is_on())
    return syscall(SYS_getrandom, out, size, flags);
  for (size_t i = 0; i < size; i++)
    ((unsigned char *)out)[i] = (unsigned char)(chance_next() >> 56);
  return (ssize_t)size;
}

/* ---- threads ------------------------------------------------------------ */

pthread_t pthread_self(void) {
  static pthread_t (*real)(void);
  if (schedule_is_on() && !schedule_is_first())
    return (pthread_t)(uintptr_t)schedule_self();
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_self");
  return real();
}

int pthread_getattr_np(pthread_t thread, pthread_attr_t *attr) {
  static int (*real)(pthread_t, pthread_attr_t *);
  if (schedule_is_on() && schedule_is_task((const void *)thread))
    return ENOENT;
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_getattr_np");
  return real(thread, attr);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                   void *(*run)(void *), void *arg) {
  static unsigned count;
  char name[16];
  (void)attr;
  if (!schedule_is_on())
    trace_found("a thread begins before the simulation");
  snprintf(name, sizeof name, "thread%u", count++);
  struct task *task = schedule_add(name, run, arg);
  if (task == NULL)
    return EAGAIN;
  *thread = (pthread_t)(uintptr_t)task;
  return 0;
}

int pthread_join(pthread_t thread, void **result) {
  void *got = schedule_join((struct task *)(uintptr_t)thread);
  if (result != NULL)
    *result = got;
  return 0;
}

int pthread_mutex_trylock(pthread_mutex_t *mutex) {
  static int (*real)(pthread_mutex_t *);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_trylock");
  int error = real(mutex);
  if (error == 0 && schedule_is_on())
    schedule_locked(1);
  return error;
}

/* Nobody goes on who could find it locked, but for those who wait for a
 * condition while they hold another one. */
int pthread_mutex_lock(pthread_mutex_t *mutex) {
  int error;
  if (schedule_is_on() && chance_percent(YIELDS))
    schedule_yield();
  while ((error = pthread_mutex_trylock(mutex)) == EBUSY)
    schedule_sleep(1);
  return error;
}

static int unlock(pthread_mutex_t *mutex) {
  static int (*real)(pthread_mutex_t *);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_unlock");
  int error = real(mutex);
  if (error == 0 && schedule_is_on())
    schedule_locked(-1);
  return error;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex) {
  int error = unlock(mutex);
  if (schedule_is_on() && chance_percent(YIELDS))
    schedule_yield();
  return error;
}

/* Nobody is woken in vain between the two. */
static int wait_for(pthread_cond_t *cond, pthread_mutex_t *mutex,
                    uint64_t until) {
  if (chance_permille(SPURIOUS))
    until = schedule_now_us();
  unlock(mutex);
  bool woken = schedule_wait(cond, until);
  pthread_mutex_lock(mutex);
  return woken ? 0 : ETIMEDOUT;
}

int pthread_cond_wait(pthread_cond_t *restrict cond,
                      pthread_mutex_t *restrict mutex) {
  wait_for(cond, mutex, SCHEDULE_NEVER);
  return 0;
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond,
                           pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until) {
  time_t seconds = until->tv_sec;
  if (seconds > FOREVER_S)
    seconds -= EPOCH_S;
  uint64_t us = (uint64_t)seconds * 1000000 + (uint64_t)until->tv_nsec / 1000;
  int error = wait_for(cond, mutex, us);
  return error != 0 && schedule_now_us() < us ? 0 : error;
}

int pthread_cond_signal(pthread_cond_t *cond) {
  schedule_wake(cond, false);
  return 0;
}

int pthread_cond_broadcast(pthread_cond_t *cond) {
  schedule_wake(cond, true);
  return 0;
}

/* ---- the disk ----------------------------------------------------------- */

static bool is_file(int fd) {
  struct stat st;
  return schedule_is_on() && fd > STDERR_FILENO && fstat(fd, &st) == 0 &&
         S_ISREG(st.st_mode);
}

static int sync_fd(int fd) {
  if (!schedule_is_on())
    return (int)syscall(SYS_fsync, fd);
  schedule_yield();
  if (!chance_fault(FAULT_SYNC, libc_faults.sync))
    return 0;
  trace("fsync: EIO");
  errno = EIO;
  return -1;
}

int fsync(int fd) {
  return sync_fd(fd);
}

int fdatasync(int fd) {
  return sync_fd(fd);
}

static bool is_full(int fd) {
  if (!is_file(fd) || !chance_fault(FAULT_FULL, libc_faults.full))
    return false;
  trace("write: ENOSPC");
  errno = ENOSPC;
  return true;
}

ssize_t write(int fd, const void *data, size_t size) {
  return is_full(fd) ? -1 : syscall(SYS_write, fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
  return is_full(fd) ? -1 : syscall(SYS_pwrite64, fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) {
  return pwrite(fd, data, size, at);
}
