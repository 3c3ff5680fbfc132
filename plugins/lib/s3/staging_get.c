/* SPDX-License-Identifier: MIT
 *
 * The durable bytes of a stage, read by somebody who doesn't open it.
 */
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "stagefetch.h"
#include "stageread.h"
#include "task.h"

#define CHUNK 65536 /* no less than curl gives at once */
#define COST (sizeof(struct stage_get) + 32768)

struct stage_get {
  struct s3_loop *loop;
  struct sluice_op *op;
  struct stageread reading;
  struct stagefetch fetch;
  char base[STAGENAME_BASE_LEN + 1];
  uint64_t left; /* to be sent */
  bool lent, wanted;
  enum sluice_status failure; /* kept while a chunk is lent */
  char data[CHUNK];
};

static void stage_get_end(struct stage_get *get, enum sluice_status status,
                          const char *why) {
  struct sluice_op *op = get->op;
  if (status == SLUICE_OK)
    sluice_done(op, SLUICE_OK, NULL);
  else
    sluice_done(op, status, "%s", why);
  stagefetch_cancel(&get->fetch);
  stageread_fini(&get->reading);
  sluice_memory_give(get->loop->host, COST);
  free(get);
}

static void stage_get_cancel(void *work) {
  stage_get_end(work, SLUICE_ECANCELED, "canceled");
}

static bool on_bytes(void *arg, const char *data, size_t len) {
  struct stage_get *get = arg;
  if (get->lent || !get->wanted)
    return false;
  must(len <= sizeof get->data);
  memcpy(get->data, data, len);
  get->lent = true;
  get->wanted = false;
  get->left -= len;
  sluice_send(get->op, &(struct sluice_chunk){.data = get->data,
                                              .length = len,
                                              .fd = -1,
                                              .last = get->left == 0});
  return true;
}

static void on_fetched(void *arg, enum sluice_status status, const char *why) {
  struct stage_get *get = arg;
  if (status == SLUICE_OK)
    return; /* the rest is between the gateway and us */
  if (get->lent)
    get->failure = status;
  else
    stage_get_end(get, status, why);
}

static void stage_get_more(void *work) {
  struct stage_get *get = work;
  get->lent = false;
  get->wanted = true;
  if (get->failure != SLUICE_OK)
    stage_get_end(get, get->failure, "a stage's bytes can't be read");
  else if (get->left == 0)
    stage_get_end(get, SLUICE_OK, NULL);
  else
    stagefetch_go_on(&get->fetch);
}

static void stage_get_read(void *work, uint64_t first, uint64_t count) {
  struct stage_get *get = work;
  uint64_t length = stagerecord_offset(&get->reading.record);
  if (first > length || (first == length && length > 0)) {
    stage_get_end(get, SLUICE_ERANGE, "the stage ends before that");
    return;
  }
  get->left = count < length - first ? count : length - first;
  get->wanted = true;
  if (get->left == 0) {
    get->lent = true;
    sluice_send(get->op,
                &(struct sluice_chunk){.data = "", .fd = -1, .last = true});
    return;
  }
  get->fetch = (struct stagefetch){.loop = get->loop,
                                   .op = get->op,
                                   .base = get->base,
                                   .record = &get->reading.record,
                                   .first = first,
                                   .left = get->left,
                                   .data = on_bytes,
                                   .done = on_fetched,
                                   .arg = get};
  stagefetch_start(&get->fetch);
}

static void staging_get_on_described(void *arg, enum sluice_status status,
                                     const char *why) {
  struct stage_get *get = arg;
  struct sluice_meta meta = SLUICE_META;
  if (status == SLUICE_OK && get->reading.complete)
    status = SLUICE_ENOENT; /* its bytes are an object's */
  if (status != SLUICE_OK) {
    stage_get_end(get, status, why == NULL ? "it is an object" : why);
    return;
  }
  meta.length = stagerecord_offset(&get->reading.record);
  sluice_meta(get->op, &meta);
}

void s3_stage_get(void *handle, struct sluice_op *op, const char *id) {
  struct s3_loop *loop = handle;
  char base[STAGENAME_BASE_LEN + 1];
  if (!stagename_base(base, id)) {
    sluice_done(op, SLUICE_ENOENT, "there is no such stage");
    return;
  }
  if (!sluice_memory_take(loop->host, COST)) {
    sluice_done(op, SLUICE_ENOMEM, "no memory to read a stage");
    return;
  }
  struct stage_get *get = calloc(1, sizeof *get);
  must_have(get); /* taken */
  get->loop = loop;
  get->op = op;
  memcpy(get->base, base, sizeof base);
  get->reading = (struct stageread){.loop = loop,
                                    .op = op,
                                    .base = get->base,
                                    .done = staging_get_on_described,
                                    .arg = get};
  *s3_task_of(op) = (struct s3_task){.cancel = stage_get_cancel,
                                     .work = get,
                                     .read = stage_get_read,
                                     .more = stage_get_more};
  stageread_start(&get->reading);
}
