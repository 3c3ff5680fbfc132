/* SPDX-License-Identifier: MIT
 *
 * The chore that an S3 storage has: `sluice sweep` of multipart uploads that
 * nobody completes, in a process of its own and on a loop of its own.
 */
#include <event2/event.h>
#include <string.h>

#include "client.h"

struct s3_chore_sweep {
  struct s3_loop loop;
  const struct sluice_chore *chore;
  uint64_t found;
  enum sluice_status status;
};

static void chore_on_found(void *arg, const char *key, int64_t age_ms) {
  struct s3_chore_sweep *sweep = arg;
  bool gone = (sweep->chore->flags & SLUICE_CHORE_DO) != 0;
  struct errmsg text;
  errmsg_set(&text, "an upload that was begun %lld s ago and never ended%s",
             (long long)(age_ms / 1000),
             gone ? "; it is given up" : "; --do gives it up");
  const struct sluice_finding finding = {
      SLUICE_FINDING, .what = "unfinished-upload", .key = key,
      .text = text.text, .good = gone};
  sweep->found++;
  sweep->chore->tell(sweep->chore->arg, &finding);
}

static void chore_on_swept(void *arg, enum sluice_status status) {
  struct s3_chore_sweep *sweep = arg;
  sweep->status = status;
  event_base_loopbreak(sweep->loop.base);
}

static bool chore_sweep(struct s3_chore_sweep *sweep, struct s3 *s3,
                        struct sluice_host *host) {
  struct event_base *base = event_base_new();
  bool ok = base != NULL && s3_loop_init(&sweep->loop, s3, host, base, true);
  if (ok) {
    s3_sweep_start(&sweep->loop,
                   &(struct s3_sweep){
                       .found = chore_on_found,
                       .look = (sweep->chore->flags & SLUICE_CHORE_DO) == 0,
                       .done = chore_on_swept,
                       .arg = sweep});
    event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY);
    s3_loop_fini(&sweep->loop);
  } else {
    sluice_fail(host, "out of memory");
  }
  if (base != NULL)
    event_base_free(base);
  if (ok && sweep->status != SLUICE_OK)
    sluice_fail(host, "not all of them could be listed and given up; the "
                      "lines above say why, run it again");
  return ok && sweep->status == SLUICE_OK;
}

enum sluice_status s3_chore(const struct s3_conf *conf,
                            struct sluice_host *host,
                            const struct sluice_chore *chore,
                            const struct s3_dialect *dialect) {
  struct s3_chore_sweep sweep = {.chore = chore};
  struct s3_conf own = *conf;
  if (chore->kind != SLUICE_CHORE_SWEEP)
    return SLUICE_ENOTSUP;
  own.create_bucket = false;
  own.sweep_uploads_ms = 0; /* not while it starts */
  struct s3 *s3 = s3_start(&own, host, dialect);
  if (s3 == NULL)
    return SLUICE_EUPSTREAM;
  own.sweep_uploads_ms = chore->older_ms;
  bool ok = chore_sweep(&sweep, s3, host);
  s3_stop(s3);
  if (ok)
    chore->count(chore->arg, "found", sweep.found);
  return ok ? SLUICE_OK : SLUICE_EUPSTREAM;
}
