/* SPDX-License-Identifier: MIT
 *
 * The end of a stage: it becomes an object, or is removed.
 */
#include "resumable.h"

#include <string.h>

#include "codec.h"
#include "date.h"
#include "must.h"
#include "upload_expiry.h"
#include "upload_hooks.h"

#define KEPT_S 3600 /* after it is complete: the last answer may be lost */

static void resumable_end_commit(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  struct upload *upload = &r->upload;
  unsigned char state[RESUMABLE_STATE];
  upload->object = (struct sluice_object){.key = ex->key,
                                          .type = upload->type,
                                          .length = upload->size,
                                          .md5 = upload->md5_hex,
                                          .user = upload_describe(upload),
                                          .exclusive = true};
  struct sluice_save save = resumable_state(r, state);
  save.expires_s = date_now_ms() / 1000 + KEPT_S;
  r->expires_s = save.expires_s;
  exchange_change(ex);
  ex->op = r->op;
  op_stage_commit(r->op, &upload->object, &save);
}

static void resumable_end_note(struct exchange *ex) {
  upload_expiry_set(ex, resumable_end_commit);
}

void resumable_read_sums(struct resumable *r) {
  unsigned char md5[MD5_LEN];
  struct md5 running = r->upload.md5;
  md5_final(&running, md5);
  codec_hex(r->upload.md5_hex, md5, sizeof md5);
  updigest_sum(r->upload.digest);
}

static void misfit(struct exchange *ex) {
  if (resumable_of(ex)->act == RESUMABLE_LOOK)
    resumable_unknown(ex);
  else
    updigest_refuse(ex, "Repr-Digest");
}

void resumable_commit(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  if (updigest_misfit(r->upload.digest) != NULL) {
    resumable_kill(ex, misfit);
    return;
  }
  resumable_read_sums(r);
  r->length = (int64_t)r->upload.size;
  r->state = RESUMABLE_COMMITTING;
  upload_hooks_ask(ex, ex->asked, NULL, resumable_end_note);
}

static void on_killed(void *arg, enum sluice_status status, const char *why) {
  struct exchange *ex = arg;
  (void)status, (void)why; /* it expires */
  ex->op = NULL;
  resumable_of(ex)->killed(ex);
}

void resumable_kill(struct exchange *ex, void (*then)(struct exchange *)) {
  static const struct op_events events_of_end = {.alive = exchange_alive,
                                                 .done = on_killed};
  struct resumable *r = resumable_of(ex);
  must(r->state == RESUMABLE_WANTS && r->upload.hash != UPLOAD_HASHING);
  op_leave(r->op, NULL, NULL);
  r->op = NULL;
  r->killed = then;
  r->told = true; /* nothing is left to be removed */
  exchange_watch(ex);
  ex->op = op_stage_remove(r->backend, r->stage, &events_of_end, ex);
}
