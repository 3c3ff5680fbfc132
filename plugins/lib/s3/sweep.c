/* SPDX-License-Identifier: MIT
 *
 * Multipart uploads that nobody completes: what a crash left in the bucket, or
 * of one key what was begun and answered to nobody.  Listed, and given up one
 * after the other.
 */
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "date.h"
#include "leftovers.h"
#include "must.h"

struct old_upload {
  struct old_upload *next;
  char *key, *id;
};

struct sweep {
  struct s3_loop *loop;
  struct s3_request request;
  struct xml_events xml;
  struct old_upload *old; /* of this page */
  char *key_marker, *id_marker;
  char *key, *keep; /* as wanted; NULL: the whole bucket, none */
  unsigned given_up, left;
  bool blind; /* the service lists none without a key */
  enum sluice_status failure;
  bool look; /* and give none up */
  void (*found)(void *arg, const char *key, int64_t age_ms);
  void (*done)(void *arg, enum sluice_status);
  void *arg;
};

static void sweep_next_page(struct sweep *sweep);
static void next_upload(struct sweep *sweep);

static char *sweep_copy(const char *text) {
  char *made = strdup(text);
  must_have(made); /* a few names */
  return made;
}

static void sweep_end(struct sweep *sweep) {
  void (*done)(void *, enum sluice_status) = sweep->done;
  enum sluice_status failure = sweep->failure;
  void *arg = sweep->arg;
  if (sweep->key == NULL && !sweep->blind && sweep->found == NULL)
    sluice_log(sweep->loop->host, SLUICE_LOG_INFO,
               "[s3] %u unfinished uploads given up, %u are younger than "
               "sweep_uploads",
               sweep->given_up, sweep->left);
  free(sweep->key_marker);
  free(sweep->id_marker);
  free(sweep->key);
  free(sweep->keep);
  free(sweep);
  done(arg, failure);
}

/* MinIO, also behind another plugin than its own.  What it lists without a key
 * is nothing, and no reason to say that there was nothing. */
static bool lists_nothing(const struct sweep *sweep,
                          const struct s3_call *call) {
  const char *server = s3_call_header(call, "Server");
  return sweep->loop->s3->dialect->uploads_by_key ||
         (server != NULL && strncmp(server, "MinIO", 5) == 0);
}

static void sweep_drop_first(struct sweep *sweep) {
  struct old_upload *upload = sweep->old;
  sweep->old = upload->next;
  free(upload->key);
  free(upload->id);
  free(upload);
}

static void sweep_on_aborted(void *arg, struct s3_call *call,
                             const struct s3_answer *answer) {
  struct sweep *sweep = arg;
  (void)call;
  if (answer->status != SLUICE_OK && answer->http != 404)
    sweep->failure = SLUICE_EUPSTREAM;
  if (answer->status == SLUICE_OK)
    sweep->given_up++;
  else if (!sweep->loop->starting)
    leftovers_add(sweep->loop->leftovers, sweep->old->key, sweep->old->id,
                  answer->why);
  else
    sluice_log(sweep->loop->host, SLUICE_LOG_WARN,
               "an unfinished upload can't be given up: %s", answer->why);
  sweep_drop_first(sweep);
  next_upload(sweep);
}

static void next_upload(struct sweep *sweep) {
  static const struct s3_events events = {.done = sweep_on_aborted};
  if (sweep->old == NULL) {
    if (sweep->key_marker != NULL)
      sweep_next_page(sweep);
    else
      sweep_end(sweep);
    return;
  }
  sweep->request =
      (struct s3_request){.method = "DELETE",
                          .key = sweep->old->key,
                          .query = {{"uploadId", sweep->old->id}}};
  s3_call_start(sweep->loop, &sweep->request, &events, sweep);
}

static bool sweep_is_wanted(const struct sweep *sweep,
                            const struct xml_upload *upload, int64_t age_ms) {
  if (sweep->key == NULL)
    return age_ms >= sweep->loop->s3->conf->sweep_uploads_ms;
  return strcmp(upload->key, sweep->key) == 0 &&
         (sweep->keep == NULL || strcmp(upload->upload_id, sweep->keep) != 0);
}

static bool on_upload(void *arg, const struct xml_upload *upload) {
  struct sweep *sweep = arg;
  int64_t age = date_now_ms() - upload->initiated_ms;
  if (!sweep_is_wanted(sweep, upload, age)) {
    sweep->left++;
    return true;
  }
  if (sweep->found != NULL)
    sweep->found(sweep->arg, upload->key, age);
  if (sweep->look)
    return true;
  struct old_upload *old = malloc(sizeof *old);
  must_have(old);
  *old = (struct old_upload){sweep->old, sweep_copy(upload->key),
                             sweep_copy(upload->upload_id)};
  sweep->old = old;
  if (sweep->found == NULL)
    sluice_log(sweep->loop->host, SLUICE_LOG_INFO,
               "unfinished upload of '%s', begun %lld s ago", upload->key,
               (long long)(age / 1000));
  return true;
}

static void sweep_on_page(void *arg, struct s3_call *call,
                          const struct s3_answer *answer) {
  struct sweep *sweep = arg;
  sweep->blind = sweep->key == NULL && lists_nothing(sweep, call);
  if (sweep->blind)
    sluice_log(sweep->loop->host, SLUICE_LOG_WARN,
               "MinIO lists unfinished uploads by their exact key only, so "
               "sweep_uploads can't see any; it gives them up itself after a "
               "day (stale_uploads_expiry)");
  free(sweep->key_marker);
  free(sweep->id_marker);
  sweep->key_marker = sweep->id_marker = NULL;
  if (answer->status != SLUICE_OK) {
    sluice_log(sweep->loop->host, SLUICE_LOG_WARN,
               "unfinished uploads can't be listed: %s", answer->why);
    sweep->failure = SLUICE_EUPSTREAM;
  } else if (sweep->key == NULL && answer->xml->truncated &&
             answer->xml->next_key_marker[0] != '\0') {
    sweep->key_marker = sweep_copy(answer->xml->next_key_marker);
    sweep->id_marker = sweep_copy(answer->xml->next_upload_id_marker);
  }
  next_upload(sweep);
}

/* Without encoding-type, as Ceph then encodes keys and doesn't say so. */
static void sweep_next_page(struct sweep *sweep) {
  static const struct s3_events events = {.done = sweep_on_page};
  struct s3_request *request = &sweep->request;
  *request = (struct s3_request){.method = "GET",
                                 .query = {{"uploads", ""}},
                                 .expected = XML_UPLOADS,
                                 .wants_xml = true,
                                 .xml_events = &sweep->xml};
  size_t n = 1;
  if (sweep->key != NULL)
    request->query[n++] = (struct sigv4_pair){"prefix", sweep->key};
  if (sweep->key_marker != NULL) {
    request->query[n++] = (struct sigv4_pair){"key-marker", sweep->key_marker};
    request->query[n++] =
        (struct sigv4_pair){"upload-id-marker", sweep->id_marker};
  }
  s3_call_start(sweep->loop, request, &events, sweep);
}

void s3_sweep_start(struct s3_loop *loop, const struct s3_sweep *wanted) {
  struct sweep *sweep = calloc(1, sizeof *sweep);
  must_have(sweep);
  sweep->loop = loop;
  sweep->done = wanted->done;
  sweep->found = wanted->found;
  sweep->look = wanted->look;
  sweep->arg = wanted->arg;
  if (wanted->key != NULL)
    sweep->key = sweep_copy(wanted->key);
  if (wanted->keep != NULL)
    sweep->keep = sweep_copy(wanted->keep);
  sweep->xml = (struct xml_events){.upload = on_upload, .arg = sweep};
  sweep_next_page(sweep);
}
