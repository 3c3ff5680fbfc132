/* SPDX-License-Identifier: MIT
 *
 * One operation of the skeleton, and its way: from its loop into the lane,
 * which alone touches the shelf, and back to the loop to tell what it found.
 */
#ifndef SKELETON_CALL_H
#define SKELETON_CALL_H

#include <sluice/plugin.h>

#include "shelf.h"

struct instance { /* of a configured backend */
  struct shelf shelf;
  uint64_t max_bytes;
  struct sluice_lane *lane;
};

struct handle { /* the instance, as one loop has it */
  struct instance *instance;
  struct sluice_host *host;
};

struct call {
  struct sluice_op *op;
  struct handle *handle;
  void (*act)(struct shelf *, struct call *); /* in the lane */
  void (*tell)(struct call *);                /* then, on the loop */
  bool busy;                                  /* the lane has it */
  bool canceled;                              /* meanwhile */
  enum sluice_status status;
  struct shelf_object *object; /* found, or being written */
  bool exclusive;
  char key[SHELF_KEY_MAX + 1];
  struct shelf_page page; /* of a list */
};

/* The lane of an instance: call_lane_run() is its run(). */
void call_lane_run(void *instance, void **jobs, size_t count);

struct call *call_start(void *handle, struct sluice_op *);
struct call *call_of(struct sluice_op *); /* once it is started */
/* Copies a key, prefix, delimiter or token; NULL: "".  What the gateway passes
 * is lent only until the plugin's function returns. */
void call_keep(struct call *, char out[SHELF_KEY_MAX + 1], const char *text);
/* Runs act() in the lane, then tell() on the loop; ends the call instead when
 * something failed before, in it, or when it was canceled meanwhile. */
void call_submit(struct call *, void (*act)(struct shelf *, struct call *),
                 void (*tell)(struct call *));
void call_end(struct call *); /* with the status that it has */
void call_fail(struct call *, enum sluice_status);
void call_cancel(struct call *);

#endif
