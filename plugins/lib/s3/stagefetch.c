/* SPDX-License-Identifier: MIT
 *
 * A GET of each object in turn.  One that breaks off is gone on with.
 */
#include "stagefetch.h"

#include <stdio.h>

#include "task.h"

#define BREAKS 3 /* of one object */

static void stagefetch_ask(struct stagefetch *fetch);

/* The object that has the next byte. */
static void stagefetch_find(struct stagefetch *fetch) {
  const struct stagerecord *record = fetch->record;
  uint32_t segments = stagerecord_segments(record);
  uint64_t index = fetch->first / record->part_size, size = record->part_size;
  if (index < segments) {
    fetch->inner = fetch->first % record->part_size;
    stagename_segment(fetch->key, fetch->base, (uint32_t)index,
                      stagerecord_session(record, (uint32_t)index));
  } else {
    const struct stagepiece *piece = record->pieces;
    fetch->inner = fetch->first - segments * record->part_size;
    while (fetch->inner >= piece->size)
      fetch->inner -= piece++->size;
    size = piece->size;
    stagename_piece(fetch->key, fetch->base, piece->session, piece->number);
  }
  fetch->wanted = size - fetch->inner;
  if (fetch->wanted > fetch->left)
    fetch->wanted = fetch->left;
}

static void stagefetch_on_head(void *arg, struct s3_call *call) {
  struct stagefetch *fetch = arg;
  struct s3_span span;
  if (s3_span(call, &span) && span.first == fetch->inner &&
      span.count == fetch->wanted)
    return;
  fetch->call = NULL;
  s3_call_cancel(call);
  fetch->done(fetch->arg, SLUICE_EUPSTREAM,
              "an object of a stage isn't what was stored");
}

static bool stagefetch_on_data(void *arg, const char *data, size_t len) {
  struct stagefetch *fetch = arg;
  if (len > fetch->wanted)
    len = (size_t)fetch->wanted; /* the head has said that there is no more */
  if (!fetch->data(fetch->arg, data, len)) {
    fetch->stopped = true;
    return false;
  }
  fetch->inner += len;
  fetch->first += len;
  fetch->wanted -= len;
  fetch->left -= len;
  return true;
}

static void stagefetch_on_done(void *arg, struct s3_call *call,
                               const struct s3_answer *answer) {
  struct stagefetch *fetch = arg;
  (void)call;
  fetch->call = NULL;
  if (fetch->left == 0) {
    fetch->done(fetch->arg, SLUICE_OK, NULL);
  } else if (fetch->wanted == 0) {
    fetch->breaks = 0;
    stagefetch_ask(fetch);
  } else if (answer->status == SLUICE_ENOENT) {
    fetch->done(fetch->arg, SLUICE_EUPSTREAM, answer->why);
  } else if (fetch->breaks++ < BREAKS) {
    stagefetch_ask(fetch);
  } else {
    fetch->done(fetch->arg,
                answer->status == SLUICE_OK ? SLUICE_EUPSTREAM
                                            : answer->status,
                answer->why);
  }
}

static void stagefetch_ask(struct stagefetch *fetch) {
  static const struct s3_events events = {.head = stagefetch_on_head,
                                          .data = stagefetch_on_data,
                                          .done = stagefetch_on_done};
  stagefetch_find(fetch);
  snprintf(fetch->range, sizeof fetch->range, "bytes=%llu-%llu",
           (unsigned long long)fetch->inner,
           (unsigned long long)(fetch->inner + fetch->wanted - 1));
  fetch->stopped = false;
  fetch->request = (struct s3_request){.op = fetch->op,
                                       .method = "GET",
                                       .key = fetch->key,
                                       .headers = {{"Range", fetch->range}}};
  fetch->call = s3_call_start(fetch->loop, &fetch->request, &events, fetch);
}

void stagefetch_start(struct stagefetch *fetch) {
  fetch->breaks = 0;
  stagefetch_ask(fetch);
}

void stagefetch_go_on(struct stagefetch *fetch) {
  bool stopped = fetch->stopped;
  fetch->stopped = false;
  if (stopped && fetch->call != NULL)
    s3_call_continue(fetch->call);
}

void stagefetch_cancel(struct stagefetch *fetch) {
  if (fetch->call != NULL)
    s3_call_cancel(fetch->call);
  fetch->call = NULL;
}
