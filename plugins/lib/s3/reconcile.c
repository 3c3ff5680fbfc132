/* SPDX-License-Identifier: MIT
 *
 * Makes an upload's answer agree with what is stored.  Where the answer to a
 * PUT, or to the end of parts, was lost, or didn't tell what was stored, the
 * object itself is asked for by HEAD, and what shall not stay is removed.
 */
#include "reconcile.h"

#include <stdio.h>
#include <string.h>

enum reconcile_state { /* of the object under the upload's key */
                       OBJECT_OURS,
                       OBJECT_SPOILED, /* it says it's ours, of other bytes */
                       OBJECT_FOREIGN,
                       OBJECT_ABSENT,
                       OBJECT_UNKNOWN /* nobody could tell */
};

static enum reconcile_state reconcile_judge(struct put *put,
                                            const struct s3_call *call,
                                            const struct s3_answer *answer) {
  const char *write_id = s3_call_header(call, S3_WRITE_ID);
  char etag[PUT_ETAG_MAX];
  if (answer->http == 404)
    return OBJECT_ABSENT;
  if (answer->status != SLUICE_OK)
    return OBJECT_UNKNOWN;
  s3_etag(etag, s3_call_header(call, "ETag"));
  bool tells = put->etag[0] != '\0' && s3_etag_tells(call);
  bool same_etag = strcmp(etag, put->etag) == 0;
  /* An object that others put there has another, or none. */
  if (write_id == NULL || strcmp(write_id, put->write_id) != 0)
    return OBJECT_FOREIGN;
  memcpy(put->stored, etag, sizeof etag);
  uint64_t length;
  bool same_length = s3_length(call, &length) && length == put->length;
  if (same_length && (!tells || same_etag))
    return OBJECT_OURS;
  return same_length && put->lasting ? OBJECT_UNKNOWN : OBJECT_SPOILED;
}

/* ---- removing ----------------------------------------------------------- */

static void reconcile_on_removed(void *arg, struct s3_call *call,
                                 const struct s3_answer *answer) {
  struct put *put = arg;
  (void)call;
  put->call = NULL;
  put->removing = false;
  if (answer->status != SLUICE_OK && answer->status != SLUICE_ENOENT &&
      answer->status != SLUICE_EPRECOND)
    sluice_log(put->loop->host, SLUICE_LOG_WARN,
               "what an upload that failed may have stored is left behind: %s",
               answer->why);
  put->then(put, put->failure, put->why);
}

/* Whatever comes of it, `then` ends the upload as it failed. */
static void reconcile_remove(struct put *put, put_ending *then) {
  static const struct s3_events events = {.done = reconcile_on_removed};
  put->then = then;
  put->removing = true;
  put->request = (struct s3_request){
      .behind = put->op, .method = "DELETE", .key = put->key};
  if (put->loop->s3->conf->conditional_delete && put->stored[0] != '\0') {
    snprintf(put->if_match, sizeof put->if_match, "\"%s\"", put->stored);
    put->request.headers[0] = (struct sigv4_pair){"If-Match", put->if_match};
  }
  put->call = s3_call_start(put->loop, &put->request, &events, put);
}

void reconcile_remove_spoiled(struct put *put, put_ending *end) {
  put_keep_failure(put, SLUICE_EUPSTREAM,
                   "the service stored other bytes than it was sent; removed");
  reconcile_remove(put, end);
}

/* ---- what a HEAD says --------------------------------------------------- */

/* After an answer of success that didn't say what was stored. */
static void reconcile_success(struct put *put, enum reconcile_state state,
                              const struct s3_answer *answer) {
  const struct reconcile_ends *ends = put->ends;
  switch (state) {
  case OBJECT_OURS:
    ends->settled(put, SLUICE_OK, NULL);
    return;
  case OBJECT_SPOILED:
    reconcile_remove_spoiled(put, ends->settled);
    return;
  case OBJECT_FOREIGN:
  case OBJECT_ABSENT:
    put->stored[0] = '\0';
    if (!put->exclusive) /* it was stored, and has been replaced since */
      ends->settled(put, SLUICE_OK, NULL);
    else
      ends->settled(
          put, SLUICE_EUPSTREAM,
          "the service has another object than it was sent, or none");
    return;
  case OBJECT_UNKNOWN:
    if (answer->status == SLUICE_OK)
      put_keep_failure(put, SLUICE_EUPSTREAM,
                       "the object isn't of the bytes that were sent");
    else
      put_keep_failure(put, answer->status, answer->why);
    if (put->exclusive && !put->lasting)
      reconcile_remove(put, ends->settled);
    else /* others may write there */
      ends->settled(put, put->failure, put->why);
    return;
  }
}

/* After one of failure, or none. */
static void reconcile_failure(struct put *put, enum reconcile_state state,
                              const struct s3_answer *answer) {
  const struct reconcile_ends *ends = put->ends;
  switch (state) {
  case OBJECT_OURS:
    ends->settled(put, SLUICE_OK, NULL);
    return;
  case OBJECT_SPOILED:
    reconcile_remove_spoiled(put, ends->settled);
    return;
  case OBJECT_FOREIGN:
    ends->unsettled(put, put->exclusive ? SLUICE_EEXIST : put->failure,
                    put->why);
    return;
  case OBJECT_ABSENT:
    ends->unsettled(put, put->failure, put->why);
    return;
  case OBJECT_UNKNOWN:
    /* Only what was seen to be absent before can't be somebody else's. */
    if (put->was_absent && !put->lasting) {
      reconcile_remove(put, ends->unsettled);
      return;
    }
    sluice_log(put->loop->host, SLUICE_LOG_WARN,
               "an upload that failed may be stored all the same: %s",
               answer->why);
    ends->unsettled(put, put->failure, put->why);
    return;
  }
}

static void on_asked(void *arg, struct s3_call *call,
                     const struct s3_answer *answer) {
  struct put *put = arg;
  enum reconcile_state state = reconcile_judge(put, call, answer);
  put->call = NULL;
  if (put->failure == SLUICE_OK)
    reconcile_success(put, state, answer);
  else
    reconcile_failure(put, state, answer);
}

void reconcile_start(struct put *put, const char *etag,
                     const struct reconcile_ends *ends) {
  static const struct s3_events events = {.done = on_asked};
  snprintf(put->etag, sizeof put->etag, "%s", etag);
  put->ends = ends;
  put->request = (struct s3_request){
      .behind = put->op, .method = "HEAD", .key = put->key};
  put->call = s3_call_start(put->loop, &put->request, &events, put);
}
