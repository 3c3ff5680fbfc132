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

void ownobject_init(struct ownobject *own, struct op_backend *backend,
                    void (*then)(void *arg, enum sluice_status,
                                 const char *why),
                    void *arg) {
  *own = (struct ownobject){
      .backend = backend, .fd = -1, .then = then, .arg = arg};
}

static void begin(struct ownobject *own, const char *key) {
  must(own->op == NULL && strlen(key) < sizeof own->key);
  snprintf(own->key, sizeof own->key, "%s", key);
  loop_hold(own->backend->host.loop);
}

static void end(struct ownobject *own, enum sluice_status status,
                const char *why) {
  loop_release(own->backend->host.loop);
  own->op = NULL;
  own->then(own->arg, status, why);
}

/* ---- reading ------------------------------------------------------------ */

static void on_meta(void *arg, const struct sluice_meta *meta) {
  struct ownobject *own = arg;
  own->length =
      meta->length > OWNOBJECT_MAX ? OWNOBJECT_MAX + 1 : (size_t)meta->length;
  size_t len = meta->etag == NULL ? 0 : strlen(meta->etag);
  if (len > 0 && len <= OWNOBJECT_ETAG_MAX)
    memcpy(own->etag, meta->etag, len + 1);
  if (own->length > 0 && own->length <= OWNOBJECT_MAX)
    op_read(own->op, 0, own->length);
  else
    op_cancel(own->op);
}

static void read_file(void *arg) {
  struct ownobject *own = arg;
  own->whole = pread(own->fd, own->text, own->length, (off_t)own->offset) ==
               (ssize_t)own->length;
}

static void on_file_read(void *arg) {
  struct ownobject *own = arg;
  if (own->op != NULL)
    op_more(own->op);
}

static void on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct ownobject *own = arg;
  own->fd = chunk->fd;
  own->offset = chunk->offset;
  if (chunk->length == own->length && chunk->fd >= 0) {
    work_submit(own->backend->host.share, own->backend->host.loop, read_file,
                on_file_read, own);
    return;
  }
  own->whole = chunk->length == own->length;
  if (own->whole)
    memcpy(own->text, chunk->data, own->length);
  op_more(own->op);
}

static void on_read(void *arg, enum sluice_status status, const char *why) {
  struct ownobject *own = arg;
  bool wrong = own->length == 0 || own->length > OWNOBJECT_MAX;
  if (own->whole)
    own->text[own->length] = '\0';
  if (status == SLUICE_ENOENT)
    end(own, status, why);
  else if (wrong && own->etag[0] != '\0')
    end(own, SLUICE_EUPSTREAM, "an object of the gateway's own was changed");
  else if (status == SLUICE_OK && !own->whole)
    end(own, SLUICE_EUPSTREAM, "an object of the gateway's own is cut");
  else
    end(own, status, why);
}

void ownobject_read(struct ownobject *own, const char *key) {
  static const struct op_events events = {
      .meta = on_meta, .chunk = on_chunk, .done = on_read};
  begin(own, key);
  own->length = 0;
  own->whole = false;
  own->etag[0] = '\0';
  own->op = op_get(own->backend,
                   &(struct sluice_get){.key = own->key, .count = UINT64_MAX},
                   &events, own);
}

/* ---- writing ------------------------------------------------------------ */

static void on_next(void *arg) {
  struct ownobject *own = arg;
  if (own->told) {
    op_commit(own->op, &own->object);
    return;
  }
  own->told = true;
  op_data(own->op, &(struct sluice_chunk){.data = own->text,
                                          .length = own->length,
                                          .fd = -1,
                                          .last = true});
}

static void on_done(void *arg, enum sluice_status status, const char *why) {
  end(arg, status, why);
}

void ownobject_write(struct ownobject *own, const char *key, const char *text,
                     enum ownobject_writing writing) {
  static const struct sluice_pair none[] = {{NULL, NULL}};
  static const struct op_events events = {.next = on_next, .done = on_done};
  unsigned char md5[DIGEST_MD5_LEN];
  begin(own, key);
  own->length = strlen(text);
  must(own->length <= OWNOBJECT_MAX);
  memcpy(own->text, text, own->length + 1);
  digest_md5(md5, own->text, own->length);
  codec_hex(own->md5, md5, sizeof md5);
  own->told = false;
  own->object = (struct sluice_object){
      .key = own->key,
      .type = "text/plain",
      .length = own->length,
      .md5 = own->md5,
      .user = none,
      .exclusive = writing == OWNOBJECT_NEW,
      .if_match = writing == OWNOBJECT_AS_READ ? own->etag : NULL};
  own->op = op_put(own->backend,
                   &(struct sluice_put){.length = (int64_t)own->length},
                   &events, own);
}

void ownobject_remove(struct ownobject *own, const char *key) {
  static const struct op_events events = {.done = on_done};
  begin(own, key);
  own->op = op_remove(own->backend, own->key, &events, own);
}
