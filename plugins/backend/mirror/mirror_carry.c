/* SPDX-License-Identifier: MIT
 *
 * An object on its way from the first storage to another.  A thread of the
 * pool copies each piece and adds it to the MD5, as a chunk may be a file.
 */
#include "mirror_carry.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "codec.h"
#include "digest.h"
#include "wish.h"

#define CARRY_PIECE 65536

struct mirror_carry {
  struct mirror_handle *handle;
  const struct carry_events *events;
  void *arg;
  unsigned to;
  char *key;
  struct wish *object;          /* as it will be committed */
  struct sluice_ask *get, *put; /* NULL: not in flight; put: or the remove */
  struct event *timer;
  struct digest *md5;
  char sum[2 * DIGEST_MD5_LEN + 1];
  uint64_t length, sent;
  struct sluice_chunk chunk;
  uint64_t taken; /* bytes of the chunk */
  size_t piece;
  bool has_chunk, wanted, filling, emptied;
  int error;
  bool told, blames_first;                 /* told: result() came */
  char wanted_sum[2 * DIGEST_MD5_LEN + 1]; /* "": nobody knows */
  unsigned char buffer[CARRY_PIECE];
};

/* ---- the end ------------------------------------------------------------ */

static void carry_free(struct mirror_carry *carry) {
  struct sluice_host *host = carry->handle->host;
  wish_free(carry->object, host);
  if (carry->timer != NULL)
    event_free(carry->timer);
  digest_free(carry->md5);
  free(carry->key);
  free(carry);
  sluice_memory_give(host, sizeof *carry);
}

static void carry_settle(struct mirror_carry *carry) {
  if (!carry->told || carry->get != NULL || carry->put != NULL ||
      carry->filling)
    return;
  carry->events->over(carry->arg);
  carry_free(carry);
}

/* A thread goes on to read: nothing is taken away from it. */
static void let_go(struct mirror_carry *carry) {
  if (carry->get != NULL && !carry->filling)
    sluice_ask_cancel(carry->get);
  if (carry->put != NULL)
    sluice_ask_cancel(carry->put);
}

/* The storages are let go; what they do until they have ended is late. */
static void carry_end(struct mirror_carry *carry, enum sluice_status status,
                      const char *why) {
  if (!carry->told) {
    carry->told = true;
    evtimer_del(carry->timer);
    let_go(carry);
    carry->events->result(carry->arg, status, why);
  }
  carry_settle(carry);
}

/* The first storage didn't give what it has. */
static void carry_end_first(struct mirror_carry *carry,
                            enum sluice_status status, const char *why) {
  carry->blames_first = !carry->told;
  carry_end(carry, status, why);
}

bool carry_blames_first(const struct mirror_carry *carry) {
  return carry->blames_first;
}

/* The other one isn't asked yet, or waits for bytes. */
static void on_timer(evutil_socket_t fd, short what, void *arg) {
  struct mirror_carry *carry = arg;
  (void)fd, (void)what;
  carry->blames_first =
      carry->put == NULL || (carry->wanted && carry->sent < carry->length);
  carry_end(carry, SLUICE_ETIMEOUT, "a storage didn't answer in time");
}

static void goes_on(struct mirror_carry *carry) {
  if (carry->told)
    return;
  mirror_wait(carry->timer, carry->handle->shared->conf->timeout_ms);
  if (carry->events->alive != NULL)
    carry->events->alive(carry->arg);
}

static void on_alive(void *arg) {
  goes_on(arg);
}

/* ---- bytes -------------------------------------------------------------- */

static void fill(void *arg) {
  struct mirror_carry *carry = arg;
  const struct sluice_chunk *chunk = &carry->chunk;
  uint64_t left = chunk->length - carry->taken;
  size_t len = left < CARRY_PIECE ? (size_t)left : CARRY_PIECE;
  carry->piece = 0;
  carry->error = 0;
  if (chunk->fd < 0) {
    memcpy(carry->buffer, (const char *)chunk->data + carry->taken, len);
    carry->piece = len;
  }
  while (carry->piece < len) {
    ssize_t got =
        pread(chunk->fd, carry->buffer + carry->piece, len - carry->piece,
              (off_t)(chunk->offset + carry->taken + carry->piece));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0) {
      carry->error = got < 0 ? errno : EIO;
      return;
    }
    carry->piece += (size_t)got;
  }
  digest_update(carry->md5, carry->buffer, carry->piece);
}

static void lend(struct mirror_carry *carry) {
  const struct sluice_chunk piece = {.data = carry->buffer,
                                     .length = carry->piece,
                                     .fd = -1,
                                     .last = carry->sent == carry->length};
  carry->wanted = false;
  sluice_ask_data(carry->put, &piece);
}

static void filled(void *arg);

static void go_on(struct mirror_carry *carry) {
  if (carry->told || carry->filling || !carry->has_chunk || !carry->wanted)
    return;
  carry->filling = true;
  sluice_work(carry->handle->host, fill, filled, carry);
}

static void filled(void *arg) {
  struct mirror_carry *carry = arg;
  carry->filling = false;
  if (carry->told) {
    let_go(carry);
    carry_settle(carry);
    return;
  }
  if (carry->error != 0) {
    carry_end_first(carry, SLUICE_EIO, strerror(carry->error));
    return;
  }
  goes_on(carry);
  carry->taken += carry->piece;
  carry->sent += carry->piece;
  lend(carry);
  if (carry->taken < carry->chunk.length)
    return;
  carry->has_chunk = false;
  if (carry->get != NULL)
    sluice_ask_more(carry->get);
}

static void on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct mirror_carry *carry = arg;
  if (carry->told)
    return;
  carry->chunk = *chunk;
  carry->taken = 0;
  carry->has_chunk = chunk->length > 0;
  if (chunk->length == 0)
    sluice_ask_more(carry->get);
  else
    go_on(carry);
}

/* ---- the put ------------------------------------------------------------ */

static void commit(struct mirror_carry *carry) {
  unsigned char md5[DIGEST_MD5_LEN];
  struct sluice_object object = *carry->object->of.stage.object;
  digest_final(carry->md5, md5);
  codec_hex(carry->sum, md5, sizeof md5);
  object.md5 = carry->sum;
  if (carry->wanted_sum[0] != '\0' &&
      strcasecmp(carry->wanted_sum, carry->sum) != 0)
    carry_end_first(carry, SLUICE_EIO,
                    "the first storage's bytes have another MD5 than it says");
  else
    sluice_ask_commit(carry->put, &object);
}

static void on_next(void *arg) {
  struct mirror_carry *carry = arg;
  if (carry->told)
    return;
  goes_on(carry);
  carry->wanted = true;
  if (carry->length == 0 && !carry->emptied) {
    carry->emptied = true; /* an empty last one is lent once */
    carry->piece = 0;
    lend(carry);
  } else if (carry->sent == carry->length) {
    commit(carry);
  } else {
    go_on(carry);
  }
}

static void on_put_done(void *arg, enum sluice_status status,
                        const char *why) {
  struct mirror_carry *carry = arg;
  carry->put = NULL;
  carry_end(carry, status, why);
}

static void on_nothing(void *arg, const struct sluice_meta *meta) {
  (void)arg, (void)meta;
}

static void start_put(struct mirror_carry *carry) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .meta = on_nothing,
                                            .next = on_next, .alive = on_alive,
                                            .done = on_put_done};
  const struct sluice_put put = {.length = (int64_t)carry->length};
  carry->put = sluice_ask_put(carry->handle->stores[carry->to], NULL, &put,
                              &heard, carry);
}

static void on_removed(void *arg, enum sluice_status status, const char *why) {
  struct mirror_carry *carry = arg;
  carry->put = NULL;
  carry_end(carry, status == SLUICE_ENOENT ? SLUICE_OK : status, why);
}

static void start_remove(struct mirror_carry *carry) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .alive = on_alive,
                                            .done = on_removed};
  carry->put = sluice_ask_remove(carry->handle->stores[carry->to], NULL,
                                 carry->key, &heard, carry);
}

/* ---- the get ------------------------------------------------------------ */

static void on_meta(void *arg, const struct sluice_meta *meta) {
  static const struct sluice_pair none[] = {{NULL, NULL}};
  struct mirror_carry *carry = arg;
  if (carry->told)
    return;
  goes_on(carry);
  carry->length = meta->length;
  if (meta->md5 != NULL)
    snprintf(carry->wanted_sum, sizeof carry->wanted_sum, "%s", meta->md5);
  const struct sluice_object object = {
      .key = carry->key,
      .type = meta->type == NULL ? "application/octet-stream" : meta->type,
      .length = meta->length,
      .user = meta->user == NULL ? none : meta->user};
  carry->object =
      wish_keep(&(struct wish){.kind = WISH_STAGE, .of.stage.object = &object},
                carry->handle->host);
  if (carry->object == NULL) {
    carry_end(carry, SLUICE_ENOMEM, "no memory is left for an object");
  } else if (meta->encoding != NULL) {
    carry_end(carry, SLUICE_EINVAL,
              "it has a Content-Encoding, which can't be kept");
  } else {
    if (meta->length > 0)
      sluice_ask_read(carry->get, 0, meta->length);
    else
      sluice_ask_cancel(carry->get);
    start_put(carry);
  }
}

static void on_got(void *arg, enum sluice_status status, const char *why) {
  struct mirror_carry *carry = arg;
  carry->get = NULL;
  if (carry->told)
    carry_settle(carry);
  else if (status == SLUICE_ENOENT && carry->object == NULL)
    start_remove(carry);
  else if (carry->object == NULL && status == SLUICE_OK)
    carry_end_first(carry, SLUICE_EUPSTREAM, "the first storage said nothing");
  else if (status != SLUICE_OK && (carry->object == NULL || carry->length > 0))
    carry_end_first(carry, status, why);
}

/* ---- start -------------------------------------------------------------- */

struct mirror_carry *carry_start(struct mirror_handle *handle, const char *key,
                                 unsigned to,
                                 const struct carry_events *events,
                                 void *arg) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .meta = on_meta,
                                            .chunk = on_chunk,
                                            .alive = on_alive, .done = on_got};
  if (!sluice_memory_take(handle->host, sizeof(struct mirror_carry)))
    return NULL;
  struct mirror_carry *carry = calloc(1, sizeof *carry);
  if (carry == NULL) {
    sluice_memory_give(handle->host, sizeof *carry);
    return NULL;
  }
  carry->handle = handle;
  carry->events = events;
  carry->arg = arg;
  carry->to = to;
  carry->key = strdup(key);
  carry->md5 = digest_new(DIGEST_MD5);
  carry->timer = evtimer_new(sluice_loop(handle->host), on_timer, carry);
  if (carry->key == NULL || carry->md5 == NULL || carry->timer == NULL) {
    carry_free(carry);
    return NULL;
  }
  const struct sluice_get get = {.key = carry->key, .count = UINT64_MAX};
  carry->get = sluice_ask_get(handle->stores[0], NULL, &get, &heard, carry);
  mirror_wait(carry->timer, handle->shared->conf->timeout_ms);
  return carry;
}
