/* SPDX-License-Identifier: MIT
 *
 * A stage as the index has it, and what the writer's lane does to it.
 */
#ifndef LOCAL_STAGE_H
#define LOCAL_STAGE_H

#include <sluice/plugin.h>
#include <sqlite3.h>

#include "buf.h"
#include "seats.h"

struct local;
struct share_stage;
struct task;

enum stage_step { /* of an operation, on the lane */
                  STAGE_MAKE,
                  STAGE_OPEN,
                  STAGE_SAVE,
                  STAGE_COMMIT,
                  STAGE_LOOK, /* for a get */
                  STAGE_REMOVE,
                  STAGE_SWEEP
};

struct stage {
  enum stage_step step;
  int64_t id;
  uint64_t size; /* durable bytes */
  uint64_t blob; /* that has them; 0: none */
  struct buf state;
  int64_t expires_s;
  bool complete;

  bool unmade;      /* it has no row yet, as nobody has heard of it */
  struct buf owner; /* of a new one */
  uint64_t owner_max;
  int64_t now_s; /* of a sweep */

  struct seat *seat; /* held, once it is open */
  uint64_t turn;
  struct share_stage *mark; /* for other processes, as long as it is open */
  bool again;               /* the lane couldn't do it yet, or isn't through */
};

/* Statements of the lane. */
struct stage_sql {
  sqlite3_stmt *make, *find, *save, *complete, *make_complete, *erase,
      *expired, *count;
};

bool stage_sql_open(struct stage_sql *, sqlite3 *);

/* No stage has it yet. */
int64_t stage_new_id(void);

/* Does a task's step, in a transaction; false: the index failed.  For
 * STAGE_COMMIT that is what comes before the object's row, and
 * stage_complete() what comes after it. */
bool stage_apply(struct local *, struct task *);
bool stage_complete(struct local *, struct task *);
/* Does it need no room? */
bool stage_needs_no_room(const struct task *);

#endif
