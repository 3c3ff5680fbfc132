/* SPDX-License-Identifier: MIT
 *
 * An upload in one PUT: its MD5 is checked by the service and by us, and
 * where nobody heard what became of it the object itself is asked.
 */
#include <string.h>

#include "put.h"

static void on_gone(struct put *put) {
  put_end(put, put->failure, put->why);
}

/* What was stored isn't what was sent: nobody shall find it. */
static void remove_spoiled(struct put *put) {
  put_keep_failure(put, SLUICE_EUPSTREAM,
                   "the service stored other bytes than it was sent; removed");
  put_remove(put, on_gone);
}

/* After a PUT that said it succeeded, but not what it stored. */
static void on_confirmed(struct put *put, enum put_found found,
                         const struct s3_answer *answer) {
  switch (found) {
  case PUT_OURS:
    put_end(put, SLUICE_OK, NULL);
    return;
  case PUT_SPOILED:
    remove_spoiled(put);
    return;
  case PUT_FOREIGN:
  case PUT_ABSENT:
    put_end(put, SLUICE_EUPSTREAM,
            "the service has another object than it was sent, or none");
    return;
  case PUT_UNKNOWN:
    put_keep_failure(put, answer->status, answer->why);
    put_remove(put, on_gone);
    return;
  }
}

/* After one that failed, or found an object where none should be. */
static void on_doubted(struct put *put, enum put_found found,
                       const struct s3_answer *answer) {
  switch (found) {
  case PUT_OURS:
    put_end(put, SLUICE_OK, NULL);
    return;
  case PUT_SPOILED:
    remove_spoiled(put);
    return;
  case PUT_FOREIGN:
    put_end(put, put->exclusive ? SLUICE_EEXIST : put->failure, put->why);
    return;
  case PUT_ABSENT:
    put_end(put, put->failure, put->why);
    return;
  case PUT_UNKNOWN:
    /* Only what was seen to be absent before can't be somebody else's. */
    if (put->was_absent) {
      put_remove(put, on_gone);
      return;
    }
    sluice_log(put->loop->host, SLUICE_LOG_WARN,
               "an upload that failed may be stored all the same: %s",
               answer->why);
    put_end(put, put->failure, put->why);
    return;
  }
}

static void on_put(void *arg, struct s3_call *call,
                   const struct s3_answer *answer) {
  struct put *put = arg;
  bool tells = s3_etag_is_md5(put->loop) && s3_etag_tells(call);
  const char *wanted = s3_etag_is_md5(put->loop) ? put->md5_hex : "";
  char etag[160];
  s3_etag(etag, s3_call_header(call, "ETag"));
  put->call = NULL;
  if (answer->status == SLUICE_OK && tells && strcmp(etag, wanted) == 0) {
    put_end(put, SLUICE_OK, NULL);
  } else if (answer->status == SLUICE_OK && tells && etag[0] != '\0') {
    remove_spoiled(put);
  } else if (answer->status == SLUICE_OK) {
    put_find(put, wanted, on_confirmed);
  } else if (answer->status == SLUICE_EPRECOND && put->exclusive) {
    /* An attempt before may have put it there. */
    put_keep_failure(put, SLUICE_EEXIST, answer->why);
    put_find(put, wanted, on_doubted);
  } else if (answer->doubtful) {
    put_keep_failure(put, answer->status, answer->why);
    put_find(put, wanted, on_doubted);
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
  if (put->exclusive && put->loop->s3->conf->conditional_put)
    put->request.headers[n] = (struct sigv4_pair){"If-None-Match", "*"};
  put->call = s3_call_start(put->loop, &put->request, &events, put);
}
