/* SPDX-License-Identifier: MIT
 *
 * curl's multi interface on a libevent loop: its sockets and its timer become
 * events, and what a call's events may not do inside curl is done by an event
 * of its own.  Calls beyond the limit of connections wait here, not in curl,
 * where the time they wait would count as the time it takes to connect.
 */
#include "httpc_private.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "must.h"

void httpc_init(void) {
  /* Its tables divide by their length, which is 0 where they got no memory.
   * When it fails, curl_easy_init() does, and calls end with HTTPC_LOCAL. */
  (void)curl_global_init_mem(CURL_GLOBAL_DEFAULT, must_malloc, free,
                             must_realloc, must_strdup, must_calloc);
}

int64_t httpc_now(void) {
  return (int64_t)clock_ms();
}

/* NULL: a handle of curl's own. */
static struct httpc_call *call_of(CURL *easy) {
  void *call = NULL;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call);
  return call;
}

static void collect(struct httpc *httpc) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(httpc->multi, &left)) != NULL) {
    CURLcode code = message->data.result;
    must(message->msg == CURLMSG_DONE);
    httpc_call_finish(call_of(message->easy_handle), code);
  }
}

static void drive(struct httpc *httpc, curl_socket_t fd, int bits) {
  int running;
  httpc->inside = true;
  curl_multi_socket_action(httpc->multi, fd, bits, &running);
  httpc->inside = false;
  collect(httpc);
}

static void on_socket(evutil_socket_t fd, short what, void *arg) {
  int bits = (what & EV_READ ? CURL_CSELECT_IN : 0) |
             (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
  drive(arg, fd, bits);
}

static void on_timer(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  drive(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int watch(CURL *easy, curl_socket_t fd, int what, void *arg,
                 void *socket_arg) {
  struct httpc *httpc = arg;
  struct event *event = socket_arg;
  struct httpc_call *call = call_of(easy);
  if (call != NULL)
    call->fd = what != CURL_POLL_REMOVE ? fd : -1;
  if (event != NULL)
    event_free(event);
  event = NULL;
  if (what != CURL_POLL_REMOVE) {
    short events = (short)((what & CURL_POLL_IN ? EV_READ : 0) |
                           (what & CURL_POLL_OUT ? EV_WRITE : 0));
    event = event_new(httpc->base, fd, (short)(events | EV_PERSIST), on_socket,
                      httpc);
    /* A few bytes that can't be had: no transfer could go on. */
    must_have(event);
    event_add(event, NULL);
  }
  curl_multi_assign(httpc->multi, fd, event);
  return 0;
}

static int set_timer(CURLM *multi, long ms, void *arg) {
  struct httpc *httpc = arg;
  (void)multi;
  if (ms < 0) {
    event_del(httpc->timer);
    return 0;
  }
  struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
  event_add(httpc->timer, &wait);
  return 0;
}

static CURL *easy_take(struct httpc *httpc) {
  if (httpc->spares > 0)
    return httpc->spare[--httpc->spares];
  return curl_easy_init();
}

/* One whose transfer failed isn't used again, as what curl left in it is known
 * to nobody: after a name that wasn't found, 7.88.1 refuses options of it. */
static void easy_give(struct httpc *httpc, CURL *easy, bool succeeded) {
  if (!succeeded || httpc->spares == httpc->settings.connections) {
    curl_easy_cleanup(easy);
    return;
  }
  curl_easy_reset(easy); /* its TLS sessions stay */
  httpc->spare[httpc->spares++] = easy;
}

/* Before curl has it, the call is `sent` nowhere and stays in no line.  NULL,
 * or why not. */
static const char *launch(struct httpc_call *call) {
  struct httpc *httpc = call->httpc;
  CURL *easy = easy_take(httpc);
  if (easy == NULL)
    return "no memory for a request";
  if (!httpc_easy_prepare(easy, call) ||
      curl_multi_add_handle(httpc->multi, easy) != CURLM_OK) {
    easy_give(httpc, easy, false);
    return "curl refuses the request, or has no memory for it";
  }
  TAILQ_REMOVE(&httpc->line, call, in_line);
  call->easy = easy;
  httpc->running++;
  return NULL;
}

/* False: its host has no memory for it. */
static bool charge(struct httpc_call *call) {
  struct sluice_host *host = call->httpc->settings.host;
  size_t cost = httpc_easy_cost(call);
  if (host != NULL && !sluice_memory_take(host, cost))
    return false;
  call->cost = cost;
  return true;
}

static void uncharge(struct httpc_call *call) {
  struct sluice_host *host = call->httpc->settings.host;
  if (host != NULL)
    sluice_memory_give(host, call->cost);
  call->cost = 0;
}

void httpc_withdraw(struct httpc_call *call, bool succeeded) {
  struct httpc *httpc = call->httpc;
  must(!httpc->inside);
  uncharge(call);
  if (call->easy == NULL) {
    TAILQ_REMOVE(&httpc->line, call, in_line);
    return;
  }
  curl_multi_remove_handle(httpc->multi, call->easy);
  easy_give(httpc, call->easy, succeeded);
  httpc->running--;
  if (!TAILQ_EMPTY(&httpc->line))
    httpc_defer(httpc);
}

void httpc_defer(struct httpc *httpc) {
  event_active(httpc->deferred, EV_TIMEOUT, 1);
}

void httpc_queue(struct httpc_call *call) {
  if (call->queued)
    return;
  call->queued = true;
  LIST_INSERT_HEAD(&call->httpc->todo, call, in_todo);
  httpc_defer(call->httpc);
}

static void on_deferred(evutil_socket_t fd, short what, void *arg) {
  struct httpc *httpc = arg;
  struct httpc_call *call;
  (void)fd, (void)what;
  /* A call that is queued meanwhile has its turn at the next one, so that one
   * that always goes on lets others live. */
  while ((call = LIST_FIRST(&httpc->todo)) != NULL) {
    LIST_REMOVE(call, in_todo);
    LIST_INSERT_HEAD(&httpc->turn, call, in_todo);
  }
  while ((call = LIST_FIRST(&httpc->turn)) != NULL) {
    LIST_REMOVE(call, in_todo);
    call->queued = false;
    httpc_call_attend(call);
  }
  while (httpc->running < httpc->settings.connections &&
         (call = TAILQ_FIRST(&httpc->line)) != NULL) {
    const char *why = charge(call) ? launch(call) : NULL;
    if (call->cost == 0)
      httpc_call_end(call, HTTPC_NO_MEMORY,
                     "requests in flight use all of limits.memory");
    else if (why != NULL)
      httpc_call_end(call, HTTPC_LOCAL, why);
  }
  /* The calls that were launched begin now, not with the next turn of the
   * loop. */
  drive(httpc, CURL_SOCKET_TIMEOUT, 0);
}

static bool copy_settings(struct httpc_settings *to,
                          const struct httpc_settings *from) {
  *to = *from;
  to->proxy = strdup(from->proxy);
  to->ca_file = strdup(from->ca_file);
  return to->proxy != NULL && to->ca_file != NULL;
}

static bool set_multi(struct httpc *httpc) {
  CURLM *multi = httpc->multi;
  long connections = (long)httpc->settings.connections;
  int failed = 0;
  failed |= curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch);
  failed |= curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, httpc);
  failed |= curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
  failed |= curl_multi_setopt(multi, CURLMOPT_TIMERDATA, httpc);
  failed |= curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  failed |= curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections);
  failed |=
      curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
  return failed == 0;
}

struct httpc *httpc_new(struct event_base *base,
                        const struct httpc_settings *settings) {
  struct httpc *httpc = calloc(1, sizeof *httpc);
  if (httpc == NULL)
    return NULL;
  must(settings->connections > 0);
  TAILQ_INIT(&httpc->line);
  LIST_INIT(&httpc->todo);
  LIST_INIT(&httpc->turn);
  httpc->base = base;
  httpc->spare = calloc(settings->connections, sizeof *httpc->spare);
  httpc->multi = curl_multi_init();
  httpc->timer = evtimer_new(base, on_timer, httpc);
  httpc->deferred = event_new(base, -1, 0, on_deferred, httpc);
  if (copy_settings(&httpc->settings, settings) && httpc->spare != NULL &&
      httpc->multi != NULL && httpc->timer != NULL &&
      httpc->deferred != NULL && set_multi(httpc))
    return httpc;
  httpc_free(httpc);
  return NULL;
}

void httpc_free(struct httpc *httpc) {
  if (httpc == NULL)
    return;
  must(!httpc->inside && httpc->running == 0 && TAILQ_EMPTY(&httpc->line));
  while (httpc->spare != NULL && httpc->spares > 0)
    curl_easy_cleanup(httpc->spare[--httpc->spares]);
  if (httpc->multi != NULL)
    curl_multi_cleanup(httpc->multi);
  if (httpc->timer != NULL)
    event_free(httpc->timer);
  if (httpc->deferred != NULL)
    event_free(httpc->deferred);
  free(httpc->spare);
  free((char *)httpc->settings.proxy);
  free((char *)httpc->settings.ca_file);
  free(httpc);
}
