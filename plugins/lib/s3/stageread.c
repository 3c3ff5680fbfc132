/* SPDX-License-Identifier: MIT
 *
 * A list, then a GET.
 */
#include "stageread.h"

#include <stdio.h>

#include "eraser.h"

/* ---- the record --------------------------------------------------------- */

static bool stageread_on_text(void *arg, const char *data, size_t len) {
  struct stageread *reading = arg;
  buf_add(&reading->text, data, len);
  return true;
}

static void stageread_on_read(void *arg, struct s3_call *call,
                              const struct s3_answer *answer) {
  struct stageread *reading = arg;
  (void)call;
  reading->call = NULL;
  if (answer->status == SLUICE_ENOENT)
    reading->done(reading->arg, SLUICE_EPRECOND,
                  "another request has the stage by now");
  else if (answer->status != SLUICE_OK)
    reading->done(reading->arg, answer->status, answer->why);
  else if (reading->text.overflown ||
           !stagerecord_read(&reading->record, reading->text.data))
    reading->done(reading->arg, SLUICE_EUPSTREAM,
                  "the record of a stage can't be read");
  else
    reading->done(reading->arg, SLUICE_OK, NULL);
}

static void read_record(struct stageread *reading,
                        const struct stagename_record *which) {
  static const struct s3_events events = {.data = stageread_on_text,
                                          .done = stageread_on_read};
  stagename_write(reading->key, reading->base, which);
  reading->request = (struct s3_request){
      .op = reading->op, .method = "GET", .key = reading->key};
  reading->call =
      s3_call_start(reading->loop, &reading->request, &events, reading);
}

/* ---- the list ----------------------------------------------------------- */

/* Nobody needs a record behind the newest one but that which counts. */
static bool stageread_on_key(void *arg, const char *key) {
  struct stageread *reading = arg;
  struct stagename_record record;
  if (!stagename_read(&record, key))
    return true;
  bool needless = (reading->look.has_open ||
                   (reading->look.any && record.kind == STAGENAME_TAKEN)) &&
                  record.kind != STAGENAME_GOING;
  if (reading->tidy && !reading->look.ended && needless)
    eraser_add(reading->loop->eraser, key);
  stagename_look(&reading->look, &record);
  return true;
}

static void stageread_on_listed(void *arg, enum sluice_status status,
                                const char *why) {
  struct stageread *reading = arg;
  const struct stagename_look *look = &reading->look;
  bool gone = look->ended;
  if (status != SLUICE_OK) {
    reading->done(reading->arg, status, why);
  } else if (look->any && look->newest.kind == STAGENAME_DONE) {
    reading->complete = true;
    read_record(reading, &look->newest);
  } else if (!look->has_open || (gone && !reading->gone_too)) {
    reading->done(reading->arg, SLUICE_ENOENT, "there is no such stage");
  } else {
    read_record(reading, &look->open);
  }
}

void stageread_start(struct stageread *reading) {
  reading->look = (struct stagename_look){0};
  reading->complete = false;
  buf_init(&reading->text, STAGERECORD_MAX);
  snprintf(reading->prefix, sizeof reading->prefix, "%sr/", reading->base);
  reading->listing = (struct s3_listing){.loop = reading->loop,
                                         .op = reading->op,
                                         .prefix = reading->prefix,
                                         .key = stageread_on_key,
                                         .done = stageread_on_listed,
                                         .arg = reading};
  s3_listing_start(&reading->listing);
}

void stageread_fini(struct stageread *reading) {
  s3_listing_cancel(&reading->listing);
  if (reading->call != NULL)
    s3_call_cancel(reading->call);
  reading->call = NULL;
  buf_fini(&reading->text);
  stagerecord_fini(&reading->record);
}
