/* SPDX-License-Identifier: MIT
 *
 * An answer's way to its client: whole, or in chunks.  Its header fields are
 * added before.
 */
#ifndef HTTP1_ANSWER_H
#define HTTP1_ANSWER_H

#include <event2/buffer.h>

#include "fields.h"
#include "ingress.h"

/* Of the answer, until it begins: the owner's, to which come Date, Connection
 * where it is needed, and Content-Length where it is missing. */
struct buf *answer_fields(struct ingress_conn *);

/* All of it at once.  `body` is drained; NULL: none, but the fields may tell
 * of one.  To HEAD, and with 204 and 304, none is sent. */
void answer_whole(struct ingress_conn *, int status, struct evbuffer *body);

/* The head of one whose Content-Length is set; then its body in chunks, each
 * after sent() of the one before; then its end. */
void answer_begin(struct ingress_conn *, int status);
/* Calls sent() each time that not more than `low` bytes are left to send, not
 * from inside this call; a call that was due before may come late.  The body's
 * memory is lent until it is sent. */
void answer_chunk(struct ingress_conn *, struct evbuffer *, size_t low,
                  void (*sent)(void *arg), void *arg);
/* Bytes of the answer, so far, that are left to send. */
size_t answer_unsent(struct ingress_conn *);
/* The request may be no more after it. */
void answer_end(struct ingress_conn *);

#endif
