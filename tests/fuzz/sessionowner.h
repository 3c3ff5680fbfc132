/* SPDX-License-Identifier: MIT
 *
 * The owner of a fuzzed ingress' requests.  The first letter of a request's
 * path tells how it is answered:
 *   e  at once                     r  when the body was read
 *   w  on owner_go()               h  on owner_go() the body is read
 *   p  asks for the body, takes nothing, answers on owner_go()
 *   l  at the body's first piece, which it doesn't take
 *   n  204, x  304, both at once and without a body
 *   s  streams many pieces         t  streams, and breaks off in the middle
 *   a  breaks off at the body's first piece
 *   d  streams, and goes on by owner_go() only
 * Each answer has the header
 * `X-N: n`, where n counts requests, and its body is made of the letter that
 * owner_letter(n) is; `X-Head` where the request was HEAD, and `X-Broken`
 * where it will be broken off.
 */
#ifndef TESTS_SESSIONOWNER_H
#define TESTS_SESSIONOWNER_H

#include <sys/queue.h>

#include "ingress.h"

#define OWNER_STREAM 60000 /* bytes of an answer that is streamed */
#define OWNER_PIECE 16000

TAILQ_HEAD(owner_items, item);

struct owner {
  struct ingress *ingress;
  struct owner_items items; /* under way */
  size_t requests;          /* all that there were */
  size_t open;              /* connections */
};

/* For ingress_new(). */
struct ingress_owner owner_init(struct owner *);
void owner_go(struct owner *); /* for what waits */
char owner_letter(size_t n);

#endif
