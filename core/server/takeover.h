/* SPDX-License-Identifier: MIT
 *
 * This gateway takes over from one that runs (handover.h): it gets the sockets
 * and what backends hold before it starts, and says when it serves.  The main
 * thread's.
 */
#ifndef SERVER_TAKEOVER_H
#define SERVER_TAKEOVER_H

#include <sluice/plugin.h>

#include "errmsg.h"
#include "inherit.h"

#define TAKEOVER_PATIENCE_S 60 /* for the other one's answer */

struct gateway;

struct takeover_backend {
  char *name;
  struct sluice_handed handed;
};

struct takeover {
  bool wanted; /* by the command line; all else is zero without it */
  int socket;  /* -1: nobody is there any more */
  struct takeover_backend *backends;
  size_t count;
  struct event *heard;
};

/* Asks the gateway at server.admin for all that it has; false and why.  Waits
 * for the answer. */
bool takeover_begin(struct gateway *, struct errmsg *);
/* The descriptors of that gateway's backend of the name; NULL: none. */
struct sluice_handed *takeover_handed(struct gateway *, const char *name);
/* Backends have taken what they can use. */
void takeover_started(struct gateway *);
/* This one serves: the other one may stop to. */
void takeover_ready(struct gateway *);
void takeover_end(struct gateway *);

#endif
