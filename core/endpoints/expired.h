/* SPDX-License-Identifier: MIT
 *
 * A walk through the notes of objects that end does this with each that is
 * due: its text, which is a key, is read; what is there is looked at; the
 * object, where it has ended, is removed as just that one; and then the note.
 * An object that was replaced meanwhile stays, whatever its note says.
 */
#ifndef ENDPOINTS_EXPIRED_H
#define ENDPOINTS_EXPIRED_H

#include "expiry.h"
#include "key.h"
#include "ownobject.h"
#include "walk.h"

#define EXPIRED_PAGE 200

struct expired_walk { /* a kind's own begin with it */
  struct walk walk;
  int64_t next_s;  /* the first moment that isn't due yet; 0: unknown */
  bool looks_only; /* nothing is removed */
  /* It is told what became of an object that has ended; NULL: nobody is. */
  void (*tell)(struct expired_walk *, const char *key, enum sluice_status,
               const char *why);
  void *teller;
};

struct expired {
  struct walk_task task;
  struct ownobject own; /* the note */
  bool over;            /* has the object ended? */
  int64_t expires_s;    /* when it does; 0: never, or none is there */
  char etag[OWNOBJECT_ETAG_MAX + 1]; /* its; "": none */
  char text[KEY_MAX + 1];            /* its key */
};

enum walk_choice expired_choose(struct walk *, const struct op_entry *);
void expired_start(struct walk_task *);

#endif
