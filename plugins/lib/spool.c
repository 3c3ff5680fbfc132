/* SPDX-License-Identifier: MIT
 *
 * Appending to a spool, and freeing it.  The loop's thread copies into memory;
 * as soon as that doesn't do, a thread of the pool writes all of it to a file,
 * and from then on everything goes there.
 */
#include "spool_private.h"

#include <errno.h>
#include <event2/event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"

#define MEMORY_MIN (16u * 1024)
#define MEMORY_STEPS (1024u * 1024) /* beyond, all of it is had at once */

static void spool_forget(struct spool *spool) {
  sluice_memory_give(spool->host, spool->room);
  free(spool->memory);
  spool->memory = NULL;
  spool->room = 0;
}

static void dispose(struct spool *spool) {
  void (*released)(void *) = spool->released;
  void *arg = spool->released_arg;
  struct spool_fetch *fetch;
  while ((fetch = LIST_FIRST(&spool->fetches)) != NULL)
    spool_fetch_free(fetch);
  event_free(spool->later);
  spool_forget(spool);
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
  spool->most = settings->memory;
  spool->file.fd = -1;
  LIST_INIT(&spool->fetches);
  spool->later = event_new(sluice_loop(host), -1, 0, on_later, spool);
  if (spool->later == NULL) {
    free(spool);
    return NULL;
  }
  return spool;
}

void spool_expect(struct spool *spool, uint64_t length) {
  spool->expected = length;
}

void spool_digest(struct spool *spool, struct digest *digest) {
  must(!spool->add.busy);
  spool->digest = digest;
}

void spool_keep_memory(struct spool *spool, size_t most) {
  must(spool->length == 0);
  spool->most = most;
}

uint64_t spool_length(const struct spool *spool) {
  return spool->length;
}

/* Closing gives the file's blocks back, which takes its time. */
static void leave_work(void *arg) {
  struct spool *spool = arg;
  if (spool->spoiled)
    spool_cache_close(spool->settings, &spool->file);
  else
    spool_cache_give(spool->settings, &spool->file);
}

static void leave_then(void *arg) {
  dispose(arg);
}

static void leave(struct spool *spool) {
  if (spool->file.fd >= 0)
    sluice_work(spool->host, leave_work, leave_then, spool);
  else
    event_active(spool->later, EV_TIMEOUT, 1);
}

bool spool_job_over(struct spool *spool) {
  must(spool->jobs > 0);
  spool->jobs--;
  if (spool->freed && spool->jobs == 0)
    leave(spool);
  return spool->freed;
}

void spool_free(struct spool *spool, void (*released)(void *arg), void *arg) {
  must(!spool->freed);
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
           error != 0 ? strerror(error) : "");
}

static bool is_full(int error) {
  return error == ENOSPC || error == EDQUOT;
}

/* The result is for add->error. */
static void open_file(struct spool_settings *settings,
                      struct spool_file *file) {
  file->fd = spool_file_open(settings->directory);
  if (file->fd >= 0)
    atomic_fetch_add(&settings->files, 1);
}

static int try_write(const struct spool *spool, struct spool_add *add) {
  struct spool_settings *settings = spool->settings;
  uint64_t end = spool->length + add->len;
  uint64_t most = spool->expected > end ? spool->expected : end;
  if (add->file.fd < 0 && !spool_cache_take(settings, &add->file, most))
    open_file(settings, &add->file);
  if (add->file.fd < 0)
    return errno;
  if (!spool_cache_charge(settings, &add->file, end))
    return SPOOL_BOUND;
  bool written =
      (spool->memory == NULL || spool_file_write(add->file.fd, spool->memory,
                                                 (size_t)spool->length, 0)) &&
      spool_file_write(add->file.fd, add->data, add->len, spool->length);
  return written ? 0 : errno;
}

static void write_work(void *arg) {
  struct spool *spool = arg;
  struct spool_settings *settings = spool->settings;
  struct spool_add *add = &spool->add;
  add->file = spool->file;
  add->error = try_write(spool, add);
  add->failed = add->error > 0;
  /* Once more in any case: others may have made room. */
  for (bool again = is_full(add->error); again;) {
    again = spool_cache_clear(settings, spool_cache_now());
    add->error = try_write(spool, add);
    again = again && is_full(add->error);
  }
  if (add->error == 0 && spool->digest != NULL)
    digest_update(spool->digest, add->data, add->len);
  if (add->error == 0 || add->file.fd < 0)
    return;
  /* Bytes that were written in vain take no room. */
  if (spool->file.fd < 0)
    spool_cache_close(settings, &add->file);
  else if (add->failed &&
           !spool_cache_cut(settings, &add->file, spool->length))
    add->error = EIO;
}

static void write_then(void *arg) {
  struct spool *spool = arg;
  struct spool_add *add = &spool->add;
  spool->file = add->file;
  spool->spoiled |= add->failed;
  if (add->error == SPOOL_BOUND) {
    fail(spool, SLUICE_ENOSPC,
         spool->settings->max != 0
             ? "as much as spool_max waits already in"
             : "a quarter of what the disk has left waits already in",
         0);
  } else if (add->error != 0) {
    fail(spool, is_full(add->error) ? SLUICE_ENOSPC : SLUICE_EIO,
         "can't write to a file in", add->error);
  } else {
    spool->length += add->len;
    spool_forget(spool);
  }
  if (!spool_job_over(spool))
    say_added(spool);
}

/* False: there is no memory for it, so that it goes to the file. */
static bool remember(struct spool *spool, const void *data, size_t len) {
  size_t wanted = (size_t)spool->length + len;
  size_t room = spool->room > MEMORY_MIN ? spool->room : MEMORY_MIN;
  while (room < wanted && room <= SIZE_MAX / 2)
    room *= 2;
  if (room > spool->most || room > MEMORY_STEPS)
    room = spool->most;
  if (room > spool->room) {
    size_t more = room - spool->room;
    if (!sluice_memory_take(spool->host, more))
      return false;
    char *memory = realloc(spool->memory, room);
    if (memory == NULL) {
      sluice_memory_give(spool->host, more);
      return false;
    }
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
  must(!spool->freed && !spool->add.busy && spool->sums == 0);
  struct spool_add *add = &spool->add;
  *add = (struct spool_add){.data = data,
                            .len = len,
                            .busy = true,
                            .status = SLUICE_OK,
                            .added = added,
                            .arg = arg};
  if (spool->file.fd < 0 && spool->expected <= spool->most &&
      spool->length <= spool->most && len <= spool->most - spool->length &&
      remember(spool, data, len)) {
    if (spool->digest != NULL)
      digest_update(spool->digest, data, len);
    event_active(spool->later, EV_TIMEOUT, 1);
    return;
  }
  spool->jobs++;
  sluice_work(spool->host, write_work, write_then, spool);
}
