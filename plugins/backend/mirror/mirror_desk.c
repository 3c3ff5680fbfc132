/* SPDX-License-Identifier: MIT
 *
 * The lane's side: a batch of jobs, then one sync for all that were taken.
 */
#include "mirror_desk.h"

#include <string.h>

#include "clock.h"

static enum mirror_state state_of(const struct arrears *arrears) {
  if (arrears_is_broken(arrears))
    return MIRROR_BROKEN;
  if (arrears_is_unwritten(arrears))
    return MIRROR_UNWRITTEN;
  return arrears_is_full(arrears) ? MIRROR_FULL : MIRROR_WELL;
}

static void desk_count_one(struct mirror *shared, unsigned i) {
  size_t owed = arrears_count(shared->arrears, i);
  atomic_store(&shared->owed[i], owed);
  sluice_gauge(shared->host, SLUICE_SERIES(MIRROR_BEHIND, i), (int64_t)owed);
}

void desk_count(struct mirror *shared) {
  for (unsigned i = 0; i < shared->count; i++)
    desk_count_one(shared, i);
  enum mirror_state state = state_of(shared->arrears);
  atomic_store(&shared->state, state);
  sluice_gauge(shared->host, MIRROR_QUEUE_STATE, state != MIRROR_WELL);
}

static void serve(struct mirror *shared, struct desk_job *job) {
  struct arrears *arrears = shared->arrears;
  const char *next;
  switch (job->wish) {
  case DESK_TAKE:
    job->answer = arrears_take(arrears, job->key, &job->owed, &job->late);
    break;
  case DESK_LEAVE:
    arrears_leave(arrears, job->key, job->owed, job->late);
    if (job->postpone)
      arrears_postpone(arrears, job->key, clock_ms());
    break;
  case DESK_OVER:
    arrears_over(arrears, job->key, job->late);
    break;
  case DESK_LOOK:
    job->owed = arrears_owed(arrears, job->key);
    break;
  case DESK_NEXT:
    next = arrears_next(arrears, clock_ms(), job->owed, &job->late);
    job->next = next == NULL ? NULL : strdup(next);
    job->owed = next == NULL ? 0 : arrears_owed(arrears, next);
    if (next != NULL && job->next == NULL)
      arrears_leave(arrears, next, job->owed, 0);
    break;
  }
}

void desk_run(void *arg, void **jobs, size_t count) {
  struct mirror *shared = arg;
  for (size_t i = 0; i < count; i++)
    serve(shared, jobs[i]);
  bool synced = true, taken = false, tries = false;
  for (size_t i = 0; i < count; i++) {
    const struct desk_job *job = jobs[i];
    taken = taken || (job->wish == DESK_TAKE && job->answer == ARREARS_TAKEN);
    tries = tries || job->wish == DESK_NEXT;
  }
  if (taken)
    synced = arrears_sync(shared->arrears);
  else if (tries && arrears_is_unwritten(shared->arrears))
    arrears_try(shared->arrears);
  else
    arrears_flush(shared->arrears);
  for (size_t i = 0; !synced && i < count; i++) {
    struct desk_job *job = jobs[i];
    if (job->wish == DESK_TAKE && job->answer == ARREARS_TAKEN)
      job->answer = arrears_is_broken(shared->arrears) ? ARREARS_FAILED
                                                       : ARREARS_UNWRITTEN;
  }
  desk_count(shared);
}

static void desk_then(void *arg) {
  struct desk_job *job = arg;
  job->then(job->arg);
}

void desk_ask(struct mirror_handle *handle, struct desk_job *job) {
  job->shared = handle->shared;
  sluice_lane_add(handle->shared->lane, handle->host, job, desk_then);
}
