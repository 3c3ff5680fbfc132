/* SPDX-License-Identifier: MIT
 *
 * A backend that says what a script has it say, and the gateway's side of its
 * operation: both write down what happens, in one line.
 */
#ifndef TESTS_OPKIT_H
#define TESTS_OPKIT_H

#include "op.h"
#include "op_private.h"

/* The plugin's words, a letter each.  A "|" in a script separates what it
 * says in the first call, the second, ...; after the last it says nothing.
 *   M meta   B meta with too much in it   S send   L send the last chunk
 *   g staged, as it is true   G staged, with a byte more than is there
 *   v alive   N next   e entry   p prefix   t text   u truncated   k a
 * thousand entries   f failed, the second key   D done, all is well   E done,
 * SLUICE_ENOENT ; what follows is said in a later event */
struct op_script {
  enum op_kind kind;
  const char *start, *read, *more, *data, *commit, *save;
  const char *cancel; /* NULL: it never answers */
  int chunks;         /* put, stage: how many until the commit; a stage is
                         saved after each */
  int leave;          /* the gateway leaves in its event of this number, 0
                         right after the start; -1: never */
  char hold;          /* in this event of its own it does nothing */
};

/* The line: "<" and ">" around a call of the plugin, named by a letter (H G P
 * I V W K Z F Y T for the kinds, R read, O more, A data, C commit, W save, X
 * cancel); "!" when it said done; m c n v s d for the gateway's events, r for
 * `released`. */
struct op_rig {
  struct op_script script;
  struct loop *loop;
  struct sluice_backend plugin;
  struct op_backend backend;
  char line[256];
  size_t len;

  struct sluice_op *op;
  struct loop_task later;
  const char *rest; /* what is said then */
  bool pending;
  int calls[6]; /* of read, more, data, commit, save, cancel */
  int events, dones, releases, sent;
  enum sluice_status status;
  char why[64];
  size_t texts, entries;
  bool truncated;
  enum sluice_status removed[2];

  const char *text, *token; /* for t and u */
  struct sluice_meta meta;  /* for M */
  struct sluice_meta seen;
  size_t seen_user; /* pairs of it */
  char seen_texts[256];
};

void op_rig_init(struct op_rig *, const struct op_script *);
void op_rig_fini(struct op_rig *);
/* Starts the operation. */
void op_rig_start(struct op_rig *);
void op_rig_leave(struct op_rig *);
/* The plugin speaks, outside of any call. */
void op_rig_say(struct op_rig *, const char *script);
/* Runs what is ready to run. */
void op_rig_turn(struct op_rig *);
/* Runs until the operation is gone. */
void op_rig_finish(struct op_rig *);

/* The whole life of one: its line is in `rig`, which is to be fini'd. */
void op_rig_run(struct op_rig *, const struct op_script *);

#endif
