/* SPDX-License-Identifier: MIT
 *
 * The parts of the hook share this: an instance, its handles, and the phases
 * of a request.
 */
#ifndef AUTH_BASIC_AUTH_BASIC_H
#define AUTH_BASIC_AUTH_BASIC_H

#include <sluice/plugin.h>

#include "checks.h"
#include "failures.h"
#include "grants.h"
#include "seen.h"
#include "watch.h"

struct conf {
  const char *file, *realm;
  const char *const *operations, *const *prefixes;
  int64_t interval, cache_time, queue, failures, failure_time;
};

struct instance {
  const struct conf *conf; /* lives as long as the gateway */
  struct grants grants;
  struct watch_file file;
  struct watch_told told;
  struct digest_key *secret; /* of this process */
  struct failures *failures;
};

struct handle {
  const struct instance *instance;
  struct sluice_host *host;
  struct watch *watch;
  struct checks *checks;
  struct seen *good, *bad; /* apart, so that guesses displace no user */
};

/* The phases of a request (caller.c). */
enum sluice_verdict caller_on_request(void *handle, struct sluice_request *);
enum sluice_verdict caller_on_key(void *handle, struct sluice_request *);
/* Seconds after which it may be tried again; 0: at once. */
unsigned caller_wait(struct sluice_request *);
/* With a handle. */
extern const struct checks_calls caller_calls;

#endif
