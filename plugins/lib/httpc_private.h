/* SPDX-License-Identifier: MIT
 *
 * The client's inside, for its own files: httpc.c drives curl on the loop,
 * httpc_call.c is one request's life, httpc_easy.c is what curl is told of a
 * request and calls back for it, httpc_answer.c keeps an answer's head.
 *
 * An invariant: curl forbids most of its functions inside its own
 * callbacks (`inside`), so whatever a call's events ask for then is queued and
 * done by the event `deferred`.
 */
#ifndef LIB_HTTPC_PRIVATE_H
#define LIB_HTTPC_PRIVATE_H

#include <curl/curl.h>
#include <event2/event.h>
#include <stdint.h>
#include <sys/queue.h>

#include "buf.h"
#include "httpc.h"

struct httpc_answer {
  struct buf text; /* "name\0value\0", again and again */
  size_t size;     /* bytes of all heads of the answer, interim ones too */
  size_t count;
  uint32_t fields[HTTPC_HEADERS_MAX]; /* where each name starts in text */
  int status;                         /* 0: not there yet */
};

enum httpc_life {
  HTTPC_RUNS,
  HTTPC_CANCELED, /* by its caller, inside of curl: it goes soon */
  HTTPC_ENDED     /* done() is said, or will be now */
};

struct httpc_call {
  TAILQ_ENTRY(httpc_call) in_line; /* while it waits for a connection */
  LIST_ENTRY(httpc_call) in_todo;  /* while `queued` */
  struct httpc *httpc;
  const struct httpc_events *events;
  void *arg;
  char *url, *method;
  struct curl_slist *headers;
  int64_t length; /* of the body; -1: none */
  int64_t given;  /* bytes of it */
  bool new_connection;

  CURL *easy;  /* NULL: it waits for a connection */
  size_t cost; /* taken from the host's memory */
  struct event *tick;
  int64_t moved_ms;     /* when a byte was last seen to move */
  int64_t end_ms;       /* total_timeout_ms; 0: none */
  int64_t moved;        /* bytes, at the last tick */
  int fd;               /* that curl has watched for it; -1: none */
  bool sent;            /* a request went out, or part of it */
  bool no_descriptor;   /* socket(2) said so */
  bool read_paused;     /* read() gave nothing */
  bool data_paused;     /* data() took nothing */
  bool queued;          /* for the deferred event, to go on or to end */
  enum httpc_life life; /* no event follows but while it runs */
  const char *fault;    /* why a callback of ours refused; NULL: it didn't */
  struct httpc_answer answer;
  char error[CURL_ERROR_SIZE];
};

TAILQ_HEAD(httpc_line, httpc_call);
LIST_HEAD(httpc_todo, httpc_call);

struct httpc {
  struct event_base *base;
  struct httpc_settings settings; /* its strings are copies */
  CURLM *multi;
  struct event *timer; /* curl's */
  struct event *deferred;
  struct httpc_line line; /* they wait for a connection, in this order */
  struct httpc_todo todo, turn;
  uint32_t running; /* calls that curl has */
  bool inside;      /* one of curl's functions that call back */
  CURL **spare;     /* as many as there may be connections */
  size_t spares;
};

int64_t httpc_now(void); /* milliseconds of a clock that never jumps */

/* Has the call looked after by the deferred event. */
void httpc_queue(struct httpc_call *);
void httpc_defer(struct httpc *);
/* Takes the call from curl, or out of the line. */
void httpc_withdraw(struct httpc_call *, bool succeeded);

/* The deferred event's turn. */
void httpc_call_attend(struct httpc_call *);
/* curl has done its part. */
void httpc_call_finish(struct httpc_call *, CURLcode);
/* The last event; frees it. */
void httpc_call_end(struct httpc_call *, enum httpc_result, const char *why);

/* Tells a fresh easy handle all of the request; false: no memory, or an option
 * that curl refuses. */
bool httpc_easy_prepare(CURL *, struct httpc_call *);
/* Bytes of memory that curl takes for it. */
size_t httpc_easy_cost(const struct httpc_call *);
/* The list by which curl sends these headers and no others; NULL: no memory.
 */
struct curl_slist *httpc_easy_headers(const char *const *headers);

enum httpc_line_kind { HTTPC_LINE_MORE, HTTPC_LINE_FINAL, HTTPC_LINE_REFUSED };

void httpc_answer_init(struct httpc_answer *);
void httpc_answer_fini(struct httpc_answer *);
/* One line of a head as curl passes them, with its line end; `status` is of
 * the head it belongs to.  FINAL: that was the last of the final head. */
enum httpc_line_kind httpc_answer_line(struct httpc_answer *, const char *line,
                                       size_t len, int status,
                                       const char **why);
bool httpc_answer_each(const struct httpc_answer *, size_t index,
                       const char **name, const char **value);
const char *httpc_answer_get(const struct httpc_answer *, const char *name,
                             size_t before);

#endif
