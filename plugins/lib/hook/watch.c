/* SPDX-License-Identifier: MIT
 *
 * A file that is read again when it changes.  Its state belongs to the loop; a
 * reader, which has its own memory, is all that a thread of the pool touches.
 * At most one runs at a time.
 */
#include "watch.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "date.h"
#include "digest.h"

/* A file that was written less than this before it was read may be written
 * again without its times showing it: file systems count in ticks, some in
 * seconds.  So it is read once more. */
#define SETTLED_MS 3000

struct stamp {
  dev_t device;
  ino_t inode;
  off_t size;
  struct timespec modified, changed;
  int error; /* errno, when it can't even be looked at */
};

struct reader {
  struct watch *watch; /* NULL: it was freed meanwhile */
  struct watch_file file;
  struct stamp last;
  bool force;

  struct stamp stamp; /* of what was read */
  bool settled, read;
  void *parsed; /* NULL: `why` */
  struct errmsg why;
};

struct watch {
  struct sluice_host *host;
  struct watch_file file;
  struct event *timer;
  struct reader *reader; /* at work, or NULL */
  bool again;            /* watch_now() came meanwhile */
  void *parsed;
  struct stamp stamp;
  bool settled;
  unsigned char failure[DIGEST_SHA256_LEN]; /* that was logged last */
};

/* ---- the file, on any thread -------------------------------------------- */

static bool same_time(struct timespec a, struct timespec b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_stamp(const struct stamp *a, const struct stamp *b) {
  return a->error == b->error && a->device == b->device &&
         a->inode == b->inode && a->size == b->size &&
         same_time(a->modified, b->modified) &&
         same_time(a->changed, b->changed);
}

static struct stamp stamp_of(const struct stat *st) {
  return (struct stamp){.device = st->st_dev,
                        .inode = st->st_ino,
                        .size = st->st_size,
                        .modified = st->st_mtim,
                        .changed = st->st_ctim};
}

static struct stamp watch_look(const char *path) {
  struct stat st;
  if (stat(path, &st) != 0)
    return (struct stamp){.error = errno};
  return stamp_of(&st);
}

static bool is_settled(const struct stamp *stamp) {
  int64_t ms =
      (int64_t)stamp->changed.tv_sec * 1000 + stamp->changed.tv_nsec / 1000000;
  int64_t age = date_now_ms() - ms;
  return stamp->error == 0 && age > SETTLED_MS;
}

static bool unreadable(const struct watch_file *file, int error,
                       struct errmsg *err) {
  return errmsg_set(err,
                    "%.200s: can't be read: %s; mend its name or its "
                    "permissions",
                    file->path, strerror(error));
}

/* One byte more than it may have, so that a file that grows is noticed. */
static ssize_t watch_read_all(int fd, char *data, size_t max) {
  size_t len = 0;
  while (len <= max) {
    ssize_t got = read(fd, data + len, max + 1 - len);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return -1;
    if (got == 0)
      break;
    len += (size_t)got;
  }
  return (ssize_t)len;
}

static void *watch_parse(const struct watch_file *file, int fd,
                         struct errmsg *err) {
  void *parsed = NULL;
  char *data = malloc(file->max + 2);
  if (data == NULL) {
    errmsg_set(err, "%.200s: no memory to read it", file->path);
    return NULL;
  }
  ssize_t len = watch_read_all(fd, data, file->max);
  if (len < 0) {
    unreadable(file, errno, err);
  } else if ((size_t)len > file->max) {
    errmsg_set(err, "%.200s: is longer than %zu bytes; shorten it", file->path,
               file->max);
  } else {
    data[len] = '\0';
    parsed = file->parse(data, (size_t)len, file->arg, err);
  }
  digest_wipe(data, file->max + 2);
  free(data);
  return parsed;
}

/* O_NONBLOCK: a pipe of that name must not hold the thread. */
static void *watch_read_file(const struct watch_file *file,
                             struct stamp *stamp, struct errmsg *err) {
  struct stat st;
  void *parsed = NULL;
  int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0 || fstat(fd, &st) != 0) {
    *stamp = (struct stamp){.error = errno};
    unreadable(file, errno, err);
  } else {
    *stamp = stamp_of(&st);
    if (S_ISREG(st.st_mode))
      parsed = watch_parse(file, fd, err);
    else
      errmsg_set(err, "%.200s: isn't a file; name one", file->path);
  }
  if (fd >= 0)
    close(fd);
  return parsed;
}

void *watch_read(const struct watch_file *file, struct errmsg *err) {
  struct stamp stamp;
  return watch_read_file(file, &stamp, err);
}

static void on_thread(void *arg) {
  struct reader *reader = arg;
  struct stamp now = watch_look(reader->file.path);
  if (!reader->force && same_stamp(&now, &reader->last))
    return;
  reader->read = true;
  reader->parsed =
      watch_read_file(&reader->file, &reader->stamp, &reader->why);
  reader->settled = is_settled(&reader->stamp);
}

/* ---- the loop ----------------------------------------------------------- */

static void watch_schedule(struct watch *watch) {
  int64_t ms = watch->file.interval_ms;
  if (ms <= 0)
    return;
  if (ms < WATCH_INTERVAL_MIN_MS)
    ms = WATCH_INTERVAL_MIN_MS;
  struct timeval wait = {.tv_sec = ms / 1000,
                         .tv_usec = (suseconds_t)(ms % 1000) * 1000};
  event_add(watch->timer, &wait);
}

static void add_stamp(struct buf *out, const struct stamp *stamp) {
  buf_addf(out, "%ju %ju %jd %jd.%ld %jd.%ld %d ", (uintmax_t)stamp->device,
           (uintmax_t)stamp->inode, (intmax_t)stamp->size,
           (intmax_t)stamp->modified.tv_sec, stamp->modified.tv_nsec,
           (intmax_t)stamp->changed.tv_sec, stamp->changed.tv_nsec,
           stamp->error);
}

/* Is this loop the one that says it?  No version has another's times; but a
 * file that is missing is so each time, and what came before tells which. */
static bool is_first(const struct watch *watch, const struct stamp *stamp,
                     const char *text) {
  unsigned char sum[DIGEST_SHA256_LEN];
  uint_least64_t number = 0;
  struct watch_told *told = watch->file.told;
  struct buf all;
  if (told == NULL)
    return true;
  buf_init(&all, ERRMSG_MAX + 512);
  add_stamp(&all, stamp);
  if (stamp->error != 0)
    add_stamp(&all, &watch->stamp);
  buf_adds(&all, text);
  digest_sha256(sum, all.data, all.len);
  buf_fini(&all);
  memcpy(&number, sum, sizeof number);
  /* Each number has one place, so that asking and noting is one step. */
  return atomic_exchange(&told->numbers[number % WATCH_TOLD_MAX], number) !=
         number;
}

static void watch_miss(struct watch *watch, const struct reader *reader) {
  unsigned char failure[DIGEST_SHA256_LEN];
  digest_sha256(failure, reader->why.text, strlen(reader->why.text));
  bool known = same_stamp(&watch->stamp, &reader->stamp) &&
               digest_equal(failure, watch->failure, sizeof failure);
  memcpy(watch->failure, failure, sizeof failure);
  if (!known && is_first(watch, &reader->stamp, reader->why.text))
    sluice_log(watch->host, SLUICE_LOG_ERROR,
               "%s; what was read before stays in force", reader->why.text);
}

static void watch_take(struct watch *watch, struct reader *reader) {
  bool other = !same_stamp(&watch->stamp, &reader->stamp);
  memset(watch->failure, 0, sizeof watch->failure);
  watch->file.free(watch->parsed);
  watch->parsed = reader->parsed;
  reader->parsed = NULL;
  if (other && is_first(watch, &reader->stamp, ""))
    sluice_log(watch->host, SLUICE_LOG_INFO, "%s was read again",
               watch->file.path);
}

static void watch_start(struct watch *watch, bool force);

static void watch_on_read(void *arg) {
  struct reader *reader = arg;
  struct watch *watch = reader->watch;
  if (watch != NULL) {
    watch->reader = NULL;
    if (reader->parsed != NULL)
      watch_take(watch, reader);
    else if (reader->read)
      watch_miss(watch, reader);
    if (reader->read) {
      watch->stamp = reader->stamp;
      watch->settled = reader->settled;
    }
    if (watch->again)
      watch_start(watch, true);
    else
      watch_schedule(watch);
  } else if (reader->parsed != NULL) {
    reader->file.free(reader->parsed);
  }
  free(reader);
}

static void watch_start(struct watch *watch, bool force) {
  event_del(watch->timer);
  watch->again = false;
  struct reader *reader = calloc(1, sizeof *reader);
  if (reader == NULL) {
    watch_schedule(watch);
    return;
  }
  reader->watch = watch;
  reader->file = watch->file;
  reader->last = watch->stamp;
  reader->force = force || !watch->settled;
  watch->reader = reader;
  sluice_work(watch->host, on_thread, watch_on_read, reader);
}

static void watch_on_timer(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  watch_start(arg, false);
}

/* ---- its life ----------------------------------------------------------- */

struct watch *watch_new(struct sluice_host *host,
                        const struct watch_file *file, void *parsed) {
  struct watch *watch = calloc(1, sizeof *watch);
  struct event *timer =
      watch == NULL ? NULL
                    : evtimer_new(sluice_loop(host), watch_on_timer, watch);
  if (timer == NULL) {
    file->free(parsed);
    free(watch);
    return NULL;
  }
  watch->host = host;
  watch->file = *file;
  watch->timer = timer;
  watch->parsed = parsed;
  /* It may have changed between watch_read() and now: not settled, so that
   * the first look reads it. */
  watch->stamp = watch_look(file->path);
  watch_schedule(watch);
  return watch;
}

void watch_free(struct watch *watch) {
  if (watch == NULL)
    return;
  if (watch->reader != NULL)
    watch->reader->watch = NULL; /* only the loop looks at it */
  event_free(watch->timer);
  watch->file.free(watch->parsed);
  free(watch);
}

const void *watch_get(const struct watch *watch) {
  return watch->parsed;
}

void watch_now(struct watch *watch) {
  if (watch->reader != NULL)
    watch->again = true;
  else
    watch_start(watch, true);
}
