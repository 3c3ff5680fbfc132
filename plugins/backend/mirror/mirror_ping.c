/* SPDX-License-Identifier: MIT
 *
 * Is it ready?  When a change could be acknowledged: the queue can be written,
 * and the first storage and enough of the others answer.  One that hangs is
 * waited for only while it is needed.
 */
#include "mirror_desk.h"

/* OK: changes can be written to the queue. */
static enum sluice_status ping_queue(const struct mirror *shared,
                                     const char **why) {
  switch ((enum mirror_state)atomic_load(&shared->state)) {
  case MIRROR_WELL:
    break;
  case MIRROR_FULL:
    *why = "the queue of what backends lack is full";
    return SLUICE_EBUSY;
  case MIRROR_UNWRITTEN:
    *why = "the queue of what backends lack can't be written now; look after "
           "the room on the disk of `directory`";
    return SLUICE_ENOSPC;
  case MIRROR_BROKEN:
    *why = "the queue of what backends lack can't be written; look after the "
           "disk of `directory`, and start again";
    return SLUICE_EIO;
  }
  return SLUICE_OK;
}

static void ping_end(const struct mirror_ping *ping) {
  const struct mirror *shared = ping->shared;
  const char *why = NULL;
  enum sluice_status queue = ping_queue(shared, &why);
  if (ping->canceled)
    sluice_done(ping->op, SLUICE_ECANCELED, NULL);
  else if (queue != SLUICE_OK)
    sluice_done(ping->op, queue, "%s", why);
  else if (!ping->first)
    sluice_done(ping->op, SLUICE_EUPSTREAM, "'%s' doesn't answer",
                shared->conf->over[0]);
  else if (ping->good < shared->enough)
    sluice_done(ping->op, SLUICE_EUPSTREAM,
                "%u of %u backends answer, and %u have to acknowledge",
                ping->good, shared->count, shared->enough);
  else
    sluice_done(ping->op, SLUICE_OK, NULL);
}

/* Nothing that others say would change it. */
static bool ping_is_decided(const struct mirror_ping *ping) {
  unsigned enough = ping->shared->enough;
  bool first_out = ping->asks[0] != NULL;
  return ping->canceled || (!first_out && !ping->first) ||
         (ping->first && ping->good >= enough) ||
         ping->good + ping->left < enough;
}

static void ping_let_go(struct mirror_ping *ping) {
  for (unsigned i = 0; i < ping->shared->count; i++)
    if (ping->asks[i] != NULL)
      sluice_ask_cancel(ping->asks[i]);
}

static void ping_check(struct mirror_ping *ping) {
  if (ping->left == 0)
    ping_end(ping);
  else if (ping_is_decided(ping))
    ping_let_go(ping);
}

static void on_pong(void *arg, enum sluice_status status, const char *why) {
  struct mirror_pong *pong = arg;
  struct mirror_ping *ping = pong->ping;
  (void)why;
  ping->asks[pong->store] = NULL;
  ping->left--;
  ping->good += status == SLUICE_OK;
  if (pong->store == 0)
    ping->first = status == SLUICE_OK;
  ping_check(ping);
}

/* Of those that aren't needed, none is asked. */
void mirror_ping(void *arg, struct sluice_op *op) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .done = on_pong};
  struct mirror_handle *handle = arg;
  struct mirror *shared = handle->shared;
  struct mirror_ping *ping = &mirror_op(op)->ping;
  mirror_op(op)->kind = MIRROR_PING;
  *ping = (struct mirror_ping){.shared = shared, .op = op};
  for (unsigned i = 0; i < shared->count; i++) {
    bool wanted = i == 0 || (shared->enough > 1 && !mirror_is_away(shared, i));
    if (!wanted)
      continue;
    ping->pongs[i] = (struct mirror_pong){.ping = ping, .store = i};
    ping->left++;
    ping->asks[i] =
        sluice_ask_ping(handle->stores[i], op, &heard, &ping->pongs[i]);
  }
}

void mirror_ping_cancel(struct mirror_ping *ping) {
  ping->canceled = true;
  ping_let_go(ping);
}
