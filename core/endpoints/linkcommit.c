/* SPDX-License-Identifier: MIT
 *
 * A use is taken before the commit, so that of many at once no more are stored
 * than there are uses.
 */
#include "linkcommit.h"

#include "linkcheck.h"

static void on_used(void *arg, enum sluice_status status, const char *why,
                    const struct linkcount *count) {
  struct linkcommit *commit = arg;
  struct exchange *ex = commit->ex;
  (void)count;
  commit->taken = status == SLUICE_OK;
  if (status != SLUICE_OK) {
    linkcheck_refuse_count(ex, status, why);
    return;
  }
  exchange_unwatch(ex);
  commit->then(ex);
}

static void linkcommit_on_known(void *arg, enum sluice_status status,
                                const char *why) {
  struct linkcommit *commit = arg;
  struct exchange *ex = commit->ex;
  if (!linkcheck_known(ex, ex->link, status, why))
    return;
  if (ex->link->uses == 0) {
    exchange_unwatch(ex);
    commit->then(ex);
    return;
  }
  commit->use = (struct linkuses_waiter){.told = on_used, .arg = commit};
  linkuses_ask(ex->gate->linkuses, ex->request.backend, ex->link,
               LINKUSES_TAKE, &commit->use);
}

void linkcommit_ask(struct linkcommit *commit, struct exchange *ex,
                    void (*then)(struct exchange *)) {
  if (ex->link == NULL) {
    then(ex);
    return;
  }
  *commit = (struct linkcommit){.ex = ex, .then = then};
  commit->known =
      (struct revocations_waiter){.told = linkcommit_on_known, .arg = commit};
  exchange_watch(ex);
  revocations_ask(ex->gate->revocations, ex->request.backend,
                  REVOCATIONS_AGE_MS, &commit->known);
}

/* Whatever came of it: the client hears of the upload. */
static void on_given(void *arg, enum sluice_status status, const char *why,
                     const struct linkcount *count) {
  struct linkcommit *commit = arg;
  (void)status, (void)why, (void)count;
  commit->then(commit->ex);
}

void linkcommit_undo(struct linkcommit *commit, struct exchange *ex,
                     void (*then)(struct exchange *)) {
  if (!commit->taken) {
    then(ex);
    return;
  }
  commit->taken = false;
  commit->then = then;
  commit->use = (struct linkuses_waiter){.told = on_given, .arg = commit};
  linkuses_ask(ex->gate->linkuses, ex->request.backend, ex->link,
               LINKUSES_GIVE, &commit->use);
}

void linkcommit_leave(struct linkcommit *commit) {
  struct exchange *ex = commit->ex;
  if (ex == NULL)
    return;
  revocations_leave(ex->gate->revocations, ex->request.backend,
                    &commit->known);
  linkuses_leave(ex->gate->linkuses, &commit->use);
  commit->ex = NULL;
}
