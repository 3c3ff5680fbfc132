/* SPDX-License-Identifier: MIT
 *
 * A request before a chain of hooks that do as they are told.
 */
#ifndef TESTS_REQUESTKIT_H
#define TESTS_REQUESTKIT_H

#include "request.h"

#define SCENE_HOOKS_MAX 4

struct scene {
  struct loop *loop;
  struct head head;
  struct sluice_request request;
  struct request_hook hooks[SCENE_HOOKS_MAX], *all[SCENE_HOOKS_MAX];
  struct sluice_hook plugins[SCENE_HOOKS_MAX];
  size_t chain[SCENE_HOOKS_MAX];
  char letters[SCENE_HOOKS_MAX]; /* how each hook answers */
  int counts[SCENE_HOOKS_MAX];   /* how often each was, as its state says */
  char asked[32];                /* the letters of those that were asked */
  int thens;
  bool admitted;
};

/* Hooks are letters: p pass, a allow, d deny, w wait, r resume and then wait,
 * f refuse and deny, n without the phase; capitals guard. */
void scene_init(struct scene *, const char *hooks);
/* The same with a head of one's own. */
void scene_init_head(struct scene *, const char *hooks, const char *head);
void scene_fini(struct scene *);
void scene_turn(struct scene *); /* what is ready to run, runs */
/* For request_admit(): counts and keeps what it is told. */
void scene_then(void *scene, bool admitted);

#endif
