/* SPDX-License-Identifier: MIT
 *
 * The steps of one object:
 *
 *   head of the target --> head of the source, where the target has the key
 *     |                      |
 *     +----------------------+--> get and put together --> get of the target
 *
 * Pieces are read, and summed up, by a thread of the pool.
 */
#include "carrier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec.h"

bool carrier_init(struct carrier *carrier) {
  buf_init(&carrier->texts, 2 * OP_META_MAX + 2 * OP_USER_MAX);
  return true;
}

static void forget(struct carrier *carrier) {
  free(carrier->key);
  free(carrier->type);
  digest_free(carrier->md5);
  carrier->key = carrier->type = NULL;
  carrier->md5 = NULL;
}

void carrier_fini(struct carrier *carrier) {
  forget(carrier);
  buf_fini(&carrier->texts);
}

/* ---- the end ------------------------------------------------------------ */

/* When both operations are gone, and no thread has the buffer. */
static void carrier_settle(struct carrier *carrier) {
  if (!carrier->ending || carrier->get != NULL || carrier->put != NULL ||
      carrier->filling)
    return;
  carrier->ending = false;
  carrier->done(carrier, carrier->end);
}

/* A thread goes on to read: the chunk isn't taken away from it. */
static void carrier_let_go(struct carrier *carrier) {
  if (carrier->get != NULL && !carrier->filling)
    op_cancel(carrier->get);
  if (carrier->put != NULL)
    op_cancel(carrier->put);
  carrier_settle(carrier);
}

static void finish(struct carrier *carrier, enum carrier_end end) {
  if (!carrier->ending) {
    carrier->ending = true;
    carrier->end = end;
  }
  carrier_let_go(carrier);
}

static void carrier_refuse(struct carrier *carrier, const char *what,
                           const char *why) {
  if (!carrier->ending)
    errmsg_set(&carrier->why, "%s: %s", what,
               why == NULL ? "no reason given" : why);
  finish(carrier, CARRIER_FAILED);
}

/* ---- objects as they are told ------------------------------------------- */

static bool is_md5(const char *text) {
  unsigned char md5[DIGEST_MD5_LEN];
  return text != NULL && codec_unhex(md5, sizeof md5, text);
}

/* The ETag last: that of several parts, or of an encrypted object, isn't its
 * MD5; one that could be and isn't makes a transfer fail, and nothing worse.
 */
static void carrier_take_digest(char out[2 * DIGEST_MD5_LEN + 1],
                                const struct sluice_meta *meta) {
  const char *found = is_md5(meta->md5) ? meta->md5 : NULL;
  for (const struct sluice_pair *p = meta->user;
       found == NULL && p != NULL && p->name != NULL; p++)
    if (strcmp(p->name, "md5") == 0 && is_md5(p->value))
      found = p->value;
  if (found == NULL && is_md5(meta->etag))
    found = meta->etag;
  snprintf(out, 2 * DIGEST_MD5_LEN + 1, "%s", found == NULL ? "" : found);
  for (char *c = out; *c != '\0'; c++)
    *c = codec_lower(*c);
}

static const char *next_text(const char **at) {
  const char *text = *at;
  *at += strlen(text) + 1;
  return text;
}

static bool take_user(struct carrier *carrier,
                      const struct sluice_meta *meta) {
  struct buf *texts = &carrier->texts;
  size_t count = 0;
  buf_clear(texts);
  for (const struct sluice_pair *p = meta->user; p != NULL && p->name != NULL;
       p++, count++) {
    if (count == OP_USER_MAX)
      return false;
    buf_add(texts, p->name, strlen(p->name) + 1);
    buf_add(texts, p->value, strlen(p->value) + 1);
  }
  if (texts->overflown)
    return false;
  const char *at = texts->data;
  for (size_t i = 0; i < count; i++) {
    carrier->user[i].name = next_text(&at);
    carrier->user[i].value = next_text(&at);
  }
  carrier->user[count] = (struct sluice_pair){NULL, NULL};
  return true;
}

static void note_lost(struct carrier *carrier,
                      const struct sluice_meta *meta) {
  const struct {
    const char *name, *value;
  } headers[] = {{"Content-Language", meta->language},
                 {"Cache-Control", meta->cache_control},
                 {"Expires", meta->expires}};
  size_t at = 0;
  carrier->lost[0] = '\0';
  for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
    if (headers[i].value != NULL && at < sizeof carrier->lost)
      at += (size_t)snprintf(carrier->lost + at, sizeof carrier->lost - at,
                             "%s%s", at > 0 ? ", " : "", headers[i].name);
}

/* ---- bytes -------------------------------------------------------------- */

static void fill(void *arg) {
  struct carrier *carrier = arg;
  const struct sluice_chunk *chunk = &carrier->chunk;
  uint64_t left = chunk->length - carrier->taken;
  size_t len = left < CARRIER_PIECE ? (size_t)left : CARRIER_PIECE;
  carrier->error = 0;
  carrier->piece = 0;
  if (chunk->fd < 0) {
    memcpy(carrier->buffer, (const char *)chunk->data + carrier->taken, len);
    carrier->piece = len;
  }
  while (chunk->fd >= 0 && carrier->piece < len) {
    ssize_t got = pread(
        chunk->fd, carrier->buffer + carrier->piece, len - carrier->piece,
        (off_t)(chunk->offset + carrier->taken + carrier->piece));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0) {
      carrier->error = got < 0 ? errno : EIO;
      return;
    }
    carrier->piece += (size_t)got;
  }
  digest_update(carrier->md5, carrier->buffer, carrier->piece);
}

static void end_sum(struct carrier *carrier) {
  unsigned char md5[DIGEST_MD5_LEN];
  digest_final(carrier->md5, md5);
  codec_hex(carrier->sum, md5, sizeof md5);
}

static void carrier_lend(struct carrier *carrier) {
  const struct sluice_chunk piece = {.data = carrier->buffer,
                                     .length = carrier->piece,
                                     .fd = -1,
                                     .last = carrier->sent == carrier->length};
  carrier->asked = false;
  op_data(carrier->put, &piece);
}

static void filled(void *arg);

static void go_on(struct carrier *carrier) {
  bool wanted = carrier->asked || carrier->verifying;
  if (carrier->ending || carrier->filling || !carrier->has_chunk || !wanted)
    return;
  carrier->filling = true;
  work_submit(carrier->share, carrier->loop, fill, filled, carrier);
}

static void filled(void *arg) {
  struct carrier *carrier = arg;
  carrier->filling = false;
  if (carrier->ending) {
    carrier_let_go(carrier);
    return;
  }
  if (carrier->error != 0) {
    carrier_refuse(carrier, "its bytes can't be read",
                   strerror(carrier->error));
    return;
  }
  carrier->taken += carrier->piece;
  carrier->sent += carrier->piece;
  bool through = carrier->taken == carrier->chunk.length;
  if (through)
    carrier->has_chunk = false;
  if (!carrier->verifying)
    carrier_lend(carrier);
  if (through && carrier->get != NULL)
    op_more(carrier->get);
  else
    go_on(carrier);
}

static void carrier_on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct carrier *carrier = arg;
  uint64_t left = carrier->length - carrier->sent;
  if (carrier->ending)
    return;
  if (chunk->length == 0 || chunk->length > left ||
      chunk->last != (chunk->length == left)) {
    op_violation(carrier->verifying ? carrier->to : carrier->from,
                 "sluice_send", "with another length than was asked for");
    carrier_refuse(carrier, "its bytes can't be read",
                   "the backend sent another length than it said");
    return;
  }
  carrier->chunk = *chunk;
  carrier->taken = 0;
  carrier->has_chunk = true;
  go_on(carrier);
}

/* ---- what was written is read back -------------------------------------- */

static void on_back_meta(void *arg, const struct sluice_meta *meta) {
  struct carrier *carrier = arg;
  if (meta->length != carrier->length)
    carrier_refuse(carrier, "read back, it has another length",
                   "it was changed");
  else if (meta->length > 0)
    op_read(carrier->get, 0, meta->length);
  else
    op_cancel(carrier->get);
}

static void on_back_done(void *arg, enum sluice_status status,
                         const char *why) {
  struct carrier *carrier = arg;
  char sum[sizeof carrier->sum];
  carrier->get = NULL;
  if (carrier->ending) {
    carrier_settle(carrier);
    return;
  }
  memcpy(sum, carrier->sum, sizeof sum);
  end_sum(carrier);
  if (status != SLUICE_OK && carrier->length > 0)
    carrier_refuse(carrier, "it can't be read back", why);
  else if (strcmp(sum, carrier->sum) != 0)
    carrier_refuse(carrier, "read back, it has another MD5", "it was changed");
  else
    finish(carrier, CARRIER_CARRIED);
}

static void carrier_read_back(struct carrier *carrier) {
  static const struct op_events events = {
      .meta = on_back_meta, .chunk = carrier_on_chunk, .done = on_back_done};
  const struct sluice_get get = {.key = carrier->key, .count = UINT64_MAX};
  digest_free(carrier->md5);
  carrier->md5 = digest_new(DIGEST_MD5);
  carrier->sent = 0;
  carrier->stored = false;
  carrier->verifying = true;
  carrier->get = op_get(carrier->to, &get, &events, carrier);
}

/* ---- the put ------------------------------------------------------------ */

/* Whatever came since the look is newer; some targets can't refuse. */
static bool replaces_nothing(const struct carrier *carrier) {
  return carrier->missing && (carrier->to->abilities & SLUICE_CAN_CREATE) != 0;
}

static void commit(struct carrier *carrier) {
  const struct sluice_object object = {.key = carrier->key,
                                       .type = carrier->type,
                                       .length = carrier->length,
                                       .md5 = carrier->sum,
                                       .user = carrier->user,
                                       .exclusive = replaces_nothing(carrier)};
  end_sum(carrier);
  if (carrier->digest[0] != '\0' &&
      strcmp(carrier->digest, carrier->sum) != 0) {
    carrier_refuse(carrier, "its bytes aren't those that were stored",
                   "their MD5 is another one");
    return;
  }
  op_commit(carrier->put, &object);
}

static void on_next(void *arg) {
  struct carrier *carrier = arg;
  bool empty = carrier->length == 0 && !carrier->has_chunk;
  if (carrier->ending)
    return;
  if (empty) {
    carrier->has_chunk = true; /* an empty last one is lent once */
    carrier->piece = 0;
    carrier_lend(carrier);
  } else if (carrier->sent == carrier->length) {
    commit(carrier);
  } else {
    carrier->asked = true;
    go_on(carrier);
  }
}

static void on_put_done(void *arg, enum sluice_status status,
                        const char *why) {
  struct carrier *carrier = arg;
  carrier->put = NULL;
  if (carrier->ending)
    carrier_settle(carrier);
  else if (status == SLUICE_EEXIST && carrier->missing)
    finish(carrier, CARRIER_THERE);
  else if (status != SLUICE_OK)
    carrier_refuse(carrier,
                   status == SLUICE_EINVAL || status == SLUICE_ETOOBIG
                       ? "the target can't take it"
                       : "it can't be stored",
                   why);
  else if (!carrier->read)
    finish(carrier, CARRIER_CARRIED);
  else if (carrier->get == NULL)
    carrier_read_back(carrier);
  else {
    carrier->stored = true;
    op_cancel(carrier->get); /* all of it came */
  }
}

static void carrier_put(struct carrier *carrier) {
  static const struct op_events events = {.next = on_next,
                                          .done = on_put_done};
  const struct sluice_put put = {.length = (int64_t)carrier->length};
  carrier->put = op_put(carrier->to, &put, &events, carrier);
}

/* ---- the get ------------------------------------------------------------ */

static void carrier_on_get_meta(void *arg, const struct sluice_meta *meta) {
  struct carrier *carrier = arg;
  carrier->length = meta->length;
  carrier_take_digest(carrier->digest, meta);
  carrier->type =
      strdup(meta->type == NULL ? "application/octet-stream" : meta->type);
  note_lost(carrier, meta);
  if (carrier->type == NULL || !take_user(carrier, meta))
    carrier_refuse(carrier, "its metadata can't be kept", "there is too much");
  else if (meta->encoding != NULL)
    carrier_refuse(carrier, "it has a Content-Encoding, which can't be kept",
                   meta->encoding);
  else if (meta->length > INT64_MAX)
    carrier_refuse(carrier, "its length makes no sense", NULL);
  else if (carrier->dry)
    finish(carrier, CARRIER_CARRIED);
  else {
    if (meta->length > 0)
      op_read(carrier->get, 0, meta->length);
    else
      op_cancel(carrier->get);
    carrier_put(carrier);
  }
}

static void on_get_done(void *arg, enum sluice_status status,
                        const char *why) {
  struct carrier *carrier = arg;
  carrier->get = NULL;
  if (carrier->ending)
    carrier_settle(carrier);
  else if (carrier->stored)
    carrier_read_back(carrier);
  else if (status == SLUICE_ENOENT)
    finish(carrier, CARRIER_GONE);
  else if (status != SLUICE_OK &&
           (carrier->type == NULL || carrier->length > 0))
    carrier_refuse(carrier, "it can't be read", why);
}

static void carrier_get(struct carrier *carrier) {
  static const struct op_events events = {.meta = carrier_on_get_meta,
                                          .chunk = carrier_on_chunk,
                                          .done = on_get_done};
  const struct sluice_get get = {.key = carrier->key, .count = UINT64_MAX};
  carrier->get = op_get(carrier->from, &get, &events, carrier);
}

/* ---- is it there? ------------------------------------------------------- */

static void on_source_meta(void *arg, const struct sluice_meta *meta) {
  struct carrier *carrier = arg;
  carrier->length = meta->length;
  carrier->expires_s = op_expires(meta);
  carrier_take_digest(carrier->digest, meta);
}

static void on_source_done(void *arg, enum sluice_status status,
                           const char *why) {
  struct carrier *carrier = arg;
  carrier->get = NULL;
  if (status == SLUICE_ENOENT)
    finish(carrier, CARRIER_GONE);
  else if (status != SLUICE_OK)
    carrier_refuse(carrier, "it can't be looked at", why);
  else if (carrier->length == carrier->there_length &&
           carrier->digest[0] != '\0' &&
           strcmp(carrier->digest, carrier->there_digest) == 0 &&
           carrier->expires_s == carrier->there_expires_s)
    finish(carrier, CARRIER_THERE);
  else
    carrier_get(carrier);
}

static void on_target_meta(void *arg, const struct sluice_meta *meta) {
  struct carrier *carrier = arg;
  carrier->there_length = meta->length;
  carrier->there_expires_s = op_expires(meta);
  carrier_take_digest(carrier->there_digest, meta);
}

static void on_target_done(void *arg, enum sluice_status status,
                           const char *why) {
  static const struct op_events events = {.meta = on_source_meta,
                                          .done = on_source_done};
  struct carrier *carrier = arg;
  carrier->put = NULL;
  if (status == SLUICE_ENOENT)
    carrier_get(carrier);
  else if (status == SLUICE_OK && carrier->missing)
    finish(carrier, CARRIER_THERE);
  else if (status == SLUICE_OK)
    carrier->get = op_head(carrier->from, carrier->key, &events, carrier);
  else
    carrier_refuse(carrier,
                   status == SLUICE_EINVAL ? "the target can't take it"
                                           : "the target can't be asked",
                   why);
}

void carrier_start(struct carrier *carrier, const char *key) {
  static const struct op_events events = {.meta = on_target_meta,
                                          .done = on_target_done};
  forget(carrier);
  carrier->key = strdup(key);
  carrier->md5 = digest_new(DIGEST_MD5);
  carrier->digest[0] = carrier->lost[0] = carrier->why.text[0] = '\0';
  carrier->sent = carrier->taken = 0;
  carrier->has_chunk = carrier->asked = false;
  carrier->stored = carrier->verifying = false;
  if (carrier->key == NULL || carrier->md5 == NULL)
    abort(); /* some hundred bytes */
  carrier->put = op_head(carrier->to, key, &events, carrier);
}
