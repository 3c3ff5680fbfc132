/* SPDX-License-Identifier: MIT
 *
 * Readers that take nothing for write_timeout, and clients that send or take
 * less than min_rate.  Each second in which one is
 * waited for costs it min_rate bytes, each byte that it moves counts for it,
 * and it may fall behind by what the allowance is: so silence is bounded by
 * the time-outs as ever, and what trickles in between doesn't make them start
 * anew without end.  A second in which the gateway itself holds a client back
 * costs nothing.
 */
#include "ingress_private.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define SECOND_MS 1000
#define GRACE_MS 10000 /* at least: a link may pause */

static int64_t allow(uint64_t rate, int64_t timeout_ms) {
  int64_t ms = timeout_ms > GRACE_MS ? timeout_ms : GRACE_MS;
  return (int64_t)rate * (ms / SECOND_MS);
}

void pace_init(struct ingress *ingress,
               const struct ingress_settings *settings) {
  uint64_t rate = settings->min_rate;
  ingress->min_rate = rate;
  ingress->write_timeout_ms = settings->write_timeout_ms;
  ingress->allowance[PACE_HEAD] = allow(rate, GRACE_MS);
  ingress->allowance[PACE_BODY] = allow(rate, settings->body_timeout_ms);
  ingress->allowance[PACE_READER] = allow(rate, settings->write_timeout_ms);
}

void pace_begin(struct ingress_conn *conn) {
  conn->pace.wait = PACE_NOTHING;
}

enum pace_wait pace_of(const struct ingress_conn *conn) {
  struct evbuffer *output = bufferevent_get_output(conn->bev);
  switch (conn->state) {
  case INGRESS_HEAD:
    return conn->text_len > 0 ? PACE_HEAD : PACE_NOTHING;
  case INGRESS_BUSY:
    return conn->body == INGRESS_BODY_WANTED ? PACE_BODY : PACE_NOTHING;
  case INGRESS_ANSWERING:
    return evbuffer_get_length(output) > 0 ? PACE_READER : PACE_NOTHING;
  case INGRESS_IDLE:
  case INGRESS_WHOLE:
  case INGRESS_SKIPPING:
  case INGRESS_LINGERING:
  case INGRESS_DISCARDING:
  case INGRESS_STATES:
    break;
  }
  return PACE_NOTHING;
}

/* The bytes that the other end has acknowledged: so many may wait in the
 * kernel's buffer that a slow reader frees room for more but once a minute.
 * False: the socket can't tell, and what `bytes` gets only shows a change. */
static bool acknowledged(const struct ingress_conn *conn, uint64_t *bytes) {
  struct tcp_info info;
  socklen_t len = sizeof info;
  int unsent = 0;
  if (getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
      len >= offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(uint64_t)) {
    *bytes = info.tcpi_bytes_acked;
    return true;
  }
  ioctl(conn->fd, SIOCOUTQ, &unsent);
  *bytes = (uint64_t)unsent +
           evbuffer_get_length(bufferevent_get_output(conn->bev));
  return false;
}

static bool is_slow(struct ingress_conn *conn, uint64_t more) {
  struct pace *pace = &conn->pace;
  int64_t most = conn->ingress->allowance[pace->wait];
  pace->credit -= (int64_t)conn->ingress->min_rate;
  pace->credit += more > (uint64_t)most ? most : (int64_t)more;
  if (pace->credit > most)
    pace->credit = most;
  return conn->ingress->min_rate > 0 && pace->credit < 0;
}

enum pace_result pace_look(struct ingress_conn *conn) {
  struct pace *pace = &conn->pace;
  enum pace_wait wait = pace_of(conn);
  uint64_t moved = conn->received;
  if (wait == PACE_NOTHING)
    return PACE_FINE;
  bool counts = wait != PACE_READER || acknowledged(conn, &moved);
  if (pace->wait != wait) {
    *pace = (struct pace){
        .wait = wait, .seen = moved, .credit = conn->ingress->allowance[wait]};
    return PACE_FINE;
  }
  uint64_t more = moved - pace->seen;
  pace->seen = moved;
  pace->still_ms = more > 0 ? 0 : pace->still_ms + SECOND_MS;
  if (wait == PACE_READER && pace->still_ms >= conn->ingress->write_timeout_ms)
    return PACE_STILL;
  return counts && is_slow(conn, more) ? PACE_SLOW : PACE_FINE;
}
