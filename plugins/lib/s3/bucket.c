/* SPDX-License-Identifier: MIT
 *
 * The check at the start: is the bucket there?  Created when it isn't.  Runs
 * on a loop of its own, as the gateway's don't yet.
 */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "task.h"

struct check {
  struct s3_loop loop;
  struct s3_request request;
  struct buf document;
  char sha256[65];
  bool ok;
};

static const char *bucket_of(const struct check *check) {
  return check->loop.s3->conf->bucket;
}

static void stop(struct check *check, bool ok) {
  check->ok = ok;
  event_base_loopbreak(check->loop.base);
}

/* Names what may be wrong when nobody answers. */
static void complain_of_silence(struct check *check, const char *why) {
  const struct s3_endpoint *endpoint = &check->loop.s3->endpoint;
  sluice_fail(check->loop.host,
              "cannot reach %s: %s; is the service up (it may come later: "
              "'wait'), and 'endpoint' right%s%s?",
              check->loop.s3->conf->endpoint, why,
              endpoint->tls ? ", is its certificate known ('ca_file')" : "",
              endpoint->virtual_host
                  ? ", and is the bucket part of its name ('addressing')"
                  : "");
}

static void bucket_complain(struct check *check,
                            const struct s3_answer *answer) {
  const struct s3_conf *conf = check->loop.s3->conf;
  if (answer->http == 0)
    complain_of_silence(check, answer->why);
  else if (answer->http == 403 || answer->http == 401)
    sluice_fail(check->loop.host,
                "the service refuses access to bucket '%s' (%s); check "
                "access_key, secret_key and their permissions",
                conf->bucket, answer->why);
  else
    sluice_fail(check->loop.host,
                "bucket '%s' can't be used: %s; check endpoint, region, "
                "bucket and addressing",
                conf->bucket, answer->why);
  stop(check, false);
}

static void bucket_on_swept(void *arg, enum sluice_status status) {
  (void)status; /* it was logged */
  stop(arg, true);
}

static void there(struct check *check) {
  sluice_log(check->loop.host, SLUICE_LOG_INFO,
             "[s3] Bucket '%s' already exists", bucket_of(check));
  if (check->loop.s3->conf->sweep_uploads_ms > 0)
    s3_sweep_start(&check->loop,
                   &(struct s3_sweep){.done = bucket_on_swept, .arg = check});
  else
    stop(check, true);
}

static void on_created(void *arg, struct s3_call *call,
                       const struct s3_answer *answer) {
  struct check *check = arg;
  bool mine = strcmp(answer->code, "BucketAlreadyOwnedByYou") == 0 ||
              (check->loop.s3->dialect->conflict_is_mine &&
               strcmp(answer->code, "BucketConflict") == 0);
  (void)call;
  if (mine) {
    there(check);
  } else if (answer->status != SLUICE_OK) {
    bucket_complain(check, answer);
  } else {
    sluice_log(check->loop.host, SLUICE_LOG_INFO, "[s3] Created bucket '%s'",
               bucket_of(check));
    stop(check, true);
  }
}

static void create(struct check *check) {
  static const struct s3_events events = {.done = on_created};
  const struct s3_loop *loop = &check->loop;
  check->request = (struct s3_request){.method = "PUT"};
  if (loop->s3->dialect->location == S3_LOCATION_UNLESS_US_EAST_1 &&
      strcmp(loop->region, "us-east-1") != 0) {
    buf_addf(&check->document,
             "<CreateBucketConfiguration><LocationConstraint>%s"
             "</LocationConstraint></CreateBucketConfiguration>",
             loop->region);
    unsigned char sha256[32];
    digest_sha256(sha256, check->document.data, check->document.len);
    codec_hex(check->sha256, sha256, sizeof sha256);
    check->request.data = check->document.data;
    check->request.length = check->document.len;
    check->request.sha256 = check->sha256;
  }
  s3_call_start(&check->loop, &check->request, &events, check);
}

static void on_probed(void *arg, struct s3_call *call,
                      const struct s3_answer *answer);

static void probe(struct check *check, bool by_list) {
  static const struct s3_events events = {.done = on_probed};
  check->request = (struct s3_request){.method = by_list ? "GET" : "HEAD"};
  if (by_list) {
    check->request.query[0] = (struct sigv4_pair){"list-type", "2"};
    check->request.query[1] = (struct sigv4_pair){"max-keys", "1"};
  }
  s3_call_start(&check->loop, &check->request, &events, check);
}

static void on_probed(void *arg, struct s3_call *call,
                      const struct s3_answer *answer) {
  struct check *check = arg;
  bool by_head = strcmp(check->request.method, "HEAD") == 0;
  (void)call;
  if (answer->status == SLUICE_OK)
    there(check);
  else if ((answer->http == 403 || answer->http == 400) && by_head)
    probe(check, true); /* which says why, or is allowed where this isn't */
  else if (answer->http != 404)
    bucket_complain(check, answer);
  else if (check->loop.s3->conf->create_bucket)
    create(check);
  else {
    sluice_fail(check->loop.host,
                "bucket '%s' doesn't exist; create it, or set "
                "create_bucket: true",
                bucket_of(check));
    stop(check, false);
  }
}

bool s3_bucket_check(struct s3 *s3, struct sluice_host *host) {
  struct check check = {0};
  struct event_base *base = event_base_new();
  buf_init(&check.document, 1024);
  if (base == NULL || !s3_loop_init(&check.loop, s3, host, base, true)) {
    sluice_fail(host, "out of memory");
  } else {
    probe(&check, s3->dialect->probe == S3_PROBE_LIST);
    event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY);
    memcpy(s3->region, check.loop.region, sizeof s3->region);
    s3->skew_s = check.loop.skew_s;
    s3_loop_fini(&check.loop);
  }
  if (base != NULL)
    event_base_free(base);
  buf_fini(&check.document);
  return check.ok;
}
