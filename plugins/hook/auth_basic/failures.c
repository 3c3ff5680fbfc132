/* SPDX-License-Identifier: MIT
 *
 * Wrong passwords, counted in buckets that all loops share.  A bucket that is
 * in use says how much was taken out of it; in the table of those who were
 * admitted, that it is in use at all.
 */
#include "failures.h"

#include <stdlib.h>

#include "buckets.h"
#include "clientblock.h"
#include "digest.h"

#define ENTRIES 16384 /* of each table: 128 KiB */

struct failures {
  struct clientblock block;
  struct buckets *counts, *admitted;
  uint64_t interval, burst; /* of counts; 0: nobody ever waits */
};

struct failures *failures_new(uint64_t most, uint64_t usec) {
  struct failures *failures = calloc(1, sizeof *failures);
  if (failures == NULL)
    return NULL;
  clientblock_init(&failures->block, CLIENTBLOCK_V4_BITS, CLIENTBLOCK_V6_BITS);
  failures->interval = most == 0 ? 0 : usec / most;
  failures->burst = failures->interval * most;
  failures->counts = buckets_new(ENTRIES);
  failures->admitted = buckets_new(ENTRIES);
  if (failures->counts != NULL && failures->admitted != NULL)
    return failures;
  failures_free(failures);
  return NULL;
}

void failures_free(struct failures *failures) {
  if (failures == NULL)
    return;
  buckets_free(failures->counts);
  buckets_free(failures->admitted);
  digest_wipe(&failures->block, sizeof failures->block);
  free(failures);
}

uint64_t failures_client(const struct failures *failures, const char *client) {
  return clientblock_hash(&failures->block, client);
}

/* For how long somebody is still taken for admitted; 0: they aren't. */
static uint64_t admitted_for(const struct failures *failures, uint64_t pair,
                             uint64_t now) {
  uint64_t left = 0;
  enum buckets_result result =
      buckets_look(failures->admitted, pair, now, 1, &left);
  return result == BUCKETS_EMPTY ? left : 0;
}

uint64_t failures_who(const struct failures *failures, const char *client,
                      const char *user, uint64_t now) {
  uint64_t pair = clientblock_pair(&failures->block, client, user);
  return admitted_for(failures, pair, now) > 0
             ? pair
             : failures_client(failures, client);
}

/* There has to be room for one more. */
uint64_t failures_wait(const struct failures *failures, uint64_t who,
                       uint64_t now) {
  uint64_t wait = 0, most = failures->burst - failures->interval + 1;
  if (failures->interval == 0)
    return 0;
  enum buckets_result result =
      buckets_look(failures->counts, who, now, most, &wait);
  return result == BUCKETS_EMPTY ? wait : 0;
}

void failures_add(struct failures *failures, uint64_t who, uint64_t now) {
  if (failures->interval > 0)
    buckets_charge(failures->counts, who, now, failures->interval,
                   failures->burst);
}

/* Not written anew each time, as all loops would. */
void failures_admit(struct failures *failures, const char *client,
                    const char *user, uint64_t now) {
  uint64_t pair = clientblock_pair(&failures->block, client, user);
  if (admitted_for(failures, pair, now) < FAILURES_ADMITTED_USEC / 2)
    buckets_charge(failures->admitted, pair, now, FAILURES_ADMITTED_USEC,
                   FAILURES_ADMITTED_USEC);
}
