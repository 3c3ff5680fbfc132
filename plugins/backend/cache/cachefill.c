/* SPDX-License-Identifier: MIT
 *
 * One fetch of an object for all who read it: the storage's chunks go to a
 * file on threads of the pool, and readers of all loops read that file.  It is
 * asked for on behalf of no operation, so that it outlives the one that began
 * it; with no reader left it goes on for `linger`, then it is canceled.  So
 * is a check, which reads an entry's bytes once after each start.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cachelayer.h"
#include "cacheopen.h"
#include "clock.h"
#include "codec.h"

#define STEP (1024 * 1024) /* bytes of a file that one job copies */
#define BUFFER 65536       /* on the stack of a thread */

struct cachefill {
  TAILQ_ENTRY(cachefill) link;
  struct cache_handle *handle;
  struct cachebody *body;
  struct sluice_ask *ask;
  struct cacheindex_job job;
  struct digest *md5;
  struct sluice_chunk chunk; /* what is left of what the storage lent */
  uint64_t idle_ms;          /* nobody reads since then; 0: somebody does */
  uint64_t done;             /* bytes that a check has read */
  bool busy;                 /* a thread or the index is at work */
  bool stopped;              /* the storage is canceled, or is to be */
  bool described, over;      /* all that comes from the storage came */
  bool passes;
  int error;      /* of the disk */
  uint64_t moved; /* bytes, of the last job */
  enum sluice_status status;
  char why[CACHEBODY_WHY];
  char key[CACHELAYER_KEY + 1];
};

static void fill_go(struct cachefill *fill);

/* ---- the end ------------------------------------------------------------ */

static struct cachefill *fill_of(void *job) {
  return (struct cachefill *)((char *)job - offsetof(struct cachefill, job));
}

static void fill_free(void *job) {
  struct cachefill *fill = fill_of(job);
  struct cache_handle *handle = fill->handle;
  TAILQ_REMOVE(&handle->fills, fill, link);
  digest_free(fill->md5);
  sluice_memory_give(handle->host, sizeof *fill);
  free(fill);
  cache_stir(handle);
}

static void fill_say(struct cachefill *fill, enum cachebody_state state) {
  atomic_store(&fill->body->state, state);
  atomic_fetch_add(&fill->body->life, 1);
}

static void fill_end(struct cachefill *fill, enum cacheindex_kind how) {
  fill->job = (struct cacheindex_job){.kind = how,
                                      .body = fill->body,
                                      .good = fill->job.good,
                                      .gone = fill->job.gone,
                                      .passes = fill->passes};
  fill->busy = true;
  cacheindex_do(fill->handle->layer->index, fill->handle->host, &fill->job,
                fill_free);
  cache_wake(fill->handle);
}

/* The storage's failure is the readers' answer; anything else isn't. */
static void fill_fail(struct cachefill *fill) {
  struct cachebody *body = fill->body;
  if (fill->error != 0)
    cacheindex_trouble(fill->handle->layer->index, "a file can't be written",
                       fill->error);
  if (cachebody_state(body) == CACHEBODY_WHOLE) {
    fill_end(fill, CACHEINDEX_DROP);
    return;
  }
  body->status = fill->status;
  memcpy(body->why, fill->why, sizeof body->why);
  fill_say(fill, fill->stopped || fill->status == SLUICE_OK
                     ? CACHEBODY_LOST
                     : CACHEBODY_FAILED);
  fill_end(fill, CACHEINDEX_DROP);
}

/* ---- to the file -------------------------------------------------------- */

static void write_memory(struct cachefill *fill, uint64_t at) {
  size_t length = (size_t)fill->chunk.length;
  digest_update(fill->md5, fill->chunk.data, length);
  if (!cacheopen_write(fill->body->fd, fill->chunk.data, length, at))
    fill->error = errno;
  fill->moved = length;
}

static void write_file(struct cachefill *fill, uint64_t at) {
  char buffer[BUFFER];
  uint64_t left = fill->chunk.length < STEP ? fill->chunk.length : STEP;
  while (left > 0 && fill->error == 0) {
    size_t want = left < sizeof buffer ? (size_t)left : sizeof buffer;
    ssize_t got = pread(fill->chunk.fd, buffer, want,
                        (off_t)(fill->chunk.offset + fill->moved));
    if (got <= 0) {
      fill->status = SLUICE_EUPSTREAM;
      snprintf(fill->why, sizeof fill->why, "the object's file can't be read");
      return;
    }
    digest_update(fill->md5, buffer, (size_t)got);
    if (!cacheopen_write(fill->body->fd, buffer, (size_t)got,
                         at + fill->moved))
      fill->error = errno;
    fill->moved += (uint64_t)got;
    left -= (uint64_t)got;
  }
}

static void write_chunk(void *arg) {
  struct cachefill *fill = arg;
  uint64_t at = fill->body->form.head + atomic_load(&fill->body->have);
  fill->moved = 0;
  if (fill->chunk.fd < 0)
    write_memory(fill, at);
  else
    write_file(fill, at);
}

static void on_written(void *arg) {
  struct cachefill *fill = arg;
  struct cachebody *body = fill->body;
  fill->busy = false;
  if (fill->error == 0 && fill->status == SLUICE_OK) {
    fill->chunk.length -= fill->moved;
    fill->chunk.offset += fill->moved;
    uint64_t have = atomic_fetch_add(&body->have, fill->moved) + fill->moved;
    if (have == body->form.meta.length)
      fill_say(fill, CACHEBODY_WHOLE);
    else
      atomic_fetch_add(&body->life, 1);
    cache_wake(fill->handle);
  }
  fill_go(fill);
}

/* Its bytes are as the storage said, where that said so, and are on the disk
 * before its name is. */
static void seal(void *arg) {
  struct cachefill *fill = arg;
  struct cachebody *body = fill->body;
  unsigned char md5[DIGEST_MD5_LEN], tail[CACHEFORM_TAIL];
  char hex[2 * DIGEST_MD5_LEN + 1];
  digest_final(fill->md5, md5);
  codec_hex(hex, md5, sizeof md5);
  if (body->form.meta.md5 != NULL && strcmp(body->form.meta.md5, hex) != 0) {
    sluice_log(fill->handle->layer->host, SLUICE_LOG_WARN,
               "the storage sent other bytes than those of the MD5 that it "
               "told, so they aren't kept");
    fill->status = SLUICE_EUPSTREAM;
    return;
  }
  cacheform_tail(tail, md5);
  if (!cacheopen_write(body->fd, tail, sizeof tail,
                       body->form.head + body->form.meta.length) ||
      fdatasync(body->fd) != 0)
    fill->error = errno;
}

static void on_sealed(void *arg) {
  struct cachefill *fill = arg;
  if (fill->error != 0 || fill->status != SLUICE_OK)
    fill_fail(fill);
  else
    fill_end(fill, CACHEINDEX_KEEP);
}

/* ---- from the storage --------------------------------------------------- */

static void fill_stop(struct cachefill *fill) {
  if (fill->stopped)
    return;
  fill->stopped = true;
  sluice_ask_cancel(fill->ask);
}

/* A chunk isn't taken away from the thread that copies it. */
static void fill_go(struct cachefill *fill) {
  if (fill->busy)
    return;
  bool whole = cachebody_state(fill->body) == CACHEBODY_WHOLE;
  bool failed = fill->error != 0 || fill->status != SLUICE_OK;
  if (fill->over && whole && !failed) {
    fill->busy = true;
    sluice_work(fill->handle->host, seal, on_sealed, fill);
  } else if (fill->over) {
    fill_fail(fill);
  } else if (failed) {
    fill_stop(fill);
  } else if (fill->stopped) {
    return;
  } else if (fill->chunk.length > 0) {
    fill->busy = true;
    sluice_work(fill->handle->host, write_chunk, on_written, fill);
  } else {
    sluice_ask_more(fill->ask);
  }
}

static void on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct cachefill *fill = arg;
  fill->chunk = *chunk;
  if (chunk->length >
      fill->body->form.meta.length - atomic_load(&fill->body->have)) {
    fill->status = SLUICE_EUPSTREAM;
    snprintf(fill->why, sizeof fill->why,
             "the storage sent more than it said");
  }
  fill_go(fill);
}

static void on_alive(void *arg) {
  struct cachefill *fill = arg;
  atomic_fetch_add(&fill->body->life, 1);
  cache_wake(fill->handle);
}

/* All that is wanted of it came before it was canceled. */
static bool is_complete(const struct cachefill *fill,
                        enum sluice_status status) {
  bool empty = fill->described && fill->body->form.meta.length == 0;
  return empty || (fill->stopped && status == SLUICE_ECANCELED &&
                   cachebody_state(fill->body) == CACHEBODY_WHOLE);
}

static void on_done(void *arg, enum sluice_status status, const char *why) {
  struct cachefill *fill = arg;
  fill->ask = NULL;
  fill->over = true;
  if (status != SLUICE_OK && fill->status == SLUICE_OK &&
      !is_complete(fill, status)) {
    fill->status = status;
    snprintf(fill->why, sizeof fill->why, "%s", why == NULL ? "" : why);
  }
  fill_go(fill);
}

static void on_made(void *job) {
  struct cachefill *fill = fill_of(job);
  struct cachebody *body = fill->body;
  bool empty = body->form.meta.length == 0;
  fill->busy = false;
  fill->passes = fill->job.passes;
  if (fill->job.good && !fill->stopped && !fill->over) {
    fill->described = true;
    fill_say(fill, empty ? CACHEBODY_WHOLE : CACHEBODY_FILLING);
    cache_wake(fill->handle);
    if (empty)
      sluice_ask_cancel(fill->ask);
    else
      sluice_ask_read(fill->ask, 0, body->form.meta.length);
    return;
  }
  if (fill->over)
    fill_go(fill);
  else
    fill_stop(fill);
}

static void on_meta(void *arg, const struct sluice_meta *meta) {
  struct cachefill *fill = arg;
  const struct cache_conf *conf = fill->handle->layer->conf;
  fill->passes = meta->etag == NULL || meta->length > conf->max_object ||
                 !cacheopen_describe(fill->body, fill->key, meta);
  if (fill->passes) {
    fill_stop(fill);
    return;
  }
  fill->job =
      (struct cacheindex_job){.kind = CACHEINDEX_MAKE, .body = fill->body};
  fill->busy = true;
  cacheindex_do(fill->handle->layer->index, fill->handle->host, &fill->job,
                on_made);
}

/* ---- begins ------------------------------------------------------------- */

/* NULL: no memory, and the body is lost. */
static struct cachefill *fill_new(struct cache_handle *handle,
                                  struct cachebody *body) {
  struct cachefill *fill = NULL;
  if (sluice_memory_take(handle->host, sizeof *fill)) {
    fill = calloc(1, sizeof *fill);
    if (fill != NULL)
      fill->md5 = digest_new(DIGEST_MD5);
    if (fill == NULL || fill->md5 == NULL)
      sluice_memory_give(handle->host, sizeof *fill);
  }
  if (fill == NULL || fill->md5 == NULL) {
    free(fill);
    return NULL;
  }
  fill->handle = handle;
  fill->body = body;
  TAILQ_INSERT_TAIL(&handle->fills, fill, link);
  return fill;
}

bool cachefill_fetch(struct cache_handle *handle, struct cachebody *body,
                     const char *key) {
  static const struct sluice_heard heard = {
      SLUICE_HEARD, .meta = on_meta, .chunk = on_chunk, .alive = on_alive,
      .done = on_done};
  struct cachefill *fill = fill_new(handle, body);
  if (fill == NULL)
    return false;
  snprintf(fill->key, sizeof fill->key, "%s", key);
  const struct sluice_get get = {.key = fill->key, .count = UINT64_MAX};
  fill->ask = sluice_ask_get(handle->store, NULL, &get, &heard, fill);
  return true;
}

static void read_some(void *arg) {
  struct cachefill *fill = arg;
  const struct cachebody *body = fill->body;
  char buffer[BUFFER];
  uint64_t length = body->form.meta.length;
  fill->moved = 0;
  while (fill->moved < 4 * STEP && fill->done < length && fill->error == 0) {
    uint64_t left = length - fill->done;
    size_t want = left < sizeof buffer ? (size_t)left : sizeof buffer;
    ssize_t got =
        pread(body->fd, buffer, want, (off_t)(body->form.head + fill->done));
    if (got <= 0) {
      fill->error = got == 0 ? EIO : errno;
      return;
    }
    digest_update(fill->md5, buffer, (size_t)got);
    fill->moved += (uint64_t)got;
    fill->done += (uint64_t)got;
  }
}

static void on_some(void *arg) {
  struct cachefill *fill = arg;
  struct cachebody *body = fill->body;
  unsigned char md5[DIGEST_MD5_LEN];
  char hex[2 * DIGEST_MD5_LEN + 1] = "";
  bool all = fill->done == body->form.meta.length;
  atomic_fetch_add(&body->life, 1);
  if (!all && fill->error == 0 && atomic_load(&body->readers) > 0) {
    sluice_work(fill->handle->host, read_some, on_some, fill);
    cache_stir(fill->handle);
    return;
  }
  if (all) {
    digest_final(fill->md5, md5);
    codec_hex(hex, md5, sizeof md5);
  }
  fill->job.good = all && strcmp(hex, body->md5) == 0;
  fill->job.gone = all || fill->error != 0;
  if (fill->job.gone && !fill->job.good)
    sluice_log(fill->handle->host, SLUICE_LOG_WARN,
               "an entry isn't as it was written, so it is removed and asked "
               "for again; check the disk of the cache");
  fill_say(fill, fill->job.good   ? CACHEBODY_WHOLE
                 : fill->job.gone ? CACHEBODY_LOST
                                  : CACHEBODY_UNCHECKED);
  fill_end(fill, CACHEINDEX_CHECKED);
}

bool cachefill_check(struct cache_handle *handle, struct cachebody *body) {
  struct cachefill *fill = fill_new(handle, body);
  if (fill == NULL)
    return false;
  fill->busy = true;
  sluice_work(handle->host, read_some, on_some, fill);
  return true;
}

void cachefill_tick(struct cache_handle *handle, uint64_t now) {
  struct cachefill *fill, *next;
  uint64_t linger = (uint64_t)handle->layer->conf->linger_ms;
  for (fill = TAILQ_FIRST(&handle->fills); fill != NULL; fill = next) {
    next = TAILQ_NEXT(fill, link);
    if (fill->ask == NULL || atomic_load(&fill->body->readers) > 0)
      fill->idle_ms = 0;
    else if (fill->idle_ms == 0)
      fill->idle_ms = now;
    else if (now - fill->idle_ms >= linger && !fill->busy)
      fill_stop(fill);
  }
}
