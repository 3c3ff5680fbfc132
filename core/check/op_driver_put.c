/* SPDX-License-Identifier: MIT
 *
 * Puts: chunk after chunk from two buffers in turn, each spoiled when it came
 * back, then the commit.
 */
#include "op_driver.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec.h"
#include "digest.h"

#define POISON 0xdd

static size_t chunk_size(const struct op_driver *driver) {
  return driver->put.chunk == 0 ? OP_DRIVER_CHUNK : driver->put.chunk;
}

static void op_driver_put_lend(struct op_driver *driver) {
  const struct op_driver_put *put = &driver->put;
  uint64_t left = put->sample.length - driver->sent;
  size_t len = left < chunk_size(driver) ? (size_t)left : chunk_size(driver);
  char *buffer = driver->buffers[driver->filling];
  driver->filling = 1 - driver->filling;
  sample_bytes(&put->sample, driver->sent, buffer, len);
  digest_update(driver->digest, buffer, len);
  driver->sent += len;
  driver->last_sent =
      put->empty_last ? len == 0 : driver->sent == put->sample.length;
  struct sluice_chunk chunk = {
      .data = buffer, .length = len, .fd = -1, .last = driver->last_sent};
  fixture_enter(driver->fixture, "data");
  op_data(driver->op, &chunk);
  fixture_leave(driver->fixture);
  digest_wipe(&chunk, sizeof chunk);
}

/* Its object, but for length and MD5. */
static struct sluice_object object_of(struct op_driver *driver,
                                      struct sluice_pair *user) {
  static const struct sluice_pair none[] = {{NULL, NULL}};
  const struct op_driver_put *put = &driver->put;
  const struct sluice_pair *from = put->user == NULL ? none : put->user;
  for (size_t i = 0; from[i].name != NULL; i++) {
    user[i].name = op_driver_lend(driver, from[i].name);
    user[i].value = op_driver_lend(driver, from[i].value);
  }
  return (struct sluice_object){
      .key = op_driver_lend(driver, put->key),
      .type = op_driver_lend(
          driver, put->type == NULL ? "application/octet-stream" : put->type),
      .user = user,
      .exclusive = put->exclusive,
      .if_match = op_driver_lend(driver, put->if_match)};
}

static void op_driver_put_commit(struct op_driver *driver) {
  struct sluice_pair user[OP_USER_MAX + 1] = {{NULL, NULL}};
  struct sluice_object object = object_of(driver, user);
  unsigned char md5[DIGEST_MD5_LEN];
  digest_final(driver->digest, md5);
  codec_hex(driver->md5, md5, sizeof md5);
  object.length = driver->put.sample.length;
  object.md5 = op_driver_lend(driver, driver->md5);
  driver->committed = driver->changing = true;
  fixture_enter(driver->fixture, "commit");
  op_commit(driver->op, &object);
  fixture_leave(driver->fixture);
  op_driver_spoil(driver);
  digest_wipe(&object, sizeof object);
  digest_wipe(user, sizeof user);
}

/* The bytes that a backend gives back are those that it was lent. */
static void op_driver_put_on_chunk(void *arg,
                                   const struct sluice_chunk *chunk) {
  struct op_driver *driver = arg;
  const struct sample *sample = &driver->put.sample;
  op_driver_event(driver, "sluice_send()");
  fixture_need(driver->fixture, chunk->length == sample->length,
               "%s: %llu bytes were put, and %llu came back", driver->what,
               (unsigned long long)sample->length,
               (unsigned long long)chunk->length);
  char *bytes = malloc((size_t)chunk->length + 1);
  if (bytes == NULL)
    abort();
  if (chunk->fd < 0)
    memcpy(bytes, chunk->data, (size_t)chunk->length);
  bool read =
      chunk->fd < 0 || pread(chunk->fd, bytes, (size_t)chunk->length,
                             (off_t)chunk->offset) == (ssize_t)chunk->length;
  fixture_need(driver->fixture,
               read && sample_is(sample, 0, bytes, (size_t)chunk->length),
               "%s: other bytes came back than were put", driver->what);
  free(bytes);
  driver->reread = true;
  fixture_enter(driver->fixture, "more");
  op_more(driver->op);
  fixture_leave(driver->fixture);
}

static void op_driver_put_reread(struct op_driver *driver) {
  fixture_enter(driver->fixture, "read");
  op_read(driver->op, 0, driver->put.sample.length);
  fixture_leave(driver->fixture);
}

static void op_driver_put_on_next(void *arg) {
  struct op_driver *driver = arg;
  op_driver_event(driver, "sluice_next()");
  if (driver->fixture->poison_chunks) /* what came back */
    memset(driver->buffers[1 - driver->filling], POISON,
           chunk_size(driver) + 1);
  if (op_driver_step(driver))
    return;
  if (driver->last_sent && driver->put.rereads && !driver->reread) {
    op_driver_put_reread(driver);
    return;
  }
  if (driver->last_sent && driver->put.hold) {
    driver->ready = true;
    return;
  }
  if (driver->last_sent)
    op_driver_put_commit(driver);
  else
    op_driver_put_lend(driver);
  op_driver_step(driver);
}

void op_driver_commit(struct op_driver *driver) {
  op_driver_put_commit(driver);
}

void op_driver_start_put(struct op_driver *driver,
                         const struct op_driver_put *put) {
  static const struct op_events events = {.meta = op_driver_on_head_meta,
                                          .chunk = op_driver_put_on_chunk,
                                          .next = op_driver_put_on_next,
                                          .alive = op_driver_on_alive,
                                          .done = op_driver_on_done};
  driver->put = *put;
  driver->digest = digest_new(DIGEST_MD5);
  driver->buffers[0] = malloc(chunk_size(driver) + 1);
  driver->buffers[1] = malloc(chunk_size(driver) + 1);
  if (driver->digest == NULL || driver->buffers[0] == NULL ||
      driver->buffers[1] == NULL)
    abort();
  int64_t length = put->hinted ? (int64_t)put->sample.length + put->slack : -1;
  struct sluice_put lent = {.length = length};
  struct sluice_pair user[OP_USER_MAX + 1] = {{NULL, NULL}};
  struct sluice_object object;
  if (put->early) {
    object = object_of(driver, user);
    lent.object = &object;
  }
  op_driver_begin(driver, "put", put->key);
  struct sluice_op *op =
      op_put(&driver->fixture->handle, &lent, &events, driver);
  if (put->early) {
    digest_wipe(&object, sizeof object);
    digest_wipe(user, sizeof user);
  }
  op_driver_begun(driver, op);
}
