/* SPDX-License-Identifier: MIT
 *
 * The parts of `sluice doctor`, which looks at each backend of a
 * configuration as the gateway would use it.
 */
#ifndef TOOLS_DOCTOR_H
#define TOOLS_DOCTOR_H

#include "act.h"
#include "finding.h"
#include "probe.h"

struct doctor {
  const char *file; /* the configuration */
  struct gateway *gateway;
  struct findings findings;
  size_t backend;            /* index */
  char server[128];          /* what the service calls itself, or "" */
  char prefix[64];           /* what all keys begin with */
  struct act_bytes bytes;    /* of every object */
  bool reachable, versioned; /* the network, and what a link told */
};

/* The backend's option of this name; NULL: none.  For a text, a bool,
 * a number. */
const struct sluice_option *doctor_option(const struct doctor *,
                                          const char *name);
const char *doctor_text(const struct doctor *, const char *name);
bool doctor_bool(const struct doctor *, const char *name, bool otherwise);
void doctor_set_bool(struct doctor *, const char *name, bool);
void doctor_set_int(struct doctor *, const char *name, int64_t);

/* Name, connection, TLS and clock of its endpoint. */
void doctor_network(struct doctor *);
/* A URL as a client would fetch it. */
void doctor_fetch(struct doctor *, const char *step, const char *url,
                  bool compared);
void doctor_public_url(struct doctor *);
/* Each operation, by doing it.  Then what the storage could do if it were
 * asked. */
void doctor_storage(struct doctor *);
void doctor_options(struct doctor *);

#endif
