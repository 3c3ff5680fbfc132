/* SPDX-License-Identifier: MIT
 *
 * Headers that answers have in common, put together once, as lines that are
 * added whole.
 */
#ifndef GATE_HEADERLINES_H
#define GATE_HEADERLINES_H

#include <stdbool.h>

#include "settings.h"

struct headerlines {
  char *every;   /* of each answer: "Name: value" and CRLF, each */
  char *by_link; /* the same, of answers where links are served */
  char *json;    /* beside the Content-Type of JSON */
};

/* False: no memory; fini is needed all the same. */
bool headerlines_init(struct headerlines *, const struct settings *);
void headerlines_fini(struct headerlines *);

#endif
