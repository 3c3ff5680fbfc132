/* SPDX-License-Identifier: MIT
 *
 * Answers: JSON, errors in their one shape, and the heads of downloads.  Each
 * function that sends ends the exchange's work first.
 */
#ifndef GATE_REPLY_H
#define GATE_REPLY_H

#include <jansson.h>

#include "exchange.h"
#include "printflike.h"

/* Before sending: those of the answer, and one more of them. */
struct buf *reply_headers(struct exchange *);
void reply_header(struct exchange *, const char *name, const char *value);
void reply_number(struct exchange *, const char *name, uint64_t number);

/* Content-Length of an answer without a body of its own. */
void reply_length(struct exchange *, uint64_t length);

/* Content-Type of the gateway's own words, and what goes with each. */
void reply_type(struct exchange *, const char *type);

/* Takes the document. */
void reply_json(struct exchange *, int status, json_t *document);

/* {"error": message, "code": code, "request_id": id}.  The message is for
 * clients: it never shows a path, an address or a secret. */
void reply_error(struct exchange *, int status, const char *code,
                 const char *fmt, ...) PRINTFLIKE(4, 5);
/* The same with one more key, whose value is taken. */
void reply_error_more(struct exchange *, int status, const char *code,
                      const char *key, json_t *value, const char *fmt, ...)
    PRINTFLIKE(6, 7);
/* Tells a client what a backend's failure means to it; `why` goes to the
 * log. */
void reply_failure(struct exchange *, enum sluice_status, const char *why);
/* The same, where it isn't the backend's doing; "": no words of the hook's
 * own. */
void reply_denial(struct exchange *, enum ender, enum sluice_status,
                  const char *message);
/* 415: a hook doesn't take the object's type. */
void reply_mistyped(struct exchange *, const char *message);
/* The code that a failure has in an answer. */
const char *reply_code(enum sluice_status);
/* The log's part of a failure, where nobody waits for an answer. */
void reply_log_failure(struct exchange *, enum sluice_status, const char *why);

/* The head of an answer whose body of `length` bytes is streamed. */
void reply_start(struct exchange *, int status, uint64_t length);
/* No body: 304, 204, a 201 that made a resource, or the answer to HEAD. */
void reply_empty(struct exchange *, int status);
/* An answer that has begun is broken off, so that its client doesn't take it
 * for whole.  The exchange may be gone. */
void reply_abort(struct exchange *, enum ender, enum sluice_status);
/* The same, as the backend failed in the middle of an object; `why` is for
 * the log. */
#define REPLY_UNREADABLE \
  "the object's file is shorter than it was, or can't be read"
void reply_break_off(struct exchange *, enum sluice_status, const char *why);
/* It is over before its answer was. */
void reply_gone(struct exchange *, enum ingress_end);
/* The whole body at once; it is drained. */
void reply_body(struct exchange *, int status, struct evbuffer *body);

#endif
