/* SPDX-License-Identifier: MIT
 *
 * Small objects, by the operations that any backend has.
 */
#include "ownobject.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec.h"
#include "must.h"
#include "work.h"

void ownobject_init(
    struct ownobject *own, struct op_backend *backend, char *text, size_t max,
    void (*then)(void *arg, enum sluice_status, const char *why), void *arg) {
  *own = (struct ownobject){
      .backend = backend, .text = text, .max = max, .then = then, .arg = arg};
}

static void ownobject_begin(struct ownobject *own, const char *key) {
  must(own->op == NULL && strlen(key) < sizeof own->key);
  snprintf(own->key, sizeof own->key, "%s", key);
  own->learns = false;
  loop_owe(own->backend->host.loop, &own->backend->host.debt);
}

static void end(struct ownobject *own, enum sluice_status status,
                const char *why) {
  struct op_backend *backend = own->backend; /* `own` may be gone then */
  own->op = NULL;
  own->then(own->arg, status, why);
  loop_pay(backend->host.loop, &backend->host.debt);
}

static void take_etag(struct ownobject *own, const struct sluice_meta *meta) {
  own->etag[0] = '\0';
  if (meta->etag != NULL && strlen(meta->etag) <= OWNOBJECT_ETAG_MAX)
    snprintf(own->etag, sizeof own->etag, "%s", meta->etag);
}

static void make_md5(char out[2 * DIGEST_MD5_LEN + 1],
                     const struct ownobject *own) {
  unsigned char md5[DIGEST_MD5_LEN];
  digest_md5(md5, own->text, own->length);
  codec_hex(out, md5, sizeof md5);
}

/* ---- reading ------------------------------------------------------------ */

static void ownobject_on_meta(void *arg, const struct sluice_meta *meta) {
  struct ownobject *own = arg;
  take_etag(own, meta);
  own->foreign = meta->length == 0 || meta->length > own->max;
  if (own->foreign)
    op_cancel(own->op);
  else
    op_read(own->op, 0, meta->length);
}

/* Is what was read what had been written? */
static enum sluice_status learned(const struct ownobject *own) {
  char md5[sizeof own->md5];
  make_md5(md5, own);
  return strcmp(md5, own->md5) == 0 ? SLUICE_OK : SLUICE_EPRECOND;
}

static void finish_read(struct ownobject *own, enum sluice_status status,
                        const char *why) {
  own->text[own->length] = '\0';
  if (own->foreign)
    end(own, SLUICE_EUPSTREAM,
        "an object below .sluice/ isn't what was put there; remove it");
  else if (own->learns && status == SLUICE_OK)
    end(own, learned(own), NULL);
  else if (own->learns && status == SLUICE_ENOENT)
    end(own, SLUICE_EPRECOND, why);
  else
    end(own, status, why);
}

static void read_file(void *arg) {
  struct ownobject *own = arg;
  own->got = pread(own->chunk.fd, own->text + own->length,
                   (size_t)own->chunk.length, (off_t)own->chunk.offset);
}

static void take_chunk(struct ownobject *own) {
  own->length += (size_t)own->chunk.length;
  op_more(own->op);
}

static void on_file_read(void *arg) {
  struct ownobject *own = arg;
  bool ended = own->thread == OWNOBJECT_AWAY_ENDED;
  own->thread = OWNOBJECT_HERE;
  if (own->got != (ssize_t)own->chunk.length)
    own->foreign = true;
  if (ended)
    finish_read(own, own->status, NULL);
  else
    take_chunk(own);
}

static void ownobject_on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct ownobject *own = arg;
  own->chunk = *chunk;
  if (chunk->length > own->max - own->length) {
    own->foreign = true;
    op_cancel(own->op);
    return;
  }
  if (chunk->fd >= 0) {
    own->thread = OWNOBJECT_AWAY;
    work_submit(own->backend->host.share, own->backend->host.loop, read_file,
                on_file_read, own);
    return;
  }
  memcpy(own->text + own->length, chunk->data, (size_t)chunk->length);
  take_chunk(own);
}

static void ownobject_on_read(void *arg, enum sluice_status status,
                              const char *why) {
  struct ownobject *own = arg;
  if (own->thread == OWNOBJECT_HERE) {
    finish_read(own, status, why);
    return;
  }
  own->thread = OWNOBJECT_AWAY_ENDED;
  own->status = status;
}

static void start_read(struct ownobject *own) {
  static const struct op_events events = {.meta = ownobject_on_meta,
                                          .chunk = ownobject_on_chunk,
                                          .done = ownobject_on_read};
  own->length = 0;
  own->foreign = false;
  own->etag[0] = '\0';
  own->op = op_get(own->backend,
                   &(struct sluice_get){.key = own->key, .count = UINT64_MAX},
                   &events, own);
}

void ownobject_read(struct ownobject *own, const char *key) {
  ownobject_begin(own, key);
  start_read(own);
}

/* ---- writing ------------------------------------------------------------ */

static void ownobject_on_next(void *arg) {
  struct ownobject *own = arg;
  if (own->lent) {
    own->lent = false;
    op_commit(own->op, &own->object);
    return;
  }
  own->lent = true;
  op_data(own->op, &(struct sluice_chunk){.data = own->text,
                                          .length = own->length,
                                          .fd = -1,
                                          .last = true});
}

static void on_written_meta(void *arg, const struct sluice_meta *meta) {
  take_etag(arg, meta);
}

static void ownobject_on_written(void *arg, enum sluice_status status,
                                 const char *why) {
  struct ownobject *own = arg;
  own->learns = status == SLUICE_OK && own->wants_etag && own->etag[0] == '\0';
  if (own->learns)
    start_read(own);
  else
    end(own, status, why);
}

void ownobject_write(struct ownobject *own, const char *key, size_t length,
                     enum ownobject_writing writing) {
  static const struct sluice_pair none[] = {{NULL, NULL}};
  static const struct op_events events = {.meta = on_written_meta,
                                          .next = ownobject_on_next,
                                          .done = ownobject_on_written};
  ownobject_begin(own, key);
  must(length <= own->max);
  own->length = length;
  own->lent = false;
  memcpy(own->match, own->etag, sizeof own->match);
  own->etag[0] = '\0';
  make_md5(own->md5, own);
  own->object = (struct sluice_object){
      .key = own->key,
      .type = "text/plain",
      .length = length,
      .md5 = own->md5,
      .user = none,
      .exclusive = writing == OWNOBJECT_NEW,
      .if_match = writing == OWNOBJECT_AS_IS ? own->match : NULL};
  own->op =
      op_put(own->backend, &(struct sluice_put){.length = (int64_t)length},
             &events, own);
}

/* ---- removing ----------------------------------------------------------- */

static void ownobject_on_removed(void *arg, enum sluice_status status,
                                 const char *why) {
  end(arg, status, why);
}

void ownobject_remove(struct ownobject *own, const char *key) {
  static const struct op_events events = {.done = ownobject_on_removed};
  ownobject_begin(own, key);
  bool compares = (own->backend->abilities & SLUICE_CAN_REMOVE) != 0;
  if (compares && own->etag[0] != '\0')
    own->op = op_remove_if(
        own->backend,
        &(struct sluice_removal){.key = own->key, .if_match = own->etag},
        &events, own);
  else
    own->op = op_remove(own->backend, own->key, &events, own);
}
