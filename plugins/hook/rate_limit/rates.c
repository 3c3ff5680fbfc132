/* SPDX-License-Identifier: MIT
 *
 * The options of rate_limit.  Those that are taken keep all sums of times
 * below BUCKETS_AHEAD_MAX.
 */
#include "rates.h"

#include <limits.h>
#include <string.h>

#include "buckets.h"
#include "operation.h"
#include "words.h"

#define MS UINT64_C(1000)
#define DAY_MS (INT64_C(86400) * 1000)
#define BURST_MAX (7 * DAY_MS * MS) /* time in which it fills up again */
#define INTERVAL_MIN 10             /* between requests */

static bool read_operations(struct rates *rates, const char *const *names,
                            struct errmsg *err) {
  const char *words[OPERATION_WORDS];
  char list[96];
  operation_words(words, operation_name(OPERATION_SIGNED));
  words_join(list, sizeof list, words);
  rates->operations = names[0] == NULL ? UINT_MAX : 0;
  for (; *names != NULL; names++) {
    enum operation operation = operation_find(*names);
    const char *nearest = words_nearest(*names, words);
    if (operation == OPERATION_NONE)
      return errmsg_set(err, "operations: '%.32s' is not known; %s %s", *names,
                        nearest != NULL ? "did you mean" : "write some of",
                        nearest != NULL ? nearest : list);
    rates->operations |= OPERATION_BIT(operation);
  }
  return true;
}

static bool rates_read_key(struct rates *rates, const struct rates_conf *conf,
                           struct errmsg *err) {
  rates->by_identity = strcmp(conf->by, "identity") == 0;
  if (!rates->by_identity && strcmp(conf->by, "client") != 0)
    return errmsg_set(err,
                      "by: '%.32s' is not known; write client or "
                      "identity",
                      conf->by);
  if (conf->ipv4_prefix < 1 || conf->ipv4_prefix > 32)
    return errmsg_set(err, "ipv4_prefix is out of range; write 1 to 32");
  if (conf->ipv6_prefix < 1 || conf->ipv6_prefix > 128)
    return errmsg_set(err, "ipv6_prefix is out of range; write 1 to 128");
  if (conf->entries < BUCKETS_MIN || conf->entries > BUCKETS_MAX)
    return errmsg_set(err, "entries is out of range; write %u to %u",
                      BUCKETS_MIN, BUCKETS_MAX);
  rates->v4_bits = (unsigned)conf->ipv4_prefix;
  rates->v6_bits = (unsigned)conf->ipv6_prefix;
  return true;
}

static bool read_requests(struct rates *rates, const struct rates_conf *conf,
                          struct errmsg *err) {
  int64_t burst = conf->burst == 0 ? conf->requests : conf->burst;
  if (conf->requests < 0 || conf->burst < 0)
    return errmsg_set(err, "requests and burst can't be negative; write a "
                           "number, as in 100");
  if (conf->requests == 0 && conf->burst > 0)
    return errmsg_set(err, "burst has no meaning without requests; write "
                           "both");
  if (conf->requests == 0)
    return true;
  uint64_t count = (uint64_t)conf->requests;
  rates->interval = rates->per / count + (rates->per % count != 0);
  if (rates->per / count < INTERVAL_MIN)
    return errmsg_set(err, "requests: more than 100000 a second; write fewer");
  if ((uint64_t)burst > BURST_MAX / rates->interval)
    return errmsg_set(err, "burst: it would take more than 7 days to fill up "
                           "again; write less");
  rates->burst = rates->interval * (uint64_t)burst;
  return true;
}

static bool read_bytes(struct rates *rates, const struct rates_conf *conf,
                       struct errmsg *err) {
  uint64_t burst = conf->bytes_burst == 0 ? conf->bytes : conf->bytes_burst;
  rates->bytes = conf->bytes;
  if (conf->bytes == 0 && conf->bytes_burst > 0)
    return errmsg_set(err, "bytes_burst has no meaning without bytes; write "
                           "both");
  if (conf->bytes == 0)
    return true;
  if (conf->debt_ms < 0 || conf->debt_ms > 7 * DAY_MS)
    return errmsg_set(err, "debt is out of range; write 0 to 7d");
  rates->bytes_burst = rates_cost(rates, burst);
  if (rates->bytes_burst > BURST_MAX)
    return errmsg_set(err, "bytes_burst: it would take more than 7 days to "
                           "fill up again; write less");
  rates->bytes_most = rates->bytes_burst + (uint64_t)conf->debt_ms * MS;
  return true;
}

bool rates_read(struct rates *rates, const struct rates_conf *conf,
                struct errmsg *err) {
  *rates = (struct rates){0};
  if (conf->requests == 0 && conf->bytes == 0)
    return errmsg_set(err, "neither requests nor bytes are limited; write "
                           "one, as in requests: 100");
  if (conf->per_ms < 1 || conf->per_ms > DAY_MS)
    return errmsg_set(err, "per is out of range; write 1ms to 1d");
  rates->per = (uint64_t)conf->per_ms * MS;
  return read_operations(rates, conf->operations, err) &&
         rates_read_key(rates, conf, err) && read_requests(rates, conf, err) &&
         read_bytes(rates, conf, err);
}

bool rates_apply(const struct rates *rates, const char *name) {
  enum operation operation = operation_find(name);
  return operation != OPERATION_NONE &&
         (rates->operations & OPERATION_BIT(operation)) != 0;
}

/* Any number of bytes; what no bucket could hold is as good as infinite. */
uint64_t rates_cost(const struct rates *rates, uint64_t bytes) {
  double cost = (double)bytes * (double)rates->per / (double)rates->bytes;
  if (cost >= (double)BUCKETS_AHEAD_MAX)
    return BUCKETS_AHEAD_MAX;
  uint64_t whole = (uint64_t)cost;
  return (double)whole < cost ? whole + 1 : whole;
}

unsigned rates_seconds(uint64_t usec) {
  uint64_t seconds = usec / 1000000 + (usec % 1000000 != 0);
  return seconds == 0 ? 1 : (unsigned)seconds;
}
