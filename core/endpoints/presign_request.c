/* SPDX-License-Identifier: MIT
 *
 * POST /files/presign.  Hooks are asked about the link, and about what it
 * allows to upload, as if who asks did that now.
 */
#include <stdlib.h>
#include <string.h>

#include "endpoints.h"
#include "filetype.h"
#include "jsonbody.h"
#include "key.h"
#include "must.h"
#include "presign.h"
#include "presign_wish.h"
#include "reply.h"
#include "upload.h"
#include "upload_expiry.h"

struct presign {
  struct presign_ask ask;
  char *type, *filename; /* of the object */
  uint64_t length;
};

static void presign_left(void *work) {
  presign_leave(&((struct presign *)work)->ask);
}

static void presign_free(void *work) {
  struct presign *presign = work;
  free(presign->type);
  free(presign->filename);
  free(presign);
}

/* ---- the answer --------------------------------------------------------- */

static json_t *presign_request_describe(const struct exchange *ex,
                                        const struct presigned *made) {
  const struct presign *presign = ex->work;
  const struct ownlink *link = &presign->ask.link;
  bool post = link->method == OWNLINK_POST;
  json_t *answer =
      json_pack("{s:s, s:s, s:s, s:I, s:s}", post ? "prefix" : "key",
                link->name, "method", ownlink_method_name(link->method), "url",
                made->url, "expires_in", (json_int_t)made->seconds, "via",
                made->id == NULL ? "storage" : "gateway");
  if (made->id != NULL)
    json_object_set_new(answer, "id", json_string(made->id));
  if (link->method == OWNLINK_GET) {
    json_object_set_new(answer, "content_type", json_string(presign->type));
    json_object_set_new(answer, "size_bytes",
                        json_integer((json_int_t)presign->length));
  }
  return answer;
}

static void presign_request_on_made(struct exchange *ex,
                                    const struct presigned *made) {
  if (made->status == SLUICE_OK)
    reply_json(ex, 200, presign_request_describe(ex, made));
  else
    reply_failure(ex, made->status, made->why);
}

static void make(struct exchange *ex) {
  struct presign *presign = ex->work;
  presign->ask.then = presign_request_on_made;
  presign_make(&presign->ask, presign->filename);
}

/* ---- the object --------------------------------------------------------- */

static void presign_request_on_meta(void *arg,
                                    const struct sluice_meta *meta) {
  struct exchange *ex = arg;
  struct presign *presign = ex->work;
  presign->ask.seconds =
      upload_expiry_bound(op_expires(meta), presign->ask.seconds);
  presign->length = meta->length;
  presign->type = strdup(meta->type != NULL ? meta->type : FILETYPE_UNKNOWN);
  const char *filename = presign_filename(meta);
  presign->filename = filename == NULL ? NULL : strdup(filename);
  must_have(presign->type);
}

static void presign_request_on_head(void *arg, enum sluice_status status,
                                    const char *why) {
  struct exchange *ex = arg;
  const struct presign *presign = ex->work;
  ex->op = NULL;
  if (status == SLUICE_OK && presign->type == NULL)
    op_violation(exchange_backend(ex), "sluice_done", "before sluice_meta()");
  if (status != SLUICE_OK || presign->type == NULL)
    reply_failure(ex, status == SLUICE_OK ? SLUICE_EUPSTREAM : status, why);
  else
    make(ex);
}

static void presign_request_look(struct exchange *ex) {
  static const struct op_events events = {.meta = presign_request_on_meta,
                                          .alive = exchange_alive,
                                          .done = presign_request_on_head};
  exchange_watch(ex);
  ex->op = op_head(exchange_backend(ex), ex->key, &events, ex);
}

/* ---- who may ------------------------------------------------------------ */

static void presign_request_on_allowed(struct exchange *ex) {
  struct presign *presign = ex->work;
  const char *fault = presign_fault(&presign->ask);
  if (fault != NULL)
    reply_error(ex, 501, "not_implemented", "%s", fault);
  else if (presign->ask.link.method == OWNLINK_GET)
    presign_request_look(ex);
  else
    make(ex);
}

/* Of a link to upload the maker must be allowed to do that, too. */
static void on_presign_allowed(struct exchange *ex) {
  const struct ownlink *link = &((struct presign *)ex->work)->ask.link;
  if (link->method == OWNLINK_GET) {
    presign_request_on_allowed(ex);
    return;
  }
  char key[KEY_MAX + 2];
  snprintf(key, sizeof key, "%s", ex->key);
  exchange_check_as(ex, link->replace ? OPERATION_REPLACE : OPERATION_UPLOAD,
                    key, presign_request_on_allowed);
}

static void presign_request_on_json(struct exchange *ex, json_t *document) {
  bool refused;
  struct presign *presign = calloc(1, sizeof *presign);
  must_have(presign); /* charged with the request */
  ex->work = presign;
  ex->work_free = presign_free;
  ex->work_left = presign_left;
  presign->ask.ex = ex;
  presign->ask.fresh = true;
  struct ownlink *link = &presign->ask.link;
  if (!presign_wish(ex, document, &presign->ask))
    return;
  const char *who = upload_who(ex, &refused);
  if (refused)
    return;
  link->by = who == NULL ? NULL : strdup(who);
  link->established = sluice_request_identity(&ex->request) != NULL;
  char key[KEY_MAX + 2];
  snprintf(key, sizeof key, "%s%s", link->name,
           link->method == OWNLINK_POST ? "/" : "");
  exchange_check_as(ex, OPERATION_PRESIGN, key, on_presign_allowed);
}

static void presign_start(struct exchange *ex) {
  jsonbody_read(ex, presign_request_on_json);
}

const struct endpoint presign_endpoint = {.operation = OPERATION_PRESIGN,
                                          .method = "POST",
                                          .tail = "/presign",
                                          .cost = EXCHANGE_COST,
                                          .gives_links = true,
                                          .start = presign_start};
