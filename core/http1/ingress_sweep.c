/* SPDX-License-Identifier: MIT
 *
 * A look at all connections once a second: some have left without being
 * noticed, some are too slow.
 */
#include "ingress_private.h"

#include <poll.h>

#define BATCH 256

/* Deferred, so that the list stays as it is meanwhile. */
static void end_later(struct ingress_conn *conn, short what) {
  bufferevent_trigger_event(conn->bev, what, BEV_OPT_DEFER_CALLBACKS);
}

/* While EV_READ is off, nobody would notice a connection that was reset;
 * poll(2) does. */
static void end_reset(struct ingress *ingress) {
  struct ingress_conn *conn = TAILQ_FIRST(&ingress->conns);
  while (conn != NULL) {
    struct pollfd polls[BATCH];
    struct ingress_conn *asked[BATCH];
    nfds_t n = 0;
    for (; conn != NULL && n < BATCH; conn = TAILQ_NEXT(conn, link)) {
      if (conn->state != INGRESS_BUSY && conn->state != INGRESS_ANSWERING)
        continue;
      asked[n] = conn;
      polls[n++] = (struct pollfd){.fd = conn->fd};
    }
    if (n == 0 || poll(polls, n, 0) <= 0)
      continue;
    for (nfds_t i = 0; i < n; i++)
      if ((polls[i].revents & (POLLERR | POLLHUP)) != 0)
        end_later(asked[i], BEV_EVENT_READING | BEV_EVENT_ERROR);
  }
}

static void end_slow(struct ingress *ingress) {
  static const char *const what[PACE_WAITS] = {
      "", "sends a head", "sends a body", "takes an answer"};
  const struct ingress_owner *owner = &ingress->owner;
  struct ingress_conn *conn;
  for (conn = TAILQ_FIRST(&ingress->conns); conn != NULL;
       conn = TAILQ_NEXT(conn, link)) {
    enum pace_result result = pace_look(conn);
    if (result == PACE_FINE)
      continue;
    enum pace_wait wait = pace_of(conn);
    if (result == PACE_SLOW && owner->slow != NULL)
      owner->slow(owner->arg, conn->peer, what[wait]);
    end_later(conn,
              BEV_EVENT_TIMEOUT | (wait == PACE_READER ? BEV_EVENT_WRITING
                                                       : BEV_EVENT_READING));
  }
}

void ingress_on_sweep(evutil_socket_t fd, short what, void *ingress) {
  (void)fd, (void)what;
  end_reset(ingress);
  end_slow(ingress);
}
