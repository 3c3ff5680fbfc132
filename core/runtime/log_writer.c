/* SPDX-License-Identifier: MIT
 *
 * The log's thread: the only one that waits for standard error.  One write(2)
 * a line, so that the lines of processes that share a pipe aren't mixed.
 *
 * Its state is the process's, as standard error is.
 */
#include "log_writer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"
#include "log_queue.h"

#define STACK_SIZE (256u * 1024)
#define LOOK_MS 2            /* between two looks at what is written */
#define SETTLE_MAX_MS 15000u /* also with a log that gets on */

static struct log_writer {
  pthread_mutex_t lock; /* guards what follows, up to the thread */
  pthread_cond_t some;
  struct log_queue queue;
  bool ending;
  pthread_t thread;
  atomic_bool running, busy; /* something isn't written yet */
  atomic_uint written;       /* a count of calls */
} log_writer = {.lock = PTHREAD_MUTEX_INITIALIZER,
                .some = PTHREAD_COND_INITIALIZER};

/* False: it isn't written, and never will be. */
static bool write_line(const char *line, size_t len) {
  struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
  while (len > 0) {
    ssize_t n = write(STDERR_FILENO, line, len);
    if (n > 0) {
      line += n;
      len -= (size_t)n;
    } else if (n < 0 && errno == EAGAIN) { /* somebody made it so */
      poll(&ready, 1, -1);
    } else if (n == 0 || errno != EINTR) {
      return false;
    }
  }
  return true;
}

static bool write_note(uint64_t dropped) {
  char note[LOG_LINE_MAX];
  size_t n = log_head(note, sizeof note, "warn", NULL);
  n += (size_t)snprintf(note + n, sizeof note - n,
                        "%llu line%s dropped: the log was read too slowly, "
                        "or could not be written\n",
                        (unsigned long long)dropped,
                        dropped == 1 ? " was" : "s were");
  return write_line(note, n);
}

/* A line that can't be written is told of with the next one that can. */
static void *writer_thread(void *arg) {
  struct log_writer *writer = arg;
  char line[LOG_LINE_MAX];
  uint64_t lost = 0;
  for (;;) {
    pthread_mutex_lock(&writer->lock);
    struct log_queue_next next = log_queue_take(&writer->queue, line);
    while (next.len == 0 && next.dropped == 0 && !writer->ending) {
      atomic_store(&writer->busy, false);
      pthread_cond_wait(&writer->some, &writer->lock);
      next = log_queue_take(&writer->queue, line);
    }
    pthread_mutex_unlock(&writer->lock);
    if (next.len == 0 && next.dropped == 0)
      return NULL;
    lost += next.dropped;
    if (lost > 0 && write_note(lost))
      lost = 0;
    if (next.len > 0)
      lost += !write_line(line, next.len);
    atomic_fetch_add(&writer->written, 1);
  }
}

/* Without the thread: waits, but not for ever. */
static void put_alone(const char *line, size_t len) {
  struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
  if (poll(&ready, 1, LOG_PATIENCE_MS) == 1) {
    ssize_t n = write(STDERR_FILENO, line, len);
    (void)n; /* there is nowhere to report it */
  }
}

void log_put(const char *line, size_t len) {
  struct log_writer *writer = &log_writer;
  if (!atomic_load(&writer->running)) {
    put_alone(line, len);
    return;
  }
  pthread_mutex_lock(&writer->lock);
  bool idle = writer->queue.used == 0;
  log_queue_add(&writer->queue, line, len);
  atomic_store(&writer->busy, true);
  if (idle)
    pthread_cond_signal(&writer->some);
  pthread_mutex_unlock(&writer->lock);
}

bool log_start(void) {
  struct log_writer *writer = &log_writer;
  pthread_attr_t attr;
  sigset_t all, before;
  char *bytes = malloc(LOG_QUEUE_SIZE);
  if (bytes == NULL)
    return false;
  writer->queue = (struct log_queue){.bytes = bytes, .size = LOG_QUEUE_SIZE};
  writer->ending = false;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, STACK_SIZE);
  sigfillset(&all);        /* signals are for the main thread */
  sigdelset(&all, SIGSYS); /* but for a system call that is refused */
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&writer->thread, &attr, writer_thread, writer);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attr);
  if (error != 0)
    free(bytes);
  atomic_store(&writer->running, error == 0);
  return error == 0;
}

void log_settle(int ms) {
  const struct log_writer *writer = &log_writer;
  unsigned before = atomic_load(&writer->written);
  int stood = 0;
  for (unsigned waited = 0;
       atomic_load(&writer->busy) && stood < ms && waited < SETTLE_MAX_MS;
       waited += LOOK_MS) {
    poll(NULL, 0, LOOK_MS);
    unsigned now = atomic_load(&writer->written);
    stood = now == before ? stood + LOOK_MS : 0;
    before = now;
  }
}

/* A thread that hangs in write(2) can't be ended: it keeps what it has, and
 * the process ends with it. */
void log_stop(void) {
  struct log_writer *writer = &log_writer;
  if (!atomic_load(&writer->running))
    return;
  log_settle(LOG_PATIENCE_MS);
  atomic_store(&writer->running, false);
  if (atomic_load(&writer->busy)) {
    pthread_detach(writer->thread);
    return;
  }
  pthread_mutex_lock(&writer->lock);
  writer->ending = true;
  pthread_cond_signal(&writer->some);
  pthread_mutex_unlock(&writer->lock);
  pthread_join(writer->thread, NULL);
  free(writer->queue.bytes);
  writer->queue.bytes = NULL;
}
