/* SPDX-License-Identifier: MIT
 *
 * POST /files/uploads: an upload whose body is the file.  By its head it is
 * one of tus or of the draft, which may take several requests, or plain.
 */
#include <string.h>
#include <strings.h>

#include "endpoints.h"
#include "join.h"
#include "mime.h"
#include "query.h"
#include "rawbody.h"
#include "reply.h"
#include "resumable.h"
#include "upload_expiry.h"
#include "upload_once.h"
#include "uploads_names.h"

static void plain_start(struct exchange *ex) {
  struct upload *upload = rawbody_new(ex);
  if (rawbody_check_part(ex) && uploads_names_read(ex, NULL) &&
      upload_read_uploader(ex) && upload_expiry_read(ex) &&
      updigest_read(ex, &upload->digest) && rawbody_check(ex) &&
      upload_once_read(ex))
    upload_once_claim(ex, rawbody_start);
}

static void create(struct exchange *ex) {
  if (resumable_of(ex)->source != NULL)
    join_check(ex);
  else
    resumable_create(ex);
}

static void resumable_start(struct exchange *ex,
                            const struct resumable_dialect *dialect) {
  struct resumable *r = resumable_new(ex, RESUMABLE_CREATE, dialect);
  if (r == NULL || !upload_read_uploader(ex) || !upload_expiry_read(ex) ||
      !dialect->read_create(ex) || !resumable_read_digests(ex))
    return;
  if (op_can_stage(r->backend))
    resumable_ask_key(ex, create);
  else
    resumable_create(ex);
}

static void uploads_start(struct exchange *ex) {
  bool complete;
  if (ex->link != NULL) {
    plain_start(ex);
    return;
  }
  if (uploads_tus_refuses_version(ex))
    return;
  if (uploads_is_tus(ex))
    resumable_start(ex, &uploads_tus);
  else if (uploadhead_boolean(head_get(&ex->head, "Upload-Complete"),
                              &complete))
    resumable_start(ex, &uploads_draft);
  else
    plain_start(ex);
}

const struct endpoint uploads_endpoint = {.operation = OPERATION_UPLOAD,
                                          .method = "POST",
                                          .tail = "/uploads",
                                          .cost = EXCHANGE_COST,
                                          .cors_headers = UPLOADS_CORS_HEADERS,
                                          .cors_expose = UPLOADS_CORS_EXPOSE,
                                          .gives_links = true,
                                          .start = uploads_start};
