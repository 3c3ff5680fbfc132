/* SPDX-License-Identifier: MIT
 *
 * The findings of `sluice doctor`: a list of steps with their outcome, what
 * was seen, and what to change.
 */
#ifndef TOOLS_FINDING_H
#define TOOLS_FINDING_H

#include <jansson.h>
#include <stdbool.h>

#include "printflike.h"

enum finding {
  FINDING_OK,
  FINDING_SKIP, /* not offered, or there was no way to look */
  FINDING_WARN, /* works, and could be better */
  FINDING_FAIL
};

struct findings {
  json_t *backends, *steps; /* all; those of the backend at hand */
  unsigned count[FINDING_FAIL + 1];
  bool json; /* else each is printed at once */
};

void findings_init(struct findings *, bool json);
/* The following ones are of this backend. */
void findings_backend(struct findings *, const char *name, const char *plugin);
/* `advice` is what to change where it isn't well, or NULL. */
void finding_add(struct findings *, enum finding, const char *step,
                 const char *advice, const char *fmt, ...) PRINTFLIKE(5, 6);
/* Prints the rest; the exit status: 1 where something failed. */
int findings_end(struct findings *);

#endif
