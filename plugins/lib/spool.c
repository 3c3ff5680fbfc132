/* SPDX-License-Identifier: MIT
 *
 * Appending to a spool, and freeing it.  The loop's thread copies into memory;
 * as soon as that doesn't do, a thread of the pool writes all of it to a file,
 * and from then on everything goes there.
 */
#include "spool_private.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_MIN (16u * 1024)

static void dispose(struct spool *spool) {
  void (*released)(void *) = spool->released;
  void *arg = spool->released_arg;
  struct spool_fetch *fetch;
  while ((fetch = LIST_FIRST(&spool->fetches)) != NULL) {
    LIST_REMOVE(fetch, link);
    free(fetch);
  }
  atomic_fetch_sub(&spool->settings->used, spool->charged);
  event_free(spool->later);
  free(spool->memory);
  free(spool);
  if (released != NULL)
    released(arg);
}

static void say_added(struct spool *spool) {
  struct spool_add *add = &spool->add;
  add->busy = false;
  add->added(add->arg, add->status,
             add->status == SLUICE_OK ? "" : spool->why);
}

static void on_later(evutil_socket_t fd, short what, void *arg) {
  struct spool *spool = arg;
  (void)fd, (void)what;
  if (spool->freed)
    dispose(spool);
  else
    say_added(spool);
}

struct spool *spool_new(struct sluice_host *host,
                        struct spool_settings *settings) {
  struct spool *spool = calloc(1, sizeof *spool);
  if (spool == NULL)
    return NULL;
  spool->host = host;
  spool->settings = settings;
  spool->fd = -1;
  LIST_INIT(&spool->fetches);
  spool->later = event_new(sluice_loop(host), -1, 0, on_later, spool);
  if (spool->later == NULL) {
    free(spool);
    return NULL;
  }
  return spool;
}

void spool_expect(struct spool *spool, uint64_t length) {
  spool->large = length > spool->settings->memory;
}

void spool_digest(struct spool *spool, struct digest *digest) {
  assert(!spool->add.busy);
  spool->digest = digest;
}

uint64_t spool_length(const struct spool *spool) {
  return spool->length;
}

/* Closing gives the file's blocks back, which takes its time. */
static void close_work(void *arg) {
  const struct spool *spool = arg;
  close(spool->fd);
}

static void close_then(void *arg) {
  dispose(arg);
}

static void leave(struct spool *spool) {
  if (spool->fd >= 0)
    sluice_work(spool->host, close_work, close_then, spool);
  else
    event_active(spool->later, EV_TIMEOUT, 1);
}

bool spool_job_over(struct spool *spool) {
  assert(spool->jobs > 0);
  spool->jobs--;
  if (spool->freed && spool->jobs == 0)
    leave(spool);
  return spool->freed;
}

void spool_free(struct spool *spool, void (*released)(void *arg), void *arg) {
  assert(!spool->freed);
  spool->freed = true;
  spool->released = released;
  spool->released_arg = arg;
  event_del(spool->later);
  if (spool->jobs == 0)
    leave(spool);
}

static void fail(struct spool *spool, enum sluice_status status,
                 const char *what, int error) {
  spool->add.status = status;
  snprintf(spool->why, sizeof spool->why, "%s %s%s%s", what,
           spool->settings->directory, error != 0 ? ": " : "",
           error != 0 ? strerrordesc_np(error) : "");
}

/* Room for so many bytes more in all files; false: that's beyond the bound. */
static bool charge(struct spool *spool, uint64_t bytes) {
  struct spool_settings *settings = spool->settings;
  uint64_t used = atomic_load(&settings->used);
  do {
    if (settings->max != 0 &&
        (used > settings->max || bytes > settings->max - used))
      return false;
  } while (
      !atomic_compare_exchange_weak(&settings->used, &used, used + bytes));
  spool->charged += bytes;
  return true;
}

static void write_work(void *arg) {
  struct spool *spool = arg;
  struct spool_add *add = &spool->add;
  bool first = spool->fd < 0;
  add->fd = first ? spool_file_open(spool->settings->directory) : spool->fd;
  bool written = add->fd >= 0 &&
                 (!first || spool_file_write(add->fd, spool->memory,
                                             (size_t)spool->length, 0)) &&
                 spool_file_write(add->fd, add->data, add->len, spool->length);
  add->error = written ? 0 : errno;
  if (written && spool->digest != NULL)
    digest_update(spool->digest, add->data, add->len);
  if (written || add->fd < 0)
    return;
  /* What was written in vain takes no room. */
  if (!first) {
    if (ftruncate(add->fd, (off_t)spool->length) != 0)
      add->error = EIO;
    return;
  }
  close(add->fd);
  add->fd = -1;
}

static void write_then(void *arg) {
  struct spool *spool = arg;
  struct spool_add *add = &spool->add;
  spool->fd = add->fd;
  if (add->error != 0) {
    bool full = add->error == ENOSPC || add->error == EDQUOT;
    fail(spool, full ? SLUICE_ENOSPC : SLUICE_EIO, "can't write to a file in",
         add->error);
    atomic_fetch_sub(&spool->settings->used, add->charge);
    spool->charged -= add->charge;
  } else {
    spool->length += add->len;
    free(spool->memory);
    spool->memory = NULL;
  }
  if (!spool_job_over(spool))
    say_added(spool);
}

/* False: no memory for it. */
static bool remember(struct spool *spool, const void *data, size_t len) {
  size_t wanted = (size_t)spool->length + len;
  size_t room = spool->room > MEMORY_MIN ? spool->room : MEMORY_MIN;
  while (room < wanted && room <= SIZE_MAX / 2)
    room *= 2;
  if (room > spool->settings->memory)
    room = spool->settings->memory;
  if (room > spool->room) {
    char *memory = realloc(spool->memory, room);
    if (memory == NULL)
      return false;
    spool->memory = memory;
    spool->room = room;
  }
  if (len > 0)
    memcpy(spool->memory + spool->length, data, len);
  spool->length += len;
  return true;
}

void spool_add(struct spool *spool, const void *data, size_t len,
               void (*added)(void *arg, enum sluice_status, const char *why),
               void *arg) {
  assert(!spool->freed && !spool->add.busy && spool->sums == 0);
  struct spool_add *add = &spool->add;
  *add = (struct spool_add){.data = data,
                            .len = len,
                            .busy = true,
                            .status = SLUICE_OK,
                            .added = added,
                            .arg = arg};
  if (spool->fd < 0 && !spool->large &&
      spool->length <= spool->settings->memory &&
      len <= spool->settings->memory - spool->length) {
    if (!remember(spool, data, len))
      fail(spool, SLUICE_ENOMEM, "no memory to write later to", 0);
    else if (spool->digest != NULL)
      digest_update(spool->digest, data, len);
    event_active(spool->later, EV_TIMEOUT, 1);
    return;
  }
  add->charge = len + (spool->fd < 0 ? spool->length : 0);
  if (!charge(spool, add->charge)) {
    fail(spool, SLUICE_ENOSPC, "too much waits already in", 0);
    event_active(spool->later, EV_TIMEOUT, 1);
    return;
  }
  spool->jobs++;
  sluice_work(spool->host, write_work, write_then, spool);
}
