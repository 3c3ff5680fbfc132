/* SPDX-License-Identifier: MIT
 *
 * The inside of an upload that is made once, for its three files:
 * idempotency.c is what uploads see, idempotency_claim.c finds out whose it
 * is, idempotency_errand.c reads and writes the record.
 */
#ifndef ENDPOINTS_IDEMPOTENCY_PARTS_H
#define ENDPOINTS_IDEMPOTENCY_PARTS_H

#include <event2/event_struct.h>

#include "idempotency.h"
#include "oncerecord.h"
#include "ownobject.h"

enum idempotency_turn {
  IDEMPOTENCY_LOOKS,   /* whose it is isn't known yet */
  IDEMPOTENCY_OWNS,    /* the record is this request's claim */
  IDEMPOTENCY_COMMITS, /* the backend was asked to store the object */
  IDEMPOTENCY_STORED,  /* which it did, and the record has yet to say so */
  IDEMPOTENCY_REPLAYS, /* it was made before */
  IDEMPOTENCY_OVER     /* nothing is left to be recorded */
};

/* The end of an errand. */
typedef void idempotency_end(struct idempotency *, enum sluice_status,
                             const char *why);

struct idempotency {
  struct exchange *ex; /* NULL: gone */
  struct gate *gate;
  void (*then)(struct exchange *);
  void (*left)(struct idempotency *); /* when it is gone, after an errand */
  enum idempotency_turn turn;
  idempotency_end *end;   /* of the errand; NULL: none is under way */
  bool quiet;             /* which nobody waits for */
  idempotency_end *next;  /* of the one that was asked for meanwhile */
  idempotency_end *again; /* of one that failed, after a pause */
  unsigned failures;      /* of that */
  struct sluice_op *head; /* looks for another one's object */
  bool is_there;
  struct event timer;
  unsigned waits, tries;
  char owner[ONCERECORD_OWNER_LEN + 1];
  char earlier[KEY_MAX + 1]; /* "": none */
  char key[ONCERECORD_KEY_SIZE];
  char etag[OWNOBJECT_ETAG_MAX + 1]; /* of the record */
  struct oncerecord record;
  struct ownobject own; /* the record, as the storage has it */
  char text[ONCERECORD_MAX + 1];
};

/* ---- idempotency_errand.c ----------------------------------------------- */

uint64_t idempotency_now_ms(void);
uint64_t idempotency_lease_ms(const struct idempotency *);
uint64_t idempotency_renewal_ms(const struct idempotency *);
void idempotency_set_timer(struct idempotency *, uint64_t ms);
/* Answers, where somebody waits. */
void idempotency_fail(struct idempotency *, enum sluice_status,
                      const char *why);
/* It may be answered in there, and then be gone. */
void idempotency_go_on(struct idempotency *);

void idempotency_get(struct idempotency *, idempotency_end *);
/* Puts the record, where nothing is or in place of what it was. */
void idempotency_put(struct idempotency *, bool replaces, idempotency_end *);
void idempotency_remove(struct idempotency *, idempotency_end *);
/* Of own.then. */
void idempotency_on_own(void *, enum sluice_status, const char *why);
/* Did another one change the record? */
bool idempotency_is_lost(enum sluice_status);

/* ---- idempotency_claim.c ------------------------------------------------ */

void idempotency_start(struct idempotency *);
/* Looks again for whom it waited. */
void idempotency_look(struct idempotency *);

#endif
