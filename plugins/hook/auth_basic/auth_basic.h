/* SPDX-License-Identifier: MIT
 *
 * What the parts of the hook share: an instance, its handles, and who calls.
 */
#ifndef AUTH_BASIC_AUTH_BASIC_H
#define AUTH_BASIC_AUTH_BASIC_H

#include <sluice/plugin.h>

#include "checks.h"
#include "grants.h"
#include "seen.h"
#include "watch.h"

struct conf {
  const char *file, *realm;
  const char *const *operations, *const *prefixes;
  int64_t interval, cache_time, queue;
};

struct instance {
  const struct conf *conf; /* lives as long as the gateway */
  struct grants grants;
  struct watch_file file;
  struct watch_told told;
  struct digest_key *secret; /* of this process */
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
/* What a check found, for struct checks. */
void caller_found(void *handle, const unsigned char *key, bool good);

#endif
