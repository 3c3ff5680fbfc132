/* SPDX-License-Identifier: MIT
 *
 * AWS Signature Version 4 as S3 has it: paths are encoded once and never
 * normalised (Amazon S3 API reference, "Signature Version 4").
 */
#ifndef S3_SIGV4_H
#define S3_SIGV4_H

#include "buf.h"
#include "digest.h"

#define SIGV4_HEADERS_MAX 48
#define SIGV4_QUERY_MAX 32
#define SIGV4_SECRET_MAX 1024 /* bytes of a secret key */
#define SIGV4_SCOPE_MAX 127   /* of a scope, as below */
#define SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"
/* SHA-256 of nothing. */
#define SIGV4_EMPTY \
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct sigv4_pair { /* raw: neither percent-encoded nor trimmed */
  const char *name, *value;
};

/* The last signing key, which is good for a day, and as secret as what it is
 * derived from.  All zeros: none. */
struct sigv4_cache {
  char scope[SIGV4_SCOPE_MAX + 1]; /* "20130524/us-east-1/s3/aws4_request" */
  unsigned char secret[DIGEST_SHA256_LEN]; /* its digest */
  struct digest_key *key;
};

struct sigv4_key {
  const char *access_key, *secret_key;
  const char *session_token; /* NULL: none */
  const char *region, *service;
  struct sigv4_cache *cache; /* NULL: the signing key is derived each time */
};

struct sigv4_request {
  const char *method;
  const char *path; /* raw, "/bucket/key" */
  const struct sigv4_pair *query;
  size_t query_count;
  const struct sigv4_pair *headers; /* those to sign: Host among them */
  size_t header_count;
  const char *payload; /* its SHA-256 in hex, or SIGV4_UNSIGNED */
  int64_t time_s;      /* since 1970 */
};

/* The path and query as they go into the request line, exactly as they are
 * signed: "/bucket/a%20b?list-type=2". */
bool sigv4_target(struct buf *, const struct sigv4_request *);

/* The value of Authorization.  Among the headers are those that the caller
 * sends: host, x-amz-date, x-amz-content-sha256 and, with a session token,
 * x-amz-security-token; the function adds none.  False, and nothing added: out
 * of room, or one of the limits above. */
bool sigv4_authorization(struct buf *, const struct sigv4_request *,
                         const struct sigv4_key *);

/* The query that presigns a request for `seconds`: all parameters, the
 * request's own included, encoded, with the signature last.  Signed are the
 * request's headers (host at least). */
bool sigv4_presign(struct buf *, const struct sigv4_request *,
                   const struct sigv4_key *, uint32_t seconds);

void sigv4_cache_fini(struct sigv4_cache *); /* wipes it */

/* "20130524T000000Z" */
void sigv4_date(char out[17], int64_t time_s);

#endif
