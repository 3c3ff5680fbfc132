/* SPDX-License-Identifier: MIT
 *
 * The service's answer, as far as it is kept: its status, who it says that it
 * is, and the headers for the client.  Requests and the memo share one.
 */
#ifndef AUTH_ANSWER_H
#define AUTH_ANSWER_H

#include <stdint.h>

#include "httpc.h"

#define AUTH_ANSWER_MAX 4096 /* bytes of all that is kept */

struct auth_answer {
  unsigned refs;
  int status;
  bool debug;          /* they may see how long what took */
  size_t size;         /* of this block */
  const char *headers; /* "name\0value\0", again and again, then "\0" */
  char identity[];     /* "": it says nothing */
};

struct auth_answer_wish {
  const char *identity;        /* of which header; "": none */
  const char *debug;           /* so, too: it says "true" */
  const char *const *returned; /* names of headers, NULL at the end */
};

/* One reference, or NULL and why not; `why` is constant. */
struct auth_answer *auth_answer_new(const struct httpc_call *,
                                    const struct auth_answer_wish *,
                                    const char **why);
struct auth_answer *auth_answer_hold(struct auth_answer *);
void auth_answer_release(struct auth_answer *); /* NULL: nothing */

/* How long an answer with this Cache-Control (NULL: none) may be kept, where
 * `asked_ms` are wished for: never longer, 0 for no-store and no-cache. */
int64_t auth_answer_time(const char *control, int64_t asked_ms);

#endif
