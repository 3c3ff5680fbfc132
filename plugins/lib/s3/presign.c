/* SPDX-License-Identifier: MIT
 *
 * Links straight to the bucket: computed, never asked for.
 */
#include "client.h"

#include <inttypes.h>
#include <stdio.h>

/* A link ends with the credentials that signed it.  0: they have expired. */
static uint32_t presign_seconds_of(const struct s3_loop *loop,
                                   uint32_t wanted) {
  int64_t end = loop->credentials.expires_ms / 1000;
  int64_t left = end - s3_now(loop);
  if (loop->credentials.expires_ms == 0 || left >= wanted)
    return wanted;
  return left < 0 ? 0 : (uint32_t)left;
}

/* The gateway promises no more than that. */
static void tell(struct sluice_op *op, const char *url, uint32_t seconds,
                 uint32_t wanted) {
  char text[16];
  sluice_text(op, url);
  if (seconds == wanted)
    return;
  snprintf(text, sizeof text, "%" PRIu32, seconds);
  sluice_text(op, text);
}

void s3_presign(void *handle, struct sluice_op *op,
                const struct sluice_link *link) {
  struct s3_loop *loop = handle;
  const struct s3 *s3 = loop->s3;
  struct sigv4_key key = s3_signing_key(loop);
  struct sigv4_pair host = {"host", s3->presign.host};
  struct sigv4_pair query[2];
  struct buf path, target, url;
  uint32_t seconds = presign_seconds_of(loop, link->seconds);
  size_t n = 0;
  if (seconds == 0) {
    sluice_done(op, SLUICE_EUPSTREAM, "the credentials have expired");
    return;
  }
  if (link->disposition != NULL && s3->dialect->overrides)
    query[n++] =
        (struct sigv4_pair){"response-content-disposition", link->disposition};
  if (link->type != NULL && s3->dialect->overrides)
    query[n++] = (struct sigv4_pair){"response-content-type", link->type};
  buf_init(&path, 2048);
  buf_init(&target, 8192);
  buf_init(&url, 16000);
  struct sigv4_request request = {.method = link->method,
                                  .headers = &host,
                                  .header_count = 1,
                                  .payload = SIGV4_UNSIGNED,
                                  .time_s = s3_now(loop)};
  bool ok = s3_path(&path, s3, &s3->presign, link->key);
  request.path = path.data;
  ok = ok && sigv4_target(&target, &request);
  request.query = query;
  request.query_count = n;
  ok = ok &&
       buf_addf(&url, "%s://%s%s?", s3->presign.tls ? "https" : "http",
                s3->presign.host, target.data) &&
       sigv4_presign(&url, &request, &key, seconds);
  if (ok)
    tell(op, url.data, seconds, link->seconds);
  sluice_done(op, ok ? SLUICE_OK : SLUICE_EINVAL,
              ok ? NULL : "the link would be too long");
  buf_fini(&path);
  buf_fini(&target);
  buf_fini(&url);
}
