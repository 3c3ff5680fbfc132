/* SPDX-License-Identifier: MIT
 *
 * Shared by the files of the layer `mirror`: what all loops have, and a loop's
 * handle.  The first storage decides; the others are made equal to it.
 */
#ifndef MIRROR_LAYER_H
#define MIRROR_LAYER_H

#include <sluice/plugin.h>
#include <stdatomic.h>

#include "arrears.h"

#define MIRROR_MAX ARREARS_STORES /* storages below */

struct mirror_conf {
  const char *const *over;
  int64_t acknowledge; /* 0: all of them */
  const char *directory;
  uint64_t queue; /* bytes */
  int64_t heal_ms, timeout_ms;
};

/* The lane found it so when it was asked last. */
enum mirror_state {
  MIRROR_WELL,
  MIRROR_FULL,
  MIRROR_UNWRITTEN, /* the last sync failed, and another one may not */
  MIRROR_BROKEN
};

enum mirror_metric {
  MIRROR_BEHIND,
  MIRROR_LATE,
  MIRROR_HEALED,
  MIRROR_NOT_HEALED,
  MIRROR_QUEUE_STATE
};

struct mirror { /* of all loops */
  const struct mirror_conf *conf;
  struct sluice_host *host;
  unsigned abilities;
  unsigned count;           /* of the storages */
  unsigned enough;          /* that have a change before it is acknowledged */
  unsigned others;          /* the set of all but the first one */
  struct arrears *arrears;  /* the lane's alone */
  struct sluice_lane *lane; /* that has them */
  struct arrears_conf arrears_conf;
  atomic_bool has_healer;               /* one loop heals */
  atomic_int state;                     /* enum mirror_state */
  _Atomic uint64_t away_ms[MIRROR_MAX]; /* it isn't asked before then */
  _Atomic uint64_t owed[MIRROR_MAX];    /* keys that it lacks */
  _Atomic uint64_t healed;              /* since the start */
};

struct healer;

struct mirror_handle { /* of one loop */
  struct mirror *shared;
  struct sluice_host *host;
  struct sluice_store *stores[MIRROR_MAX];
  struct healer *healer; /* NULL: another loop heals */
};

/* A storage that hangs isn't waited for again for a while. */
bool mirror_is_away(const struct mirror *, unsigned store);
void mirror_is_late(struct mirror *, unsigned store);
void mirror_is_back(struct mirror *, unsigned store);
/* It, and not the object, is why something failed. */
bool mirror_is_outage(enum sluice_status);
unsigned mirror_bits(unsigned set); /* how many there are */
/* A timer of so many milliseconds. */
struct event;
void mirror_wait(struct event *, int64_t ms);

/* ---- operations --------------------------------------------------------- */

enum mirror_kind {
  MIRROR_NONE,
  MIRROR_READ,
  MIRROR_WRITE,
  MIRROR_STAGE,
  MIRROR_PING
};

struct mirror_pong { /* of one storage */
  struct mirror_ping *ping;
  unsigned store;
};

struct mirror_ping {
  const struct mirror *shared;
  struct sluice_op *op;
  struct sluice_ask *asks[MIRROR_MAX]; /* NULL: not in flight */
  struct mirror_pong pongs[MIRROR_MAX];
  unsigned left, good; /* that are in flight, and that answered well */
  bool first;          /* that one did */
  bool canceled;
};

/* The state of each operation. */
struct mirror_op {
  enum mirror_kind kind;
  struct mirror_read *read;   /* NULL: it ended */
  struct mirror_write *write; /* so */
  bool no_memory;             /* of a stage, to commit it */
  struct mirror_ping ping;
};
struct mirror_op *mirror_op(struct sluice_op *);

/* mirror_read.c */
void mirror_head(void *handle, struct sluice_op *, const char *key);
void mirror_get(void *handle, struct sluice_op *, const struct sluice_get *);
void mirror_list(void *handle, struct sluice_op *, const struct sluice_list *);
void mirror_read_range(struct mirror_read *, uint64_t first, uint64_t count);
void mirror_read_more(struct mirror_read *);
void mirror_read_cancel(struct mirror_read *);

/* mirror_write.c */
void mirror_put(void *handle, struct sluice_op *, const struct sluice_put *);
void mirror_write_data(struct mirror_write *, const struct sluice_chunk *);
void mirror_write_commit(struct mirror_write *, const struct sluice_object *);
void mirror_remove(void *handle, struct sluice_op *, const char *key);
void mirror_remove_if(void *handle, struct sluice_op *,
                      const struct sluice_removal *);
void mirror_copy(void *handle, struct sluice_op *, const struct sluice_copy *);
/* Of a stage that is open at the first storage, as `ask`. */
void mirror_stage_commit(void *handle, struct sluice_op *,
                         const struct sluice_object *,
                         const struct sluice_save *, struct sluice_ask *ask);
/* From then on it is told what that one says. */
void mirror_write_staged_meta(struct mirror_write *,
                              const struct sluice_meta *);
void mirror_write_staged_done(struct mirror_write *, enum sluice_status,
                              const char *why);
void mirror_write_cancel(struct mirror_write *);

/* mirror_ping.c */
void mirror_ping(void *handle, struct sluice_op *);
void mirror_ping_cancel(struct mirror_ping *);

/* mirror_heal.c */
bool healer_open(struct mirror_handle *); /* false: no memory */
void healer_close(struct mirror_handle *);

#endif
