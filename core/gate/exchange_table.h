/* SPDX-License-Identifier: MIT
 *
 * The states of a request, and what each event does in each of them: one
 * table, without any code, so that it can be read, drawn and walked through.
 * exchange.c carries the actions out.
 */
#ifndef GATE_EXCHANGE_TABLE_H
#define GATE_EXCHANGE_TABLE_H

#include <stdbool.h>

/* Until its answer begins, the client waits.  A change outlives that: its
 * states say whether the client still waits, has an answer, or has left. */
enum exchange_state {
  EXCHANGE_ADMITTING,         /* hooks decide on the request */
  EXCHANGE_WORKING,           /* the body is received, the backend works */
  EXCHANGE_CHECKING,          /* hooks decide on its key, or its bytes */
  EXCHANGE_CHANGING,          /* the backend carries out a change */
  EXCHANGE_CHANGING_ANSWERED, /* ... and its client was told that it's late */
  EXCHANGE_CHANGING_LEFT,     /* ... and its client has left */
  EXCHANGE_TELLING,           /* hooks are told of the change */
  EXCHANGE_TELLING_ANSWERED,
  EXCHANGE_TELLING_LEFT,
  EXCHANGE_SENDING, /* the answer is on its way, and nothing else to do */
  EXCHANGE_OVER,    /* nobody listens; a hook has yet to resume it */
  EXCHANGE_STATES
};

enum exchange_event {
  EXCHANGE_ADMITTED,  /* hooks let the request, or its key, pass */
  EXCHANGE_DENIED,    /* one refuses it */
  EXCHANGE_VAIN,      /* a hook resumed it when nobody waited for that */
  EXCHANGE_KEY,       /* its key is known */
  EXCHANGE_BODY,      /* bytes of its object are */
  EXCHANGE_CHANGE,    /* a change begins */
  EXCHANGE_CHANGED,   /* it took place */
  EXCHANGE_FAILED,    /* the operation failed: nothing changed */
  EXCHANGE_TOLD,      /* hooks know of the change */
  EXCHANGE_ANSWER,    /* an answer begins */
  EXCHANGE_ALIVE,     /* the backend says that it goes on */
  EXCHANGE_SILENCE,   /* who has something to do took too long */
  EXCHANGE_LEAVE,     /* its client has the answer, or left */
  EXCHANGE_BREAK_OFF, /* the loop ends */
  EXCHANGE_EVENTS
};

enum exchange_action {
  EXCHANGE_NEVER,        /* can't be */
  EXCHANGE_IGNORE,       /* changes the state, at most */
  EXCHANGE_START,        /* the endpoint begins */
  EXCHANGE_GO_ON,        /* the endpoint goes on */
  EXCHANGE_REFUSE,       /* answers with the hook's refusal */
  EXCHANGE_ASK,          /* asks hooks about the key */
  EXCHANGE_SHOW,         /* shows hooks the bytes */
  EXCHANGE_TELL,         /* tells hooks of the change */
  EXCHANGE_WATCH,        /* the time of who has something to do begins anew */
  EXCHANGE_FAIL,         /* answers with the failure */
  EXCHANGE_LOG_FAILURE,  /* nobody waits for it */
  EXCHANGE_LATE_HOOK,    /* answers that a hook took too long */
  EXCHANGE_LATE_BACKEND, /* ... that the backend did */
  EXCHANGE_PASS_BY,      /* goes on without the hook */
  EXCHANGE_CANCEL,       /* has the backend give the change up */
  EXCHANGE_ABORT,        /* breaks the answer off, so that it isn't whole */
  EXCHANGE_STAY,         /* goes on without its client */
  EXCHANGE_END,          /* logs it and frees it */
  EXCHANGE_END_FAILED,   /* the same after a failure that nobody waits for */
  EXCHANGE_FREE          /* frees what only a hook still referred to */
};

struct exchange_step {
  enum exchange_action action;
  enum exchange_state next;
};

/* The action of the event in the state, and the state that is entered
 * first. */
struct exchange_step exchange_step(enum exchange_state, enum exchange_event);

/* Does a change take place, or is it told? */
bool exchange_is_changing(enum exchange_state);
/* Has its answer begun? */
bool exchange_is_answered(enum exchange_state);
/* Is it for hooks to go on? */
bool exchange_asks_hooks(enum exchange_state);
/* Does it go on without its client? */
bool exchange_is_left(enum exchange_state);

#endif
