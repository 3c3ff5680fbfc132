/* SPDX-License-Identifier: MIT
 *
 * The hook on one loop: a request asks, and waits for the service's word.
 */
#ifndef AUTH_ASKING_H
#define AUTH_ASKING_H

#include <sluice/plugin.h>

#include "auth_memo.h"
#include "breaker.h"
#include "grants.h"
#include "httpc.h"
#include "inquiry.h"

#define ASKING_BODY_MAX \
  65536 /* bytes of an answer's body, which are ignored */

struct auth_conf {
  const char *url, *method, *identity_header, *debug_header, *ca_file;
  const char *const *send_headers, *const *return_headers;
  const char *const *operations, *const *prefixes;
  bool check_key, verify;
  int64_t cache_time_ms, connect_timeout_ms, timeout_ms;
  int64_t connections, in_flight, breaker_failures, breaker_time_ms;
  uint64_t cache_size;
};

/* All loops share this, and it doesn't change. */
struct auth {
  const struct auth_conf *conf;
  struct grants grants; /* of everybody whom the service admits */
};

struct asking {
  const struct auth *auth;
  const struct auth_conf *conf;
  struct sluice_host *host;
  struct httpc *httpc;
  struct memo *memo; /* NULL: nothing is kept */
  struct breaker breaker;
  struct auth_answer_wish wish;
  int64_t waiting; /* requests */
  int64_t told_ms; /* when a failure was logged last */
  uint64_t untold; /* failures since */
  struct digest_key *salt;
};

/* NULL after sluice_fail(). */
struct asking *asking_new(const struct auth *, struct sluice_host *);
void asking_free(struct asking *); /* nobody waits */

/* The hook's phases. */
enum sluice_verdict asking_on_request(void *, struct sluice_request *);
enum sluice_verdict asking_on_key(void *, struct sluice_request *);
void asking_on_response(void *, struct sluice_request *);
void asking_on_log(void *, struct sluice_request *,
                   const struct sluice_record *);

#endif
