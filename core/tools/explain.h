/* SPDX-License-Identifier: MIT
 *
 * The state of an explanation, and its words: a line each, or one JSON object.
 */
#ifndef TOOLS_EXPLAIN_H
#define TOOLS_EXPLAIN_H

#include <jansson.h>

#include "printflike.h"
#include "stand.h"
#include "tools.h"

struct explain_line { /* a request as the command line has it */
  const char *method, *target;
  char host[256];
  const char **headers;
  size_t header_count;
};

struct explain;

struct explain_hook {
  struct explain *explain;
  const struct sluice_hook *of;
  struct sluice_hook own; /* the same, whose calls are noted */
  void *handle;
  enum sluice_verdict verdict; /* the last one */
};

struct explain {
  struct gateway *gateway;
  const char *peer;
  struct head head;
  const struct route *route;
  struct stand stand;
  bool stood;
  struct sluice_request request;
  struct explain_hook hooks[SETTINGS_HOOKS_MAX];
  struct request_hook seen[SETTINGS_HOOKS_MAX];
  struct request_hook *each[SETTINGS_HOOKS_MAX]; /* of them */
  size_t chain[SETTINGS_HOOKS_MAX], hook_count;
  /* The backends' names, among which hooks may choose; nothing else of them
   * is there. */
  struct op_backend *named, **backends;
  struct explain_hook *asked; /* whose verdict isn't told yet */
  const char *phase;
  struct buf key;
  bool over, admitted;
  json_t *json; /* NULL: lines */
};

void explain_say(struct explain *, const char *what, const char *fmt, ...)
    PRINTFLIKE(3, 4);
/* The last word.  `code` is NULL where the request goes on: -1; else 1. */
int explain_end(struct explain *, int status, const char *code,
                const char *why);
/* The JSON, where it is that. */
void explain_print(struct explain *);

#endif
