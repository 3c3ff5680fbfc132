/* SPDX-License-Identifier: MIT
 *
 * Stages are removed: one that is named, or all that have expired.  A record
 * that says so comes before all others, so whoever has such a stage open sees
 * it with its next record; it stays until nobody can have it open any more.
 * A sweep says first that it looks, and looks once more behind that, as the
 * stage may have been saved just before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "digest.h"
#include "eraser.h"
#include "must.h"
#include "stageread.h"
#include "stagewrite.h"
#include "task.h"

#define KEPT_S 3600
#define DUE_MAX 256 /* stages of one sweep; the next one goes on */
#define COST (sizeof(struct stage_sweep) + 32768)

struct stage_due {
  char base[STAGENAME_BASE_LEN + 1];
  bool ended; /* so that all of it goes */
};

struct stage_sweep {
  struct s3_loop *loop;
  struct sluice_op *op;
  struct s3_listing listing;
  struct stagewrite writing;
  struct stageread reading;
  struct s3_call *call; /* NULL: none is under way */
  struct s3_request request;
  struct stagename_look look; /* at the stage that the list is at */
  char base[STAGENAME_BASE_LEN + 1];
  int64_t now_s;
  bool named;    /* one is to be removed, whatever it is */
  bool sweeping; /* parts of its commit are given up */
  bool canceled;
  char kept[STAGENAME_MAX];
  char going[STAGENAME_MAX]; /* this sweep's record of a look; "": none */
  struct stage_due due[DUE_MAX];
  size_t due_count, at;
};

static void stage_sweep_end(struct stage_sweep *sweep,
                            enum sluice_status status, const char *why) {
  struct sluice_op *op = sweep->op;
  if (!sweep->named)
    atomic_store(&sweep->loop->s3->sweeping, false);
  if (status == SLUICE_OK)
    sluice_done(op, SLUICE_OK, NULL);
  else
    sluice_done(op, status, "%s", why);
  if (sweep->call != NULL)
    s3_call_cancel(sweep->call);
  if (sweep->going[0] != '\0')
    eraser_add(sweep->loop->eraser, sweep->going);
  s3_listing_cancel(&sweep->listing);
  stagewrite_fini(&sweep->writing);
  stageread_fini(&sweep->reading);
  sluice_memory_give(sweep->loop->host, COST);
  free(sweep);
}

static void stage_sweep_cancel(void *work) {
  struct stage_sweep *sweep = work;
  sweep->canceled = true;
  if (!sweep->sweeping)
    stage_sweep_end(sweep, SLUICE_ECANCELED, "canceled");
}

static void next_due(struct stage_sweep *sweep);

/* ---- taken back --------------------------------------------------------- */

static void on_taken_back(void *arg, struct s3_call *call,
                          const struct s3_answer *answer) {
  struct stage_sweep *sweep = arg;
  (void)call;
  sweep->call = NULL;
  if (answer->status != SLUICE_OK && answer->status != SLUICE_ENOENT)
    sluice_log(sweep->loop->host, SLUICE_LOG_WARN,
               "a stage can't be opened for up to an hour, as a sweep's "
               "record can't be removed: %s",
               answer->why);
  next_due(sweep);
}

/* Nobody can open the stage while the record is there. */
static void take_back(struct stage_sweep *sweep) {
  static const struct s3_events events = {.done = on_taken_back};
  sweep->request = (struct s3_request){
      .op = sweep->op, .method = "DELETE", .key = sweep->going};
  sweep->call = s3_call_start(sweep->loop, &sweep->request, &events, sweep);
}

/* One that fails doesn't keep the others from being swept. */
static void stage_failed(struct stage_sweep *sweep, enum sluice_status status,
                         const char *why) {
  if (sweep->named) {
    stage_sweep_end(sweep, status, why);
    return;
  }
  sluice_log(sweep->loop->host, SLUICE_LOG_WARN,
             "a stage that has expired can't be removed yet: %s", why);
  if (sweep->going[0] != '\0')
    take_back(sweep);
  else
    next_due(sweep);
}

/* ---- all of a stage ----------------------------------------------------- */

static bool on_left(void *arg, const char *key) {
  struct stage_sweep *sweep = arg;
  if (strcmp(key, sweep->kept) != 0)
    eraser_add(sweep->loop->eraser, key);
  return true;
}

static void staging_sweep_on_erased(void *arg, enum sluice_status status,
                                    const char *why) {
  struct stage_sweep *sweep = arg;
  if (status != SLUICE_OK)
    stage_failed(sweep, status, why);
  else if (sweep->named)
    stage_sweep_end(sweep, SLUICE_OK, NULL);
  else
    next_due(sweep);
}

/* But `kept`, whose key may be "". */
static void erase(struct stage_sweep *sweep) {
  sweep->listing = (struct s3_listing){.loop = sweep->loop,
                                       .op = sweep->op,
                                       .prefix = sweep->base,
                                       .key = on_left,
                                       .done = staging_sweep_on_erased,
                                       .arg = sweep};
  s3_listing_start(&sweep->listing);
}

/* ---- one that takes bytes ----------------------------------------------- */

static void on_gone(void *arg, enum sluice_status status, const char *why) {
  struct stage_sweep *sweep = arg;
  if (status != SLUICE_OK)
    stage_failed(sweep, status, why);
  else
    erase(sweep);
}

static void say(struct stage_sweep *sweep, uint32_t turn,
                enum stagename_kind kind,
                void (*said)(void *, enum sluice_status, const char *)) {
  struct stagename_record record = {
      .turn = turn, .expires_s = date_now_ms() / 1000 + KEPT_S, .kind = kind};
  digest_random(&record.session, sizeof record.session);
  buf_clear(&sweep->writing.text);
  buf_adds(&sweep->writing.text, "sluice stage gone\n");
  stagename_write(sweep->kept, sweep->base, &record);
  if (kind == STAGENAME_GOING)
    memcpy(sweep->going, sweep->kept, sizeof sweep->going);
  stagewrite_start(&sweep->writing, sweep->base, &record, said, sweep);
}

/* A stage that is named was said to be gone before. */
static void staging_sweep_finish(struct stage_sweep *sweep) {
  if (sweep->named)
    erase(sweep);
  else
    say(sweep, STAGENAME_TURN_GONE, STAGENAME_GONE, on_gone);
}

static void staging_sweep_on_swept(void *arg, enum sluice_status status) {
  struct stage_sweep *sweep = arg;
  sweep->sweeping = false;
  if (sweep->canceled)
    stage_sweep_end(sweep, SLUICE_ECANCELED, "canceled");
  else if (status != SLUICE_OK)
    stage_failed(sweep, status,
                 "unfinished parts of its object can't be given up");
  else
    staging_sweep_finish(sweep);
}

/* The stage as it was before it was said to be gone. */
static void staging_sweep_on_read(void *arg, enum sluice_status status,
                                  const char *why) {
  struct stage_sweep *sweep = arg;
  const struct stageread *reading = &sweep->reading;
  bool lives =
      reading->look.has_open && reading->look.open.expires_s > sweep->now_s;
  if (status != SLUICE_OK && status != SLUICE_ENOENT) {
    stage_failed(sweep, status, why);
  } else if (!sweep->named && status == SLUICE_OK && lives) {
    take_back(sweep); /* it was saved meanwhile */
  } else if (status == SLUICE_OK && reading->record.committing &&
             key_is_made(reading->record.key)) {
    sweep->sweeping = true;
    s3_sweep_start(sweep->loop,
                   &(struct s3_sweep){.key = reading->record.key,
                                      .done = staging_sweep_on_swept,
                                      .arg = sweep});
  } else {
    staging_sweep_finish(sweep);
  }
}

static void staging_sweep_read_it(struct stage_sweep *sweep) {
  stageread_fini(&sweep->reading);
  sweep->reading = (struct stageread){.loop = sweep->loop,
                                      .op = sweep->op,
                                      .base = sweep->base,
                                      .gone_too = true,
                                      .done = staging_sweep_on_read,
                                      .arg = sweep};
  stageread_start(&sweep->reading);
}

static void on_said(void *arg, enum sluice_status status, const char *why) {
  struct stage_sweep *sweep = arg;
  if (status != SLUICE_OK)
    stage_failed(sweep, status, why);
  else
    staging_sweep_read_it(sweep);
}

/* ---- those that are due ------------------------------------------------- */

static void next_due(struct stage_sweep *sweep) {
  sweep->going[0] = '\0';
  if (sweep->at == sweep->due_count) {
    stage_sweep_end(sweep, SLUICE_OK, NULL);
    return;
  }
  const struct stage_due *due = &sweep->due[sweep->at++];
  memcpy(sweep->base, due->base, sizeof sweep->base);
  sweep->kept[0] = '\0';
  sluice_alive(sweep->op);
  if (due->ended)
    erase(sweep);
  else
    say(sweep, STAGENAME_TURN_GOING, STAGENAME_GOING, on_said);
}

/* The list has all of a stage. */
static void judge(struct stage_sweep *sweep) {
  const struct stagename_look *look = &sweep->look;
  bool ended = look->ended;
  int64_t expires = ended ? look->newest.expires_s : look->open.expires_s;
  bool expired = (ended || look->has_open) && expires <= sweep->now_s;
  bool lost = !ended && !look->has_open;
  if (sweep->base[0] != '\0' && (expired || lost) &&
      sweep->due_count < DUE_MAX) {
    struct stage_due *due = &sweep->due[sweep->due_count++];
    memcpy(due->base, sweep->base, sizeof due->base);
    due->ended = ended;
  }
  sweep->look = (struct stagename_look){0};
}

/* Records come first; behind the one of an end nothing is needed. */
static bool staging_sweep_on_key(void *arg, const char *key) {
  struct stage_sweep *sweep = arg;
  struct stagename_record record;
  char base[STAGENAME_BASE_LEN + 1];
  if (!stagename_folder(base, key))
    return true;
  if (strcmp(base, sweep->base) != 0) {
    judge(sweep);
    memcpy(sweep->base, base, sizeof base);
  }
  if (sweep->look.ended)
    eraser_add(sweep->loop->eraser, key);
  if (stagename_read(&record, key)) {
    bool stale = record.kind == STAGENAME_GOING &&
                 record.expires_s <= sweep->now_s; /* of a sweep that died */
    if (stale)
      eraser_add(sweep->loop->eraser, key);
    stagename_look(&sweep->look, &record);
  }
  return sweep->due_count < DUE_MAX;
}

static void staging_sweep_on_listed(void *arg, enum sluice_status status,
                                    const char *why) {
  struct stage_sweep *sweep = arg;
  if (status != SLUICE_OK) {
    stage_sweep_end(sweep, status, why);
    return;
  }
  if (sweep->due_count < DUE_MAX)
    judge(sweep);
  next_due(sweep);
}

/* ---- the vtable's ------------------------------------------------------- */

static struct stage_sweep *staging_sweep_start(struct s3_loop *loop,
                                               struct sluice_op *op) {
  if (!sluice_memory_take(loop->host, COST)) {
    sluice_done(op, SLUICE_ENOMEM, "no memory to remove stages");
    return NULL;
  }
  struct stage_sweep *sweep = calloc(1, sizeof *sweep);
  must_have(sweep); /* taken */
  sweep->loop = loop;
  sweep->op = op;
  stagewrite_init(&sweep->writing, loop, op);
  *s3_task_of(op) =
      (struct s3_task){.cancel = stage_sweep_cancel, .work = sweep};
  return sweep;
}

void s3_stage_sweep(void *handle, struct sluice_op *op, int64_t now_s) {
  struct s3_loop *loop = handle;
  if (atomic_exchange(&loop->s3->sweeping, true)) {
    sluice_done(op, SLUICE_OK, NULL); /* another loop is at it */
    return;
  }
  struct stage_sweep *sweep = staging_sweep_start(loop, op);
  if (sweep == NULL) {
    atomic_store(&loop->s3->sweeping, false);
    return;
  }
  sweep->now_s = now_s;
  sweep->listing = (struct s3_listing){.loop = sweep->loop,
                                       .op = op,
                                       .prefix = STAGENAME_ROOT,
                                       .key = staging_sweep_on_key,
                                       .done = staging_sweep_on_listed,
                                       .arg = sweep};
  s3_listing_start(&sweep->listing);
}

static bool staging_sweep_on_first(void *arg, const char *key) {
  struct stage_sweep *sweep = arg;
  struct stagename_record record;
  if (!stagename_read(&record, key))
    return true;
  stagename_look(&sweep->look, &record);
  return false;
}

static void staging_sweep_on_found(void *arg, enum sluice_status status,
                                   const char *why) {
  struct stage_sweep *sweep = arg;
  const struct stagename_look *look = &sweep->look;
  if (status != SLUICE_OK)
    stage_sweep_end(sweep, status, why);
  else if (!look->any || look->newest.kind == STAGENAME_GONE)
    stage_sweep_end(sweep, SLUICE_ENOENT, "there is no such stage");
  else
    say(sweep, STAGENAME_TURN_GONE, STAGENAME_GONE, on_said);
}

void s3_stage_remove(void *handle, struct sluice_op *op, const char *id) {
  struct stage_sweep *sweep = staging_sweep_start(handle, op);
  if (sweep == NULL)
    return;
  sweep->named = true;
  if (!stagename_base(sweep->base, id)) {
    stage_sweep_end(sweep, SLUICE_ENOENT, "there is no such stage");
    return;
  }
  sweep->listing = (struct s3_listing){.loop = sweep->loop,
                                       .op = op,
                                       .prefix = sweep->base,
                                       .max = 1,
                                       .key = staging_sweep_on_first,
                                       .done = staging_sweep_on_found,
                                       .arg = sweep};
  s3_listing_start(&sweep->listing);
}
