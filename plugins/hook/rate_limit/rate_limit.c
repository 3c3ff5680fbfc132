/* SPDX-License-Identifier: MIT
 *
 * Limits the requests and bytes of each client or identity.  Guide:
 * sluice-rate_limit(7).
 *
 * A request is paid before it begins.  Its bytes are known when it is over, so
 * they are charged then, and who is in debt waits.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "buckets.h"
#include "clientblock.h"
#include "clock.h"
#include "digest.h"
#include "rates.h"

#define WARN_USEC (UINT64_C(60) * 1000000)

struct conf {
  struct rates_conf rates;
};

struct instance {
  struct rates rates;
  struct sluice_host *host;
  struct clientblock block;
  struct buckets *requests, *bytes; /* of what isn't limited NULL */
  _Atomic uint64_t unlimited;       /* requests for which no place was left */
  _Atomic uint64_t warned;          /* when that was last told */
};

struct state {
  uint64_t hash;
  bool counts;   /* its bytes are to be charged */
  unsigned wait; /* seconds, of one that is refused */
};

#define OPTION(field) offsetof(struct conf, rates.field)

static const struct sluice_option options[] = {
    {"by", SLUICE_STRING, "client", OPTION(by),
     "whose requests are counted together: client or identity"},
    {"requests", SLUICE_INT, "0", OPTION(requests),
     "how many in the time of per; 0: any number"},
    {"burst", SLUICE_INT, "0", OPTION(burst),
     "how many at once; 0: as many as requests"},
    {"bytes", SLUICE_SIZE, "0", OPTION(bytes),
     "of bodies, in and out, in the time of per; 0: any number"},
    {"bytes_burst", SLUICE_SIZE, "0", OPTION(bytes_burst),
     "how many at once; 0: as many as bytes"},
    {"per", SLUICE_TIME, "1s", OPTION(per_ms), "the time of both"},
    {"debt", SLUICE_TIME, "1h", OPTION(debt_ms),
     "the longest that one waits for having moved too many bytes"},
    {"operations", SLUICE_LIST, "", OPTION(operations),
     "which ones are limited; none: all"},
    {"ipv4_prefix", SLUICE_INT, "32", OPTION(ipv4_prefix),
     "bits of an IPv4 address that make a client"},
    {"ipv6_prefix", SLUICE_INT, "64", OPTION(ipv6_prefix),
     "bits of an IPv6 address that make a client"},
    {"entries", SLUICE_INT, "65536", OPTION(entries),
     "clients or identities that are remembered at once"},
    {0}};

/* ---- who ---------------------------------------------------------------- */

static uint64_t hash_of(const struct instance *instance,
                        const struct sluice_request *request) {
  const struct clientblock *block = &instance->block;
  const char *identity =
      instance->rates.by_identity ? sluice_request_identity(request) : NULL;
  return identity != NULL
             ? clientblock_name(block, identity)
             : clientblock_hash(block, sluice_request_client(request));
}

/* ---- requests ----------------------------------------------------------- */

/* It isn't refused: else who has many addresses could lock out those who have
 * one. */
static void note_unlimited(struct instance *instance, uint64_t now) {
  uint64_t count = atomic_fetch_add(&instance->unlimited, 1) + 1;
  uint64_t warned = atomic_load(&instance->warned);
  if ((warned == 0 || now - warned >= WARN_USEC) &&
      atomic_compare_exchange_strong(&instance->warned, &warned, now))
    sluice_log(instance->host, SLUICE_LOG_WARN,
               "%" PRIu64 " requests weren't limited so far: there is no "
               "place for so many clients; raise entries",
               count);
}

enum { RATE_LIMIT_REFUSED };

static const char *const rate_limit_kinds[] = {"bytes", "requests", NULL};

static const struct sluice_metric metrics[] = {
    [RATE_LIMIT_REFUSED] = {"rate_limit_refused_total", SLUICE_COUNTER,
                            "Requests that were refused, by the rate that was "
                            "used up.",
                            "rate", rate_limit_kinds},
    {NULL, 0, NULL, NULL, NULL}};

static enum sluice_verdict rate_limit_refuse(const struct instance *instance,
                                             struct sluice_request *request,
                                             uint64_t wait, unsigned kind) {
  const char *what = rate_limit_kinds[kind];
  struct state *state = sluice_request_state(request, sizeof *state);
  char message[96];
  sluice_count(instance->host, SLUICE_SERIES(RATE_LIMIT_REFUSED, kind), 1);
  state->wait = rates_seconds(wait);
  snprintf(message, sizeof message, "Too many %s; try again in %u s", what,
           state->wait);
  sluice_request_refuse(request, SLUICE_ERATE, message);
  return SLUICE_DENY;
}

static enum sluice_verdict
rate_limit_on_request(void *arg, struct sluice_request *request) {
  struct instance *instance = arg;
  const struct rates *rates = &instance->rates;
  enum buckets_result bytes = BUCKETS_OK, requests = BUCKETS_OK;
  uint64_t wait = 0, now = clock_us();
  if (!rates_apply(rates, sluice_request_operation(request)))
    return SLUICE_PASS;
  uint64_t hash = hash_of(instance, request);
  if (instance->bytes != NULL)
    bytes =
        buckets_look(instance->bytes, hash, now, rates->bytes_burst, &wait);
  if (bytes == BUCKETS_EMPTY)
    return rate_limit_refuse(instance, request, wait, 0);
  if (instance->requests != NULL)
    requests = buckets_take(instance->requests, hash, now, rates->interval,
                            rates->burst, &wait);
  if (requests == BUCKETS_EMPTY)
    return rate_limit_refuse(instance, request, wait, 1);
  if (bytes == BUCKETS_FULL || requests == BUCKETS_FULL)
    note_unlimited(instance, now);
  if (instance->bytes != NULL) {
    struct state *state = sluice_request_state(request, sizeof *state);
    state->hash = hash;
    state->counts = true;
  }
  return SLUICE_PASS;
}

static void rate_limit_on_response(void *arg, struct sluice_request *request) {
  (void)arg;
  if (sluice_request_status(request) != 429)
    return;
  const struct state *state = sluice_request_state(request, sizeof *state);
  char seconds[12];
  snprintf(seconds, sizeof seconds, "%u", state->wait);
  if (state->wait > 0)
    sluice_request_answer(request, "Retry-After", seconds);
}

static void rate_limit_on_log(void *arg, struct sluice_request *request,
                              const struct sluice_record *record) {
  struct instance *instance = arg;
  const struct rates *rates = &instance->rates;
  if (instance->bytes == NULL || sluice_request_operation(request) == NULL)
    return;
  const struct state *state = sluice_request_state(request, sizeof *state);
  uint64_t cost = rates_cost(rates, record->bytes_in) +
                  rates_cost(rates, record->bytes_out);
  if (state->counts && cost > 0)
    buckets_charge(instance->bytes, state->hash, clock_us(), cost,
                   rates->bytes_most);
}

/* ---- life --------------------------------------------------------------- */

static void rate_limit_stop(void *arg) {
  struct instance *instance = arg;
  buckets_free(instance->requests);
  buckets_free(instance->bytes);
  digest_wipe(&instance->block, sizeof instance->block);
  free(instance);
}

static void *rate_limit_start(const void *arg, struct sluice_host *host) {
  const struct conf *conf = arg;
  struct errmsg err;
  struct rates rates;
  if (!rates_read(&rates, &conf->rates, &err)) {
    sluice_fail(host, "%s", err.text);
    return NULL;
  }
  struct instance *instance = calloc(1, sizeof *instance);
  if (instance == NULL) {
    sluice_fail(host, "there is no memory; lower entries");
    return NULL;
  }
  instance->rates = rates;
  instance->host = host;
  clientblock_init(&instance->block, rates.v4_bits, rates.v6_bits);
  if (rates.interval > 0)
    instance->requests = buckets_new((size_t)conf->rates.entries);
  if (rates.bytes > 0)
    instance->bytes = buckets_new((size_t)conf->rates.entries);
  if ((instance->requests != NULL) == (rates.interval > 0) &&
      (instance->bytes != NULL) == (rates.bytes > 0))
    return instance;
  sluice_fail(host, "there is no memory; lower entries");
  rate_limit_stop(instance);
  return NULL;
}

static void *rate_limit_open(void *instance, struct sluice_host *host) {
  (void)host;
  return instance;
}

static void rate_limit_close(void *handle) {
  (void)handle; /* it is the instance, which stop() frees */
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "rate_limit",
    .version = SLUICE_VERSION,
    .summary = "limits the requests and bytes of each client or identity",
    .options = options,
    .conf_size = sizeof(struct conf),
    .start = rate_limit_start,
    .stop = rate_limit_stop,
    .open = rate_limit_open,
    .close = rate_limit_close,
    .on_request = rate_limit_on_request,
    .on_response = rate_limit_on_response,
    .on_log = rate_limit_on_log,
    .metrics = metrics,
};

SLUICE_REACH({NULL, 0, NULL})
SLUICE_HOOK(rate_limit, hook)
