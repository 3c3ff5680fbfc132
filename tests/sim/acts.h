/* SPDX-License-Identifier: MIT
 *
 * The acts of clients of a simulation, and what they make of the answers.
 */
#ifndef TESTS_SIM_ACTS_H
#define TESTS_SIM_ACTS_H

#include "client.h"
#include "history.h"

struct actor {
  struct client client;
  unsigned number, acts;
  unsigned doubts; /* keys of its own that it changes no more */
};

/* One thing, by chance. */
void act(struct actor *);
/* A key is read until there is an answer, and judged. */
void act_settle(struct actor *, struct record *);
/* So many requests, and of which statuses, were there in all. */
unsigned long acts_requests(void);
unsigned long acts_statuses(int hundred);

/* In acts_more.c: uploads whose key the gateway makes, lists. */
void act_form(struct actor *);
void act_list(struct actor *);
void act_stage(struct actor *);
/* A request of it, which is counted. */
void act_ask(struct actor *, const struct request *, struct answer *);
char *act_bytes(unsigned value); /* to be freed */

#endif
