/* SPDX-License-Identifier: MIT
 *
 * A change on its way: how it begins (mirror_change.c), what the first storage
 * is asked (mirror_write.c), and what each of the others is (mirror_leg.c).
 *
 *   STREAM --> TAKING --> FIRST --> OTHERS --> LEAVING --> LATE
 *   bytes      the key    it        the        the key     who was
 *   come       is taken   decides   others     is left     late ends
 *
 * A change that fails before the first storage decided goes to LEAVING, or to
 * LATE where nothing was taken.  The client is answered in OTHERS, when enough
 * of them have it.
 */
#ifndef MIRROR_WRITE_H
#define MIRROR_WRITE_H

#include <event2/event.h>

#include "mirror_carry.h"
#include "mirror_desk.h"
#include "wish.h"

enum write_kind {
  WRITE_PUT,
  WRITE_REMOVE,
  WRITE_REMOVE_IF,
  WRITE_COPY,
  WRITE_STAGE
};

enum write_phase {
  PHASE_STREAM,
  PHASE_TAKING,
  PHASE_FIRST,
  PHASE_OTHERS,
  PHASE_LEAVING,
  PHASE_LATE
};

enum leg_state {
  LEG_OUT,     /* nothing is asked of it */
  LEG_ASKED,   /* a put, which owes next() */
  LEG_READY,   /* for a chunk or the commit */
  LEG_STORING, /* it commits, removes, or gets a copy */
  LEG_EQUAL,   /* it did */
  LEG_LEAVING, /* canceled before anything could be seen */
  LEG_LATE     /* canceled, and something may still be seen */
};

struct piece { /* a chunk's copy, lent to several */
  unsigned lent;
  size_t room;
  unsigned char bytes[];
};

struct leg {
  struct mirror_write *write;
  unsigned store;
  enum leg_state state;
  struct sluice_ask *ask;     /* NULL: not in flight */
  struct mirror_carry *carry; /* so */
  struct piece *piece;        /* that it has; NULL: none */
  uint64_t heard_ms;          /* it was asked, or said something */
};

struct mirror_write {
  struct mirror_handle *handle;
  struct sluice_op *op; /* NULL: it was answered */
  enum write_kind kind;
  enum write_phase phase;
  struct wish *wish;
  const char *key;
  struct sluice_ask *first; /* of the first storage; NULL: not in flight */
  bool first_ready, next_said;
  struct leg legs[MIRROR_MAX]; /* that of the first storage is never asked */
  struct piece *piece;
  struct event *timer;
  struct desk_job job;
  bool job_out;
  bool taken;         /* the key is */
  unsigned prior;     /* who lacked it before */
  unsigned missing;   /* who may still be at an older change: not asked */
  unsigned late_told; /* whom the desk knows as late */
  uint64_t deadline_ms;
  bool canceled;
  enum sluice_status status; /* of a failure that is to be told */
  char why[160];
};

/* mirror_leg.c */
unsigned legs_in(const struct mirror_write *, enum leg_state); /* a set */
void leg_start_put(struct leg *, int64_t length);
/* Lends the chunk to all that are ready; false: there is no memory. */
bool legs_data(struct mirror_write *, const struct sluice_chunk *);
/* Asks for what the first storage has done. */
void leg_store(struct leg *);
void legs_leave(struct mirror_write *); /* nothing was stored */
/* Those in this state that said nothing for `timeout` don't hold others up any
 * longer; how many ms the next one still has, 0: there is none. */
int64_t legs_drop(struct mirror_write *, enum leg_state);
bool legs_in_flight(const struct mirror_write *);
void legs_free(struct mirror_write *);

/* mirror_write.c */
extern const struct sluice_heard write_first_heard;
void write_first_meta(void *write, const struct sluice_meta *);
void write_first_done(struct mirror_write *, enum sluice_status,
                      const char *why);
void write_take(struct mirror_write *); /* its key; then all the rest */
void write_fail(struct mirror_write *, enum sluice_status, const char *why);
void write_on_timer(evutil_socket_t, short, void *write);
void write_check(struct mirror_write *); /* a leg's state has changed */
void write_alive(struct mirror_write *);

/* mirror_change.c */
void write_free(struct mirror_write *);

#endif
