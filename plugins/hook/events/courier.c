/* SPDX-License-Identifier: MIT
 *
 * A round: what ended is noted and what is due is loaded, by one job of the
 * lane; what came is sent.  The next round comes when something ended, was
 * stored, or is due.
 */
#include "courier.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "date.h"
#include "delivery.h"
#include "must.h"

#define PAUSE_MS 1       /* between two rounds */
#define TROUBLE_MS 1000  /* after one that failed */
#define DUE_MAX_MS 60000 /* clocks are set: look again */

struct courier {
  struct events *events;
  struct sluice_host *host;
  struct httpc *httpc;
  struct event *wake, *pause, *due;
  bool look;    /* there may be something to load */
  bool turning; /* the job is in the lane */
  struct events_turn turn;
  size_t count;
  struct delivery deliveries[];
};

static void set_timer(struct event *timer, int64_t ms) {
  struct timeval wait = {.tv_sec = ms / 1000,
                         .tv_usec = (suseconds_t)(ms % 1000) * 1000};
  event_add(timer, &wait);
}

static void courier_schedule(struct courier *courier, int64_t ms) {
  if (!courier->turning && !evtimer_pending(courier->pause, NULL))
    set_timer(courier->pause, ms);
}

static bool any_ended(const struct courier *courier) {
  for (size_t i = 0; i < courier->count; i++)
    if (courier->deliveries[i].state == DELIVERY_ENDED)
      return true;
  return false;
}

/* ---- a round ------------------------------------------------------------ */

static void settled(struct courier *courier, struct delivery *delivery,
                    bool noted) {
  if (!noted) {
    delivery->state = DELIVERY_ENDED;
    return;
  }
  if (delivery->result.over)
    events_give_room(courier->events);
  delivery_clear(delivery);
}

static void send_page(struct courier *courier) {
  struct queue_page *page = &courier->turn.page;
  size_t next = 0;
  for (size_t i = 0; i < courier->count && next < page->count; i++)
    if (courier->deliveries[i].state == DELIVERY_FREE)
      delivery_start(&courier->deliveries[i], courier->httpc,
                     &page->events[next++]);
  must(next == page->count);
  if (page->next_ms == 0)
    return;
  int64_t wait = page->next_ms - page->now_ms;
  set_timer(courier->due, wait < DUE_MAX_MS ? wait : DUE_MAX_MS);
}

static void on_turned(void *job) {
  struct courier *courier =
      (struct courier *)((char *)job - offsetof(struct courier, turn));
  bool noted = courier->turn.job.done;
  for (size_t i = 0; i < courier->count; i++)
    if (courier->deliveries[i].state == DELIVERY_SETTLING)
      settled(courier, &courier->deliveries[i], noted);
  courier->turning = false;
  if (noted)
    send_page(courier);
  bool trouble = !noted || courier->turn.unread;
  courier->look = courier->look || trouble;
  if (courier->look || any_ended(courier))
    courier_schedule(courier, trouble ? TROUBLE_MS : PAUSE_MS);
}

static void turn(struct courier *courier) {
  struct events_turn *turn = &courier->turn;
  struct queue_page *page = &turn->page;
  turn->result_count = 0;
  page->held_count = 0;
  for (size_t i = 0; i < courier->count; i++) {
    struct delivery *delivery = &courier->deliveries[i];
    if (delivery->state == DELIVERY_CALLING) {
      page->held[page->held_count++] = delivery->event.number;
    } else if (delivery->state == DELIVERY_ENDED) {
      turn->results[turn->result_count++] = delivery->result;
      delivery->state = DELIVERY_SETTLING;
    }
  }
  page->now_ms = date_now_ms();
  page->room = courier->count - page->held_count;
  courier->look = false;
  courier->turning = true;
  sluice_lane_add(courier->events->lane, courier->host, turn, on_turned);
}

/* ---- what starts a round ------------------------------------------------ */

static void on_pause(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  turn(arg);
}

static void on_due(evutil_socket_t fd, short what, void *arg) {
  struct courier *courier = arg;
  (void)fd, (void)what;
  courier->look = true;
  courier_schedule(courier, PAUSE_MS);
}

static void on_wake(evutil_socket_t fd, short what, void *arg) {
  uint64_t count;
  if (read(fd, &count, sizeof count) == (ssize_t)sizeof count)
    on_due(fd, what, arg);
}

static void on_ended(void *arg) {
  courier_schedule(arg, PAUSE_MS);
}

/* ---- life --------------------------------------------------------------- */

static bool set_up(struct courier *courier) {
  const struct events_conf *conf = courier->events->conf;
  struct event_base *base = sluice_loop(courier->host);
  courier->httpc = httpc_new(
      base,
      &(struct httpc_settings){.host = courier->host,
                               .connect_timeout_ms = conf->connect_timeout_ms,
                               .total_timeout_ms = conf->timeout_ms,
                               .connections = (uint32_t)conf->parallel,
                               .proxy = "",
                               .ca_file = conf->ca_file,
                               .verify = conf->verify});
  courier->wake = event_new(base, courier->events->wake, EV_READ | EV_PERSIST,
                            on_wake, courier);
  courier->pause = evtimer_new(base, on_pause, courier);
  courier->due = evtimer_new(base, on_due, courier);
  return courier->httpc != NULL && courier->wake != NULL &&
         courier->pause != NULL && courier->due != NULL &&
         event_add(courier->wake, NULL) == 0;
}

struct courier *courier_new(struct events *events, struct sluice_host *host) {
  size_t count = (size_t)events->conf->parallel;
  struct courier *courier =
      calloc(1, sizeof *courier + count * sizeof courier->deliveries[0]);
  if (courier == NULL) {
    sluice_fail(host, "there is no memory; lower 'parallel'");
    return NULL;
  }
  courier->events = events;
  courier->host = host;
  courier->count = count;
  courier->turn.job.is_turn = true;
  for (size_t i = 0; i < count; i++) {
    courier->deliveries[i].events = events;
    courier->deliveries[i].host = host;
    courier->deliveries[i].ended = on_ended;
    courier->deliveries[i].arg = courier;
  }
  if (!set_up(courier)) {
    sluice_fail(host, "there is no memory, or no descriptor; lower "
                      "'parallel', or raise the limit of open files");
    courier_free(courier);
    return NULL;
  }
  int64_t left = atomic_load(&events->used);
  if (left > 0)
    sluice_log(host, SLUICE_LOG_INFO,
               "events of before that are still to be delivered: %" PRId64,
               left);
  courier->look = true;
  courier_schedule(courier, PAUSE_MS);
  return courier;
}

void courier_free(struct courier *courier) {
  if (courier == NULL)
    return;
  struct events *events = courier->events;
  must(!courier->turning);
  for (size_t i = 0; i < courier->count; i++) {
    if (courier->deliveries[i].state == DELIVERY_ENDED)
      events->left[events->left_count++] = courier->deliveries[i].result;
    delivery_clear(&courier->deliveries[i]);
  }
  httpc_free(courier->httpc);
  if (courier->wake != NULL)
    event_free(courier->wake);
  if (courier->pause != NULL)
    event_free(courier->pause);
  if (courier->due != NULL)
    event_free(courier->due);
  free(courier);
}
