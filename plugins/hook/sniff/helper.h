/* SPDX-License-Identifier: MIT
 *
 * The gateway's end of one helper: bytes go there, a type comes back, and one
 * that has ended, or doesn't answer in time, is followed by another one.  Each
 * is used by one thread at a time.
 */
#ifndef SNIFF_HELPER_H
#define SNIFF_HELPER_H

#include <sluice/plugin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errmsg.h"
#include "mediatype.h"

struct helper {
  struct sluice_host *host;  /* of the instance, for the log */
  int database;              /* lent */
  int socket;                /* -1: it isn't there */
  bool lost;                 /* there was one, and it has ended */
  unsigned failures;         /* of starts, since the last one that went well */
  _Atomic uint64_t again_us; /* none is started before */
  uint64_t restarts;         /* in all */
};

struct helper_task {
  const void *bytes;
  size_t size;
  uint64_t until_us;        /* by clock_us(): waiting, too */
  uint64_t look_us;         /* that the look may take of it */
  bool found;               /* else why[] */
  char type[MEDIATYPE_MAX]; /* of mediatype_read() */
  struct errmsg why;
};

void helper_init(struct helper *, struct sluice_host *, int database);
/* Starts it, and waits until it can be asked. */
bool helper_begin(struct helper *, uint64_t until_us, struct errmsg *);
void helper_look(struct helper *, struct helper_task *);
/* From any thread: none is started for a while, as starts fail. */
bool helper_pauses(const struct helper *);
void helper_fini(struct helper *);

#endif
