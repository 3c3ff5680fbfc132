/* SPDX-License-Identifier: MIT
 *
 * One request's life: it waits in line for a connection, runs, and ends in
 * one last event, or silently when it was canceled.
 */
#include "httpc_private.h"

#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "must.h"

#define TICK_MAX_MS 1000

static struct timeval in_ms(int64_t ms) {
  return (struct timeval){.tv_sec = ms / 1000,
                          .tv_usec = (suseconds_t)(ms % 1000) * 1000};
}

static void tick_add(struct httpc_call *call, int64_t now) {
  int64_t ms = TICK_MAX_MS, idle = call->httpc->settings.idle_timeout_ms;
  if (idle > 0 && idle / 8 < ms)
    ms = idle / 8 + 1;
  if (call->end_ms != 0 && call->end_ms - now < ms)
    ms = call->end_ms > now ? call->end_ms - now : 0;
  struct timeval wait = in_ms(ms);
  event_add(call->tick, &wait);
}

/* Bytes leave curl's buffers long after they were read, and the kernel's long
 * after that: so both have to be asked. */
static void look_for_movement(struct httpc_call *call, int64_t now) {
  curl_off_t up = 0, down = 0;
  int queued = 0;
  if (call->easy != NULL) {
    curl_easy_getinfo(call->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(call->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
  }
  if (call->fd >= 0 && ioctl(call->fd, SIOCOUTQ, &queued) != 0)
    queued = 0;
  int64_t moved = up + down - queued;
  if (moved != call->moved || call->read_paused || call->data_paused)
    call->moved_ms = now;
  call->moved = moved;
}

static void on_tick(evutil_socket_t fd, short what, void *arg) {
  struct httpc_call *call = arg;
  int64_t now = httpc_now(), idle = call->httpc->settings.idle_timeout_ms;
  (void)fd, (void)what;
  look_for_movement(call, now);
  if (call->end_ms != 0 && now >= call->end_ms)
    httpc_call_end(call, HTTPC_TIMEOUT, "the exchange took too long");
  else if (idle > 0 && now - call->moved_ms >= idle)
    httpc_call_end(call, HTTPC_TIMEOUT,
                   call->easy == NULL ? "no connection came free in time"
                                      : "nothing came or went for too long");
  else
    tick_add(call, now);
}

static void call_free(struct httpc_call *call) {
  if (call->tick != NULL)
    event_free(call->tick);
  if (call->queued)
    LIST_REMOVE(call, in_todo);
  httpc_answer_fini(&call->answer);
  curl_slist_free_all(call->headers);
  free(call->url);
  free(call->method);
  free(call);
}

struct httpc_call *httpc_start(struct httpc *httpc,
                               const struct httpc_request *request,
                               const struct httpc_events *events, void *arg) {
  struct httpc_call *call = calloc(1, sizeof *call);
  if (call == NULL)
    return NULL;
  httpc_answer_init(&call->answer);
  call->httpc = httpc;
  call->fd = -1;
  call->events = events;
  call->arg = arg;
  call->length = request->length;
  call->new_connection = request->new_connection;
  call->url = strdup(request->url);
  call->method = strdup(request->method);
  call->headers = httpc_easy_headers(request->headers);
  call->tick = evtimer_new(httpc->base, on_tick, call);
  if (call->url == NULL || call->method == NULL || call->headers == NULL ||
      call->tick == NULL) {
    call_free(call);
    return NULL;
  }
  call->moved_ms = httpc_now();
  if (httpc->settings.total_timeout_ms > 0)
    call->end_ms = call->moved_ms + httpc->settings.total_timeout_ms;
  tick_add(call, call->moved_ms);
  TAILQ_INSERT_TAIL(&httpc->line, call, in_line);
  httpc_defer(httpc);
  return call;
}

void httpc_continue(struct httpc_call *call) {
  if (call->life != HTTPC_RUNS)
    return;
  httpc_queue(call);
}

void httpc_cancel(struct httpc_call *call) {
  must(call->life == HTTPC_RUNS);
  call->life = HTTPC_CANCELED;
  if (call->httpc->inside) {
    httpc_queue(call);
    return;
  }
  httpc_withdraw(call, false);
  call_free(call);
}

static void go_on(struct httpc_call *call) {
  struct httpc *httpc = call->httpc;
  if (!call->read_paused && !call->data_paused)
    return;
  call->read_paused = call->data_paused = false;
  call->moved_ms = httpc_now();
  httpc->inside = true;
  CURLcode code = curl_easy_pause(call->easy, CURLPAUSE_CONT);
  httpc->inside = false;
  /* A bad argument is a connection that is gone: curl tells of that itself. */
  if (code != CURLE_OK && code != CURLE_BAD_FUNCTION_ARGUMENT)
    httpc_call_finish(call, code);
}

void httpc_call_attend(struct httpc_call *call) {
  if (call->life == HTTPC_CANCELED) {
    httpc_withdraw(call, false);
    call_free(call);
  } else {
    go_on(call);
  }
}

void httpc_call_end(struct httpc_call *call, enum httpc_result result,
                    const char *why) {
  httpc_withdraw(call, result == HTTPC_OK);
  bool silent = call->life == HTTPC_CANCELED;
  call->life = HTTPC_ENDED;
  if (!silent)
    call->events->done(call->arg, result, why);
  call_free(call);
}

static enum httpc_result result_of(const struct httpc_call *call,
                                   CURLcode code) {
  static const CURLcode ours[] = {
      CURLE_FAILED_INIT,          CURLE_URL_MALFORMAT,
      CURLE_UNSUPPORTED_PROTOCOL, CURLE_NOT_BUILT_IN,
      CURLE_SSL_CACERT_BADFILE,   CURLE_BAD_FUNCTION_ARGUMENT,
      CURLE_LOGIN_DENIED,         CURLE_OUT_OF_MEMORY,
  };
  if (code == CURLE_OK)
    return HTTPC_OK;
  /* Even "out of memory" is then most likely curl's word for a header that is
   * too long. */
  if (call->sent)
    return HTTPC_BROKEN;
  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
    if (code == ours[i])
      return HTTPC_LOCAL;
  return call->no_descriptor ? HTTPC_LOCAL : HTTPC_CONNECT;
}

void httpc_call_finish(struct httpc_call *call, CURLcode code) {
  const char *why = call->fault;
  if (why == NULL)
    why = call->error[0] != 0 ? call->error : curl_easy_strerror(code);
  enum httpc_result result = result_of(call, code);
  /* A success of curl's without a final head isn't one. */
  if (result == HTTPC_OK && call->answer.status == 0) {
    result = HTTPC_BROKEN;
    why = "the answer has no final head";
  }
  httpc_call_end(call, result, why);
}

int httpc_status(const struct httpc_call *call) {
  return call->answer.status;
}

const char *httpc_header(const struct httpc_call *call, const char *name) {
  return httpc_answer_get(&call->answer, name, 0);
}

const char *httpc_header_at(const struct httpc_call *call, const char *name,
                            size_t before) {
  return httpc_answer_get(&call->answer, name, before);
}

bool httpc_header_each(const struct httpc_call *call, size_t index,
                       const char **name, const char **value) {
  return httpc_answer_each(&call->answer, index, name, value);
}
