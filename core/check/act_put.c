/* SPDX-License-Identifier: MIT
 *
 * Puts: chunk after chunk from two buffers in turn, each spoiled when it came
 * back, then the commit.
 */
#include "act.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "digest.h"

#define POISON 0xdd

static size_t chunk_size(const struct act *act) {
  return act->put.chunk == 0 ? ACT_CHUNK : act->put.chunk;
}

static void lend(struct act *act) {
  const struct act_put *put = &act->put;
  uint64_t left = put->sample.length - act->sent;
  size_t len = left < chunk_size(act) ? (size_t)left : chunk_size(act);
  char *buffer = act->buffers[act->filling];
  act->filling = 1 - act->filling;
  sample_bytes(&put->sample, act->sent, buffer, len);
  digest_update(act->digest, buffer, len);
  act->sent += len;
  act->last_sent =
      put->empty_last ? len == 0 : act->sent == put->sample.length;
  struct sluice_chunk chunk = {
      .data = buffer, .length = len, .fd = -1, .last = act->last_sent};
  lab_enter(act->lab, "data");
  op_data(act->op, &chunk);
  lab_leave(act->lab);
  digest_wipe(&chunk, sizeof chunk);
}

static void commit(struct act *act) {
  static const struct sluice_pair none[] = {{NULL, NULL}};
  const struct act_put *put = &act->put;
  struct sluice_pair user[OP_USER_MAX + 1] = {{NULL, NULL}};
  const struct sluice_pair *from = put->user == NULL ? none : put->user;
  unsigned char md5[DIGEST_MD5_LEN];
  for (size_t i = 0; from[i].name != NULL; i++) {
    user[i].name = act_lend(act, from[i].name);
    user[i].value = act_lend(act, from[i].value);
  }
  digest_final(act->digest, md5);
  codec_hex(act->md5, md5, sizeof md5);
  struct sluice_object object = {
      .key = act_lend(act, put->key),
      .type = act_lend(act, put->type == NULL ? "application/octet-stream"
                                              : put->type),
      .length = put->sample.length,
      .md5 = act_lend(act, act->md5),
      .user = user,
      .exclusive = put->exclusive};
  act->committed = act->changing = true;
  lab_enter(act->lab, "commit");
  op_commit(act->op, &object);
  lab_leave(act->lab);
  act_spoil(act);
  digest_wipe(&object, sizeof object);
  digest_wipe(user, sizeof user);
}

static void on_next(void *arg) {
  struct act *act = arg;
  act_event(act, "sluice_next()");
  if (act->lab->poison_chunks) /* what came back */
    memset(act->buffers[1 - act->filling], POISON, chunk_size(act) + 1);
  if (act_step(act))
    return;
  if (act->last_sent && act->put.hold) {
    act->held = true;
    return;
  }
  if (act->last_sent)
    commit(act);
  else
    lend(act);
  act_step(act);
}

void act_commit(struct act *act) {
  commit(act);
}

void act_start_put(struct act *act, const struct act_put *put) {
  static const struct op_events events = {.next = on_next,
                                          .done = act_on_done};
  act->put = *put;
  act->digest = digest_new(DIGEST_MD5);
  act->buffers[0] = malloc(chunk_size(act) + 1);
  act->buffers[1] = malloc(chunk_size(act) + 1);
  if (act->digest == NULL || act->buffers[0] == NULL ||
      act->buffers[1] == NULL)
    abort();
  int64_t length = put->hinted ? (int64_t)put->sample.length + put->slack : -1;
  struct sluice_put lent = {.length = length};
  act_begin(act, "put", put->key);
  struct sluice_op *op = op_put(&act->lab->handle, &lent, &events, act);
  act_begun(act, op);
}
