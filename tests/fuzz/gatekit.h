/* SPDX-License-Identifier: MIT
 *
 * A gateway on one loop without threads of its own but the pool's, without
 * sockets that others could reach, and with one backend, gatestore.h: all that
 * lies between a connection and a storage is what is released.
 *
 * Each answer whose request was HEAD has the header `X-Head`, and the request
 * header `X-Hook` says what a hook does: "deny", "wait", or whose it is.
 */
#ifndef TESTS_GATEKIT_H
#define TESTS_GATEKIT_H

#include "gate.h"
#include "gatestore.h"
#include "ingress.h"
#include "work.h"

#define GATEKIT_WAITING 8
#define GATEKIT_MEMORY (8 << 20) /* limits.memory */

struct gatekit {
  struct gate gate;
  struct loop *loop;
  struct ingress *ingress;
  struct gatestore *store;
  struct op_backend backend, *backends[1];
  struct request_hook hook, *hooks[1];
  size_t common_hooks[1];
  struct metrics metrics;
  struct clients clients;
  struct budget memory;
  struct quarantine spent;
  struct repeats refusals;
  struct marks *marks, *all_marks[1];
  struct uploads *uploads;
  struct sluice_request *waiting[GATEKIT_WAITING];
  struct timeval patience;
};

void gatekit_init(struct gatekit *);
void gatekit_resume(struct gatekit *); /* requests that the hook held back */
void gatekit_turn(struct gatekit *);   /* what is ready to run */
void gatekit_hurry(struct gatekit *);  /* whatever waits for a time has it */
/* Breaks off what is under way, and waits for the end of it. */
void gatekit_end(struct gatekit *);
void gatekit_fini(struct gatekit *);

#endif
