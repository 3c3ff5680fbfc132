/* SPDX-License-Identifier: MIT
 *
 * A change: the first storage decides whether it takes place, between the key
 * being taken and being left; then the others follow.
 */
#include "mirror_write.h"

#include <event2/event.h>
#include <stdio.h>

#include "clock.h"

#define POLL_MS 5 /* for a key that somebody has */

static void write_settle(struct mirror_write *write);

/* ---- the answer --------------------------------------------------------- */

static void write_answer(struct mirror_write *write, enum sluice_status status,
                         const char *why) {
  struct sluice_op *op = write->op;
  if (op == NULL)
    return;
  write->op = NULL;
  mirror_op(op)->write = NULL;
  wish_end(op, status, why == NULL || why[0] == '\0' ? NULL : why);
}

static void write_note(struct mirror_write *write, enum sluice_status status,
                       const char *why) {
  if (write->status != SLUICE_OK)
    return;
  write->status = status;
  snprintf(write->why, sizeof write->why, "%s", why == NULL ? "" : why);
}

/* The client waits for the others. */
void write_alive(struct mirror_write *write) {
  bool streams =
      write->phase == PHASE_STREAM && write->first_ready && !write->next_said;
  if (write->op != NULL && (streams || write->phase == PHASE_OTHERS))
    sluice_alive(write->op);
}

/* ---- the key is left ---------------------------------------------------- */

static void on_desk(void *arg) {
  struct mirror_write *write = arg;
  write->job_out = false;
  if (write->phase == PHASE_LEAVING)
    write->phase = PHASE_LATE;
  write_settle(write);
}

static void write_ask_desk(struct mirror_write *write, enum desk_wish wish,
                           unsigned owed, unsigned late,
                           void (*then)(void *)) {
  write->job = (struct desk_job){.wish = wish,
                                 .key = write->key,
                                 .owed = owed,
                                 .late = late,
                                 .then = then,
                                 .arg = write};
  write->job_out = true;
  desk_ask(write->handle, &write->job);
}

static void write_leave_key(struct mirror_write *write, unsigned owed) {
  write->phase = PHASE_LEAVING;
  write->late_told = legs_in(write, LEG_LATE);
  evtimer_del(write->timer);
  write_ask_desk(write, DESK_LEAVE, owed, write->late_told, on_desk);
}

/* Nothing of it takes place, as far as anybody knows. */
void write_fail(struct mirror_write *write, enum sluice_status status,
                const char *why) {
  write_note(write, status, why);
  legs_leave(write);
  evtimer_del(write->timer);
  if (write->taken)
    write_leave_key(write, write->prior);
  else
    write->phase = PHASE_LATE;
  if (write->first != NULL)
    sluice_ask_cancel(write->first);
  else
    write_answer(write, write->status, write->why);
  write_settle(write);
}

/* The desk is told who isn't late any more; then all of it may go. */
static void write_settle(struct mirror_write *write) {
  if (write->phase != PHASE_LATE || write->job_out)
    return;
  unsigned over = write->late_told & ~legs_in(write, LEG_LATE);
  if (over != 0) {
    write->late_told &= ~over;
    write_ask_desk(write, DESK_OVER, 0, over, on_desk);
    return;
  }
  if (write->op == NULL && write->first == NULL && !legs_in_flight(write))
    write_free(write);
}

/* ---- the others --------------------------------------------------------- */

static unsigned write_enough(const struct mirror_write *write) {
  return write->handle->shared->enough;
}

static void write_end_others(struct mirror_write *write) {
  struct mirror *shared = write->handle->shared;
  unsigned owed = shared->others & ~legs_in(write, LEG_EQUAL);
  write_answer(write, SLUICE_EUPSTREAM,
               "the first storage has it, and fewer of the others than "
               "`acknowledge` says; they will have it later");
  write_leave_key(write, owed);
}

static void write_check_others(struct mirror_write *write) {
  unsigned equal = 1 + mirror_bits(legs_in(write, LEG_EQUAL));
  if (equal >= write_enough(write))
    write_answer(write, SLUICE_OK, NULL);
  if (legs_in(write, LEG_STORING) == 0)
    write_end_others(write);
}

static void write_others(struct mirror_write *write) {
  write->phase = PHASE_OTHERS;
  for (unsigned i = 1; i < write->handle->shared->count; i++) {
    struct leg *leg = &write->legs[i];
    bool asked = (write->missing >> i & 1) == 0 &&
                 !mirror_is_away(write->handle->shared, i);
    if (write->kind == WRITE_PUT ? leg->state == LEG_READY : asked)
      leg_store(leg);
  }
  mirror_wait(write->timer, write->handle->shared->conf->timeout_ms);
  write_check_others(write);
}

/* ---- the first ---------------------------------------------------------- */

static bool is_refusal(const struct mirror_write *write,
                       enum sluice_status status) {
  return !write->canceled &&
         (status == SLUICE_EEXIST || status == SLUICE_EPRECOND ||
          status == SLUICE_ENOENT || status == SLUICE_ENOTSUP);
}

/* Where nobody knows whether it took place, all the others lack it. */
static void write_decided(struct mirror_write *write,
                          enum sluice_status status, const char *why) {
  bool gone = write->kind == WRITE_REMOVE && status == SLUICE_ENOENT;
  if (status == SLUICE_OK || gone) {
    if (write->canceled)
      write_answer(write, SLUICE_OK, NULL);
    write_others(write);
    return;
  }
  legs_leave(write);
  write_answer(write, status, why);
  write_leave_key(write, is_refusal(write, status)
                             ? write->prior
                             : write->handle->shared->others);
}

void write_first_done(struct mirror_write *write, enum sluice_status status,
                      const char *why) {
  write->first = NULL;
  switch (write->phase) {
  case PHASE_FIRST:
    write_decided(write, status, why);
    break;
  case PHASE_STREAM:
    write_fail(write, status == SLUICE_OK ? SLUICE_EUPSTREAM : status, why);
    break;
  case PHASE_TAKING:
    write_note(write, status == SLUICE_OK ? SLUICE_EUPSTREAM : status, why);
    if (!write->job_out)
      write_fail(write, status, why);
    break;
  case PHASE_OTHERS:
  case PHASE_LEAVING:
  case PHASE_LATE:
    write_answer(write, write->status, write->why);
    write_settle(write);
    break;
  }
}

static void on_first_done(void *arg, enum sluice_status status,
                          const char *why) {
  write_first_done(arg, status, why);
}

static void on_first_next(void *arg) {
  struct mirror_write *write = arg;
  write->first_ready = true;
  write_check(write);
}

void write_first_meta(void *arg, const struct sluice_meta *meta) {
  struct mirror_write *write = arg;
  if (write->op != NULL)
    sluice_meta(write->op, meta);
}

const struct sluice_heard write_first_heard = {
    SLUICE_HEARD, .meta = write_first_meta, .next = on_first_next,
    .done = on_first_done};

static void write_ask_first(struct mirror_write *write) {
  struct sluice_store *store = write->handle->stores[0];
  const struct wish *wish = write->wish;
  write->phase = PHASE_FIRST;
  switch (write->kind) {
  case WRITE_PUT:
    sluice_ask_commit(write->first, wish->of.stage.object);
    break;
  case WRITE_STAGE:
    sluice_ask_stage_commit(write->first, wish->of.stage.object,
                            wish->of.stage.save);
    break;
  case WRITE_REMOVE:
  case WRITE_REMOVE_IF:
  case WRITE_COPY:
    write->first = wish_ask(wish, store, write->op, &write_first_heard, write);
    break;
  }
}

/* ---- the key is taken --------------------------------------------------- */

/* Whether enough of them can have it, of those that aren't `missing`. */
static bool write_can_do(const struct mirror_write *write) {
  const struct mirror *shared = write->handle->shared;
  unsigned able = 1;
  for (unsigned i = 1; i < shared->count; i++) {
    enum leg_state state = write->legs[i].state;
    if (write->kind == WRITE_PUT
            ? state == LEG_ASKED || state == LEG_READY
            : (write->missing >> i & 1) == 0 && !mirror_is_away(shared, i))
      able++;
  }
  return able >= write_enough(write);
}

static const char too_few[] =
    "fewer storages than `acknowledge` says can be written";

/* Those that may still be at an older change get this one later. */
static void write_taken(struct mirror_write *write) {
  write->taken = true;
  write->prior = write->job.owed;
  write->missing = write->job.late;
  for (unsigned i = 1; i < write->handle->shared->count; i++)
    if ((write->missing >> i & 1) != 0 && write->kind == WRITE_PUT &&
        write->legs[i].state == LEG_READY) {
      write->legs[i].state = LEG_LEAVING;
      sluice_ask_cancel(write->legs[i].ask);
    }
  if (write->canceled || write->status != SLUICE_OK)
    write_fail(write, SLUICE_ECANCELED, NULL);
  else if (!write_can_do(write))
    write_fail(write, SLUICE_EBUSY, too_few);
  else
    write_ask_first(write);
}

static void on_take(void *arg) {
  struct mirror_write *write = arg;
  write->job_out = false;
  if (write->job.answer != ARREARS_TAKEN &&
      (write->canceled || write->status != SLUICE_OK)) {
    write_fail(write, SLUICE_ECANCELED, NULL);
    return;
  }
  switch (write->job.answer) {
  case ARREARS_TAKEN:
    write_taken(write);
    break;
  case ARREARS_BUSY:
    if (clock_ms() < write->deadline_ms)
      mirror_wait(write->timer, POLL_MS);
    else
      write_fail(write, SLUICE_EBUSY, "others change this key");
    break;
  case ARREARS_FULL:
    write_fail(write, SLUICE_EBUSY,
               "the queue of what storages lack is full; mend them, or write "
               "a larger `queue`");
    break;
  case ARREARS_UNWRITTEN:
    write_fail(write, SLUICE_ENOSPC,
               "the queue of what storages lack can't be written now; look "
               "after the room on the disk of `directory`");
    break;
  case ARREARS_FAILED:
    write_fail(write, SLUICE_EIO,
               "the queue of what storages lack can't be written; look after "
               "the disk of `directory`, and start again");
    break;
  }
}

void write_take(struct mirror_write *write) {
  if (write->phase != PHASE_TAKING)
    write->deadline_ms =
        clock_ms() + (uint64_t)write->handle->shared->conf->timeout_ms;
  write->phase = PHASE_TAKING;
  write_ask_desk(write, DESK_TAKE, 0, 0, on_take);
}

/* ---- steps -------------------------------------------------------------- */

static void write_check_stream(struct mirror_write *write) {
  if (!write->first_ready || write->next_said)
    return;
  if (legs_in(write, LEG_ASKED) != 0) {
    if (!evtimer_pending(write->timer, NULL))
      mirror_wait(write->timer, write->handle->shared->conf->timeout_ms);
    return;
  }
  evtimer_del(write->timer);
  if (!write_can_do(write)) {
    write_fail(write, SLUICE_EBUSY, too_few);
    return;
  }
  write->next_said = true;
  sluice_next(write->op);
}

void write_check(struct mirror_write *write) {
  switch (write->phase) {
  case PHASE_STREAM:
    write_check_stream(write);
    break;
  case PHASE_OTHERS:
    write_check_others(write);
    break;
  case PHASE_TAKING:
  case PHASE_FIRST:
  case PHASE_LEAVING:
    break;
  case PHASE_LATE:
    write_settle(write);
    break;
  }
}

void write_on_timer(evutil_socket_t fd, short what, void *arg) {
  struct mirror_write *write = arg;
  (void)fd, (void)what;
  if (write->phase == PHASE_TAKING) {
    write_take(write);
    return;
  }
  bool streams = write->phase == PHASE_STREAM;
  int64_t left_ms = legs_drop(write, streams ? LEG_ASKED : LEG_STORING);
  if (left_ms > 0)
    mirror_wait(write->timer, left_ms);
  write_check(write);
}

void mirror_write_data(struct mirror_write *write,
                       const struct sluice_chunk *chunk) {
  write->first_ready = write->next_said = false;
  if (!legs_data(write, chunk))
    write_fail(write, SLUICE_ENOMEM, "no memory is left for an upload");
  else
    sluice_ask_data(write->first, chunk);
}

void mirror_write_commit(struct mirror_write *write,
                         const struct sluice_object *object) {
  write->wish =
      wish_keep(&(struct wish){.kind = WISH_STAGE, .of.stage.object = object},
                write->handle->host);
  if (write->wish == NULL) {
    write_fail(write, SLUICE_ENOMEM, "no memory is left for a key");
    return;
  }
  write->key = write->wish->of.stage.object->key;
  write_take(write);
}

void mirror_write_cancel(struct mirror_write *write) {
  write->canceled = true;
  switch (write->phase) {
  case PHASE_TAKING:
    if (!write->job_out)
      write_fail(write, SLUICE_ECANCELED, NULL);
    break;
  case PHASE_STREAM:
    write_fail(write, SLUICE_ECANCELED, NULL);
    break;
  case PHASE_OTHERS: /* it took place */
    write_answer(write, SLUICE_OK, NULL);
    break;
  case PHASE_FIRST:
  case PHASE_LEAVING:
  case PHASE_LATE:
    if (write->first != NULL)
      sluice_ask_cancel(write->first);
    break;
  }
}
