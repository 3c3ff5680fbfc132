/* SPDX-License-Identifier: MIT
 *
 * A copy on the service's side.  The source is described by a HEAD, then
 * copied in one request, or, where it is larger than that or nothing may be
 * replaced, in parts: CopyObject's own conditions of the target are ignored by
 * most services.  What became of it a HEAD of the target tells.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copy_source.h"
#include "must.h"
#include "put.h"

struct copy {
  struct s3_loop *loop;
  struct sluice_op *op;
  struct s3_call *call; /* NULL: none is under way */
  struct put *put;      /* in parts; NULL: it isn't */
  struct s3_request request;
  struct copy_source *source;
  char *from, *to;
  char if_match[PUT_ETAG_MAX]; /* "": whatever is there */
  uint64_t length;
  bool exclusive;
};

static void copy_end(struct copy *copy, enum sluice_status status,
                     const char *why) {
  struct sluice_op *op = copy->op;
  if (status == SLUICE_OK)
    sluice_done(op, SLUICE_OK, NULL);
  else
    sluice_done(op, status, "%s", why);
  copy_source_free(copy->source);
  free(copy->from);
  free(copy->to);
  free(copy);
}

static void copy_cancel(void *work) {
  struct copy *copy = work;
  if (copy->put != NULL) {
    put_cancel(copy->put);
    return;
  }
  s3_call_cancel(copy->call);
  copy_end(copy, SLUICE_ECANCELED, "canceled");
}

static void head(struct copy *copy, const char *key,
                 const struct s3_events *events) {
  copy->request =
      (struct s3_request){.behind = copy->op, .method = "HEAD", .key = key};
  copy->call = s3_call_start(copy->loop, &copy->request, events, copy);
}

/* ---- the target --------------------------------------------------------- */

static void on_target(void *arg, struct s3_call *call,
                      const struct s3_answer *answer) {
  struct copy *copy = arg;
  uint64_t length;
  copy->call = NULL;
  if (answer->status != SLUICE_OK) {
    copy_end(copy,
             answer->status == SLUICE_ENOENT ? SLUICE_EUPSTREAM
                                             : answer->status,
             answer->why);
  } else if (!s3_length(call, &length)) {
    copy_end(copy, SLUICE_EUPSTREAM,
             "an answer doesn't say the object's length");
  } else {
    s3_meta_tell(copy->op, call, length);
    copy_end(copy, SLUICE_OK, NULL);
  }
}

static void look_at_target(struct copy *copy) {
  static const struct s3_events events = {.done = on_target};
  head(copy, copy->to, &events);
}

/* ---- in parts ----------------------------------------------------------- */

static void on_put_ended(void *arg, enum sluice_status status,
                         const char *why) {
  struct copy *copy = arg;
  copy->put = NULL;
  if (status == SLUICE_OK)
    look_at_target(copy);
  else
    copy_end(copy, status, why);
}

static void copy_parts(struct copy *copy) {
  struct put *put = put_new(copy->loop, copy->op);
  put->key = strdup(copy->to);
  must_have(put->key); /* charged with the request */
  put->length = copy->length;
  put->exclusive = copy->exclusive;
  put->source = copy->source;
  copy->source = NULL;
  put->ended = on_put_ended;
  put->ended_arg = copy;
  copy->put = put;
  put_copy(put);
}

/* ---- in one request ----------------------------------------------------- */

static bool copy_is_wanted(const struct copy *copy,
                           const struct s3_call *call) {
  char etag[PUT_ETAG_MAX];
  s3_etag(etag, s3_call_header(call, "ETag"));
  return copy->if_match[0] == '\0' || strcmp(etag, copy->if_match) == 0;
}

static void on_source_again(void *arg, struct s3_call *call,
                            const struct s3_answer *answer) {
  struct copy *copy = arg;
  copy->call = NULL;
  if (answer->status != SLUICE_OK && answer->status != SLUICE_ENOENT)
    copy_end(copy, answer->status, answer->why);
  else if (answer->status != SLUICE_OK || !copy_is_wanted(copy, call))
    copy_end(copy, SLUICE_EPRECOND, "the source was replaced meanwhile");
  else
    look_at_target(copy);
}

/* A service that can't pin what it copies has copied what is wanted when the
 * source is the same after it as before. */
static void look_at_source_again(struct copy *copy) {
  static const struct s3_events events = {.done = on_source_again};
  head(copy, copy->from, &events);
}

static void on_copied(void *arg, struct s3_call *call,
                      const struct s3_answer *answer) {
  struct copy *copy = arg;
  unsigned guards = s3_guards(copy->loop->s3);
  (void)call;
  copy->call = NULL;
  if (answer->status != SLUICE_OK)
    copy_end(copy, answer->status, answer->why);
  else if (copy->if_match[0] != '\0' && !(guards & S3_GUARDS_SOURCE))
    look_at_source_again(copy);
  else
    look_at_target(copy);
}

static void copy_whole(struct copy *copy) {
  static const struct s3_events events = {.done = on_copied};
  copy->request = (struct s3_request){.op = copy->op,
                                      .method = "PUT",
                                      .key = copy->to,
                                      .expected = XML_COPY,
                                      .wants_xml = true};
  copy_source_names(copy->source, copy->request.headers);
  if (copy->if_match[0] == '\0') /* then it is whole, whatever it is */
    copy->request.headers[1] = (struct sigv4_pair){NULL, NULL};
  copy->call = s3_call_start(copy->loop, &copy->request, &events, copy);
}

/* ---- the source --------------------------------------------------------- */

static void carry(struct copy *copy) {
  const struct s3 *s3 = copy->loop->s3;
  unsigned guards = s3_guards(s3);
  bool whole = copy->length <= s3->dialect->copy_max && !copy->exclusive;
  if (whole)
    copy_whole(copy);
  else if (!(guards & S3_GUARDS_SOURCE))
    copy_end(copy, SLUICE_ENOTSUP,
             "the service can't pin what it copies in several requests");
  else if (copy->exclusive && !(guards & S3_GUARDS_PARTS))
    copy_end(copy, SLUICE_ENOTSUP, "the service can't copy without replacing");
  else
    copy_parts(copy);
}

static void on_source(void *arg, struct s3_call *call,
                      const struct s3_answer *answer) {
  struct copy *copy = arg;
  copy->call = NULL;
  if (answer->status != SLUICE_OK) {
    copy_end(copy, answer->status, answer->why);
    return;
  }
  if (!s3_length(call, &copy->length)) {
    copy_end(copy, SLUICE_EUPSTREAM,
             "an answer doesn't say the object's length");
    return;
  }
  if (!copy_is_wanted(copy, call)) {
    copy_end(copy, SLUICE_EPRECOND, "the source was replaced meanwhile");
    return;
  }
  copy->source = copy_source_new(copy->loop->s3, copy->from, call);
  if (copy->source == NULL)
    copy_end(copy, SLUICE_ENOTSUP, "the source has too much metadata");
  else
    carry(copy);
}

void s3_copy(void *handle, struct sluice_op *op,
             const struct sluice_copy *wanted) {
  static const struct s3_events events = {.done = on_source};
  if (s3_is_no_key(handle, wanted->from)) {
    sluice_done(op, SLUICE_ENOENT, NULL);
    return;
  }
  struct copy *copy = calloc(1, sizeof *copy);
  must_have(copy); /* charged with the request */
  copy->loop = handle;
  copy->op = op;
  copy->from = strdup(wanted->from);
  copy->to = strdup(wanted->to);
  must_have(copy->from && copy->to);
  if (wanted->if_match != NULL)
    snprintf(copy->if_match, sizeof copy->if_match, "%s", wanted->if_match);
  copy->exclusive = wanted->exclusive;
  *s3_task_of(op) = (struct s3_task){.cancel = copy_cancel, .work = copy};
  head(copy, copy->from, &events);
}
