/* SPDX-License-Identifier: MIT
 *
 * Lingering close: a client that is still sending when its connection is
 * closed would be reset, and lose the answer that it didn't read yet.  Bounded
 * in bytes, silence, time and number.
 */
#include "ingress_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define LINGER_BYTES (64 << 20)
#define LINGER_SECONDS 10
#define LINGER_SILENCE 2

struct lingerer {
  struct ingress *ingress;
  struct event *event;
  int fd;
  size_t left;
  struct timeval deadline;
};

static void linger_end(struct lingerer *linger) {
  linger->ingress->lingering--;
  event_free(linger->event);
  close(linger->fd);
  loop_release(linger->ingress->loop);
  free(linger);
}

static bool linger_over(const struct lingerer *linger) {
  struct timeval now;
  event_base_gettimeofday_cached(loop_base(linger->ingress->loop), &now);
  return evutil_timercmp(&now, &linger->deadline, >) ||
         linger->ingress->draining;
}

static void linger_on_event(evutil_socket_t fd, short what, void *arg) {
  struct lingerer *linger = arg;
  char dropped[65536];
  if ((what & EV_READ) == 0 || linger_over(linger)) {
    linger_end(linger);
    return;
  }
  ssize_t n = read(fd, dropped, sizeof dropped);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0 || (size_t)n >= linger->left)
    linger_end(linger);
  else
    linger->left -= (size_t)n;
}

void linger_start(struct ingress_conn *conn) {
  static const struct timeval silence = {.tv_sec = LINGER_SILENCE};
  struct ingress *ingress = conn->ingress;
  if (ingress->lingering >= INGRESS_LINGER_MAX || ingress->draining)
    return;
  struct lingerer *linger = calloc(1, sizeof *linger);
  int fd = fcntl(conn->fd, F_DUPFD_CLOEXEC, 0);
  if (linger == NULL || fd < 0)
    goto out;
  *linger =
      (struct lingerer){.ingress = ingress, .fd = fd, .left = LINGER_BYTES};
  event_base_gettimeofday_cached(loop_base(ingress->loop), &linger->deadline);
  linger->deadline.tv_sec += LINGER_SECONDS;
  linger->event = event_new(loop_base(ingress->loop), fd, EV_READ | EV_PERSIST,
                            linger_on_event, linger);
  if (linger->event == NULL || event_add(linger->event, &silence) < 0)
    goto out;
  ingress->lingering++;
  loop_hold(ingress->loop);
  return;

out:
  if (linger != NULL && linger->event != NULL)
    event_free(linger->event);
  if (fd >= 0)
    close(fd);
  free(linger);
}
