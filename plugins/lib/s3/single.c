/* SPDX-License-Identifier: MIT
 *
 * An upload in one PUT: its MD5 is checked by the service and by us, and
 * where nobody heard what became of it the object itself is asked.
 */
#include <string.h>

#include "reconcile.h"

static void on_put(void *arg, struct s3_call *call,
                   const struct s3_answer *answer) {
  static const struct reconcile_ends ends = {put_end, put_end};
  struct put *put = arg;
  bool tells = s3_etag_is_md5(put->loop) && s3_etag_tells(call);
  const char *wanted = s3_etag_is_md5(put->loop) ? put->md5_hex : "";
  char etag[160];
  s3_etag(etag, s3_call_header(call, "ETag"));
  put->call = NULL;
  if (answer->status == SLUICE_OK)
    memcpy(put->stored, etag, sizeof etag);
  if (answer->status == SLUICE_OK && tells && strcmp(etag, wanted) == 0) {
    put_end(put, SLUICE_OK, NULL);
  } else if (answer->status == SLUICE_OK && tells && etag[0] != '\0') {
    reconcile_remove_spoiled(put, put_end);
  } else if (answer->status == SLUICE_OK) {
    reconcile_start(put, wanted, &ends);
  } else if (answer->status == SLUICE_EPRECOND) {
    put_keep_failure(put, put_refusal(put), answer->why);
    reconcile_start(put, wanted, &ends);
  } else if (answer->outcome_unknown) {
    put_keep_failure(put, answer->status, answer->why);
    reconcile_start(put, wanted, &ends);
  } else {
    put_end(put, answer->status, answer->why);
  }
}

void single_start(struct put *put) {
  static const struct s3_events events = {.done = on_put};
  put->request = (struct s3_request){.op = put->op,
                                     .method = "PUT",
                                     .key = put->key,
                                     .spool = put->spool,
                                     .length = put->length};
  if (put->sha256_hex[0] != '\0')
    put->request.sha256 = put->sha256_hex;
  size_t n = put_headers(put, put->request.headers);
  put->request.headers[n++] =
      (struct sigv4_pair){"Content-MD5", put->md5_base64};
  put_conditions(put, put->request.headers + n);
  put->call = s3_call_start(put->loop, &put->request, &events, put);
}
