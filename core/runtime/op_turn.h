/* SPDX-License-Identifier: MIT
 *
 * The turns of an operation: the states that it goes through, which say whose
 * turn it is and for what, and the calls of both sides that lead from one to
 * the next.
 */
#ifndef RUNTIME_OP_TURN_H
#define RUNTIME_OP_TURN_H

enum op_turn {
  OP_NEVER, /* no state: the call is out of turn */
  /* The plugin's turn. */
  OP_HEADING,    /* head, copy: to describe the object */
  OP_FINDING,    /* get: to describe the object */
  OP_READING,    /* get: to send a chunk */
  OP_REREADING,  /* put: to send all that it has, as one chunk */
  OP_STORING,    /* put, stage: to ask for a chunk, or for the next one */
  OP_ANSWERING,  /* to say what else the operation wants, and done */
  OP_COMMITTING, /* put, stage: to store, and to describe the object */
  OP_OPENING,    /* stage: to tell what is there */
  OP_SAVING,     /* stage: to tell what is durable */
  /* The gateway's turn. */
  OP_DESCRIBED, /* get: to read */
  OP_LENT,      /* get: to ask for the next chunk */
  OP_LENT_LAST, /* get: to give the last chunk back */
  OP_RELENT,    /* put: to give that chunk back */
  OP_WANTED,    /* put, stage: to lend a chunk, to save, or to commit; put: to
                   read what it has */
  /* Nobody's. */
  OP_DONE,  /* the plugin said so; the gateway isn't told yet */
  OP_BURIED /* nobody may use it any more */
};
#define OP_TURNS (OP_BURIED + 1)

enum op_call {
  /* The plugin's. */
  OP_CALL_META,
  OP_CALL_SEND,
  OP_CALL_SEND_LAST,
  OP_CALL_NEXT,
  OP_CALL_DONE,
  OP_CALL_STAGED,
  /* The gateway's. */
  OP_CALL_READ,
  OP_CALL_MORE,
  OP_CALL_DATA,
  OP_CALL_COMMIT,
  OP_CALL_SAVE
};
#define OP_CALLS (OP_CALL_SAVE + 1)

/* The state after the call, or OP_NEVER. */
enum op_turn op_turn_next(enum op_turn, enum op_call);

#endif
