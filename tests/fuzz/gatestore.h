/* SPDX-License-Identifier: MIT
 *
 * A storage in memory for the gateway that is fuzzed.  It is honest, unless a
 * mood waits: each call that begins something takes the next one, and fails,
 * lies, breaks its contract or falls silent by it.
 */
#ifndef TESTS_GATESTORE_H
#define TESTS_GATESTORE_H

#include <sluice/plugin.h>

enum gatestore_mood {
  GATESTORE_HONEST,
  GATESTORE_SILENT,  /* until it is canceled */
  GATESTORE_SHORT,   /* fewer bytes than it told */
  GATESTORE_LONG,    /* more */
  GATESTORE_ODD,     /* facts that no object has */
  GATESTORE_BARE,    /* done, without what has to come before */
  GATESTORE_TWICE,   /* everything is said again, behind its end, too */
  GATESTORE_ENDLESS, /* a list goes on where it was */
  GATESTORE_LATE,    /* it did what was asked, and says that it failed */
  GATESTORE_FAILS    /* from here on: a status, SLUICE_EINVAL first */
};

struct gatestore;

struct gatestore *gatestore_new(void);
void gatestore_free(struct gatestore *);
void gatestore_feel(struct gatestore *, unsigned mood); /* waits its turn */
bool gatestore_was_honest(const struct gatestore *);

extern const struct sluice_backend gatestore_plugin; /* its handle is one */

#endif
