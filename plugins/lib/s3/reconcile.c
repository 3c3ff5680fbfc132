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

static const char *reconcile_md5(const struct put *put) {
  for (size_t i = 0; i < put->user_count; i++)
    if (strcmp(put->user_names[i], "x-amz-meta-md5") == 0)
      return put->user[i].data;
  return NULL;
}

static enum reconcile_state reconcile_judge(const struct put *put,
                                            const struct s3_call *call,
                                            const struct s3_answer *answer) {
  const char *md5 = s3_call_header(call, "x-amz-meta-md5");
  const char *ours = reconcile_md5(put);
  char etag[160];
  if (answer->http == 404)
    return OBJECT_ABSENT;
  if (answer->status != SLUICE_OK)
    return OBJECT_UNKNOWN;
  s3_etag(etag, s3_call_header(call, "ETag"));
  bool tells = put->etag[0] != '\0' && s3_etag_tells(call);
  bool same_etag = strcmp(etag, put->etag) == 0;
  /* An object that others put there has another MD5, or none; the ETag alone
   * can't say whose it is where it is wrong. */
  if (ours != NULL ? md5 == NULL || strcmp(md5, ours) != 0
                   : !tells || !same_etag)
    return OBJECT_FOREIGN;
  uint64_t length;
  bool same_length = s3_length(call, &length) && length == put->length;
  return same_length && (!tells || same_etag) ? OBJECT_OURS : OBJECT_SPOILED;
}

/* ---- removing ----------------------------------------------------------- */

static void on_removed(void *arg, struct s3_call *call,
                       const struct s3_answer *answer) {
  struct put *put = arg;
  (void)call;
  put->call = NULL;
  put->removing = false;
  if (answer->status != SLUICE_OK && answer->status != SLUICE_ENOENT)
    sluice_log(put->loop->host, SLUICE_LOG_WARN,
               "what an upload that failed may have stored is left behind: %s",
               answer->why);
  put->then(put, put->failure, put->why);
}

/* Whatever comes of it, `then` ends the upload as it failed. */
static void reconcile_remove(struct put *put, put_ending *then) {
  static const struct s3_events events = {.done = on_removed};
  put->then = then;
  put->removing = true;
  put->request = (struct s3_request){.method = "DELETE", .key = put->key};
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
    ends->settled(put, SLUICE_EUPSTREAM,
                  "the service has another object than it was sent, or none");
    return;
  case OBJECT_UNKNOWN:
    put_keep_failure(put, answer->status, answer->why);
    reconcile_remove(put, ends->settled);
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
    if (put->was_absent) {
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
  put->request = (struct s3_request){.method = "HEAD", .key = put->key};
  put->call = s3_call_start(put->loop, &put->request, &events, put);
}
