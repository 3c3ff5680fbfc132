/* SPDX-License-Identifier: MIT
 *
 * The client's side of the kit: calls that record what came, and say "not yet"
 * as their test wants.
 */
#include "httpckit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void on_told(evutil_socket_t fd, short what, void *arg) {
  struct web *web = arg;
  uint64_t times;
  (void)what;
  if (read(fd, &times, sizeof times) == sizeof times)
    web->times_told += (int)times;
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what, (void)arg;
  fputs("a test waits for what doesn't come\n", stderr);
  abort();
}

void web_init(struct web *web, void (*serve)(struct peer *)) {
  *web = (struct web){.settings = {.connect_timeout_ms = 10000,
                                   .idle_timeout_ms = 30000,
                                   .connections = 4,
                                   .proxy = "",
                                   .ca_file = "",
                                   .verify = true}};
  web->server.serve = serve;
}

void web_start(struct web *web) {
  struct timeval patience = {.tv_sec = 60};
  web->base = event_base_new();
  web->told_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  web->told =
      event_new(web->base, web->told_fd, EV_READ | EV_PERSIST, on_told, web);
  web->watchdog = evtimer_new(web->base, on_watchdog, web);
  event_add(web->told, NULL);
  event_add(web->watchdog, &patience);
  web->server.tell_fd = web->told_fd;
  if (web->server.serve != NULL)
    server_start(&web->server);
  web->httpc = httpc_new(web->base, &web->settings);
}

void web_fini(struct web *web) {
  httpc_free(web->httpc);
  if (web->server.serve != NULL)
    server_stop(&web->server);
  event_free(web->told);
  event_free(web->watchdog);
  close(web->told_fd);
  event_base_free(web->base);
}

void web_pass(struct web *web) {
  event_base_loop(web->base, EVLOOP_ONCE);
}

void web_wait_told(struct web *web, int times) {
  while (web->times_told < times)
    web_pass(web);
}

/* True: the event says "not yet". */
static bool fetch_pauses(struct fetch *fetch, unsigned calls, unsigned every,
                         bool hold) {
  if (hold) {
    fetch->pauses++;
    return true;
  }
  if (every == 0 || calls % every != 0)
    return false;
  fetch->pauses++;
  if (fetch->inside)
    httpc_continue(fetch->call);
  else
    event_active(fetch->later, EV_TIMEOUT, 1);
  return true;
}

static void on_later(evutil_socket_t fd, short what, void *arg) {
  struct fetch *fetch = arg;
  (void)fd, (void)what;
  if (!fetch->over)
    httpc_continue(fetch->call);
}

static bool fetch_leaves(struct fetch *fetch, enum fetch_leave where) {
  if (fetch->leave != where)
    return false;
  fetch_cancel(fetch->leaves != NULL ? fetch->leaves : fetch);
  fetch->leave = FETCH_STAYS;
  return fetch->leaves == NULL;
}

static size_t on_read(void *arg, void *to, size_t room) {
  struct fetch *fetch = arg;
  fetch->reads++;
  if (fetch->over)
    abort();
  if (fetch_leaves(fetch, FETCH_LEAVES_IN_READ) ||
      fetch_pauses(fetch, fetch->reads, fetch->pause_read, fetch->hold_read))
    return 0;
  pattern_fill(to, room, (uint64_t)fetch->given);
  fetch->given += (int64_t)room;
  return room;
}

static void note_head(struct fetch *fetch) {
  const char *value = httpc_header(fetch->call, "x-test");
  fetch->status = httpc_status(fetch->call);
  snprintf(fetch->header, sizeof fetch->header, "%s",
           value != NULL ? value : "(none)");
}

static void on_head(void *arg) {
  struct fetch *fetch = arg;
  if (fetch->over)
    abort();
  fetch->heads++;
  note_head(fetch);
  fetch_leaves(fetch, FETCH_LEAVES_IN_HEAD);
}

static bool on_data(void *arg, const char *data, size_t len) {
  struct fetch *fetch = arg;
  fetch->datas++;
  if (fetch->over)
    abort();
  if (fetch_leaves(fetch, FETCH_LEAVES_IN_DATA))
    return true;
  if (fetch_pauses(fetch, fetch->datas, fetch->pause_data, fetch->hold_data))
    return false;
  if (!pattern_is(data, len, fetch->got))
    fetch->wrong = true;
  for (size_t i = 0; i < len && fetch->got + i < sizeof fetch->body - 1; i++)
    fetch->body[fetch->got + i] = data[i];
  fetch->got += len;
  return true;
}

static void on_done(void *arg, enum httpc_result result, const char *why) {
  struct fetch *fetch = arg;
  if (fetch->over)
    abort();
  fetch->over = true;
  fetch->result = result;
  note_head(fetch);
  snprintf(fetch->why, sizeof fetch->why, "%s", why);
}

void fetch_start(struct fetch *fetch, struct web *web) {
  static const struct httpc_events events = {
      .read = on_read, .head = on_head, .data = on_data, .done = on_done};
  char url[1024];
  fetch->web = web;
  snprintf(url, sizeof url, "%s://127.0.0.1:%d%s",
           web->server.certificate != NULL ? "https" : "http",
           web->server.port, fetch->path != NULL ? fetch->path : "/");
  struct httpc_request request = {
      .method = fetch->method != NULL ? fetch->method : "GET",
      .url = fetch->url != NULL ? fetch->url : url,
      .headers = fetch->headers,
      .length = fetch->length == FETCH_EMPTY ? 0
                : fetch->length == 0         ? -1
                                             : fetch->length,
      .new_connection = fetch->new_connection};
  fetch->later = event_new(web->base, -1, 0, on_later, fetch);
  fetch->call = httpc_start(web->httpc, &request, &events, fetch);
}

void fetch_wait(struct fetch *fetch) {
  while (!fetch->over)
    web_pass(fetch->web);
}

void fetch_go_on(struct fetch *fetch) {
  fetch->hold_data = fetch->hold_read = false;
  httpc_continue(fetch->call);
}

void fetch_cancel(struct fetch *fetch) {
  fetch->over = fetch->left = true;
  httpc_cancel(fetch->call);
}

void fetch_fini(struct fetch *fetch) {
  event_free(fetch->later);
}

void fetch_run(struct fetch *fetch, struct web *web) {
  fetch_start(fetch, web);
  fetch_wait(fetch);
  fetch_fini(fetch);
}
