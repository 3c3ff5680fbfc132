/* SPDX-License-Identifier: MIT
 *
 * An upload resource's methods, and what OPTIONS says of all of them.
 */
#include "checksum.h"
#include "endpoints.h"
#include "reply.h"
#include "resumable.h"

/* The way that a request speaks by itself. */
static const struct resumable_dialect *spoken(const struct exchange *ex) {
  return uploads_is_tus(ex) ? &uploads_tus : &uploads_draft;
}

/* Finds the upload that the path names, then goes on; what is none is answered
 * here. */
static void find(struct exchange *ex, enum resumable_act act,
                 void (*then)(struct exchange *)) {
  if (uploads_tus_refuses_version(ex))
    return;
  struct resumable *r = resumable_new(ex, act, spoken(ex));
  if (r == NULL)
    return;
  if (op_can_stage(r->backend))
    resumable_ask_key(ex, then);
  else
    reply_failure(ex, SLUICE_ENOTSUP, "its backend has no stages");
}

static bool read_address(struct exchange *ex) {
  static const struct resumable_dialect *const dialects[] = {
      [UPLOADID_DRAFT] = &uploads_draft, [UPLOADID_TUS] = &uploads_tus};
  struct resumable *r = resumable_of(ex);
  if (!resumable_read_address(ex))
    return false;
  r->dialect = dialects[r->id.way];
  return true;
}

static void uploads_resource_look(struct exchange *ex) {
  if (read_address(ex))
    resumable_open(ex);
}

static void uploads_resource_append(struct exchange *ex) {
  if (!read_address(ex))
    return;
  const struct resumable_dialect *dialect = resumable_of(ex)->dialect;
  if (dialect != spoken(ex))
    reply_error(ex, 415, "unsupported_media_type",
                "This upload was made in another way; go on by %s",
                dialect->append_type);
  else if (dialect->read_append(ex) && resumable_read_digests(ex))
    resumable_open(ex);
}

static void remove_it(struct exchange *ex) {
  if (read_address(ex))
    resumable_delete(ex);
}

static void get_start(struct exchange *ex) {
  find(ex, RESUMABLE_LOOK, uploads_resource_look);
}

static void patch_start(struct exchange *ex) {
  find(ex, RESUMABLE_APPEND, uploads_resource_append);
}

static void uploads_resource_delete_start(struct exchange *ex) {
  find(ex, RESUMABLE_LOOK, remove_it);
}

static void options_start(struct exchange *ex) {
  reply_header(ex, "Tus-Resumable", "1.0.0");
  reply_header(ex, "Tus-Version", "1.0.0");
  reply_header(ex, "Tus-Extension",
               "creation,creation-with-upload,creation-defer-length,checksum,"
               "expiration,termination,concatenation");
  reply_number(ex, "Tus-Max-Size", ex->gate->settings->uploads.max_bytes);
  reply_header(ex, "Tus-Checksum-Algorithm", CHECKSUM_WORDS);
  uploads_draft_limits(ex, NULL);
  reply_empty(ex, 204);
}

#define RESOURCE "/uploads/" ROUTE_ANY

const struct endpoint uploads_options_endpoint = {
    .operation = OPERATION_UPLOAD,
    .method = "OPTIONS",
    .tail = "/uploads",
    .cost = EXCHANGE_COST,
    .cors_headers = UPLOADS_CORS_HEADERS,
    .cors_expose = UPLOADS_CORS_EXPOSE,
    .start = options_start};

const struct endpoint resource_options_endpoint = {
    .operation = OPERATION_UPLOAD,
    .method = "OPTIONS",
    .tail = RESOURCE,
    .cost = EXCHANGE_COST,
    .cors_headers = UPLOADS_CORS_HEADERS,
    .cors_expose = UPLOADS_CORS_EXPOSE,
    .start = options_start};

const struct endpoint resource_get_endpoint = {
    .operation = OPERATION_UPLOAD,
    .method = "GET",
    .tail = RESOURCE,
    .cost = EXCHANGE_COST,
    .cors_headers = UPLOADS_CORS_HEADERS,
    .cors_expose = UPLOADS_CORS_EXPOSE,
    .gives_links = true,
    .start = get_start};

const struct endpoint resource_patch_endpoint = {
    .operation = OPERATION_UPLOAD,
    .method = "PATCH",
    .tail = RESOURCE,
    .cost = EXCHANGE_COST,
    .cors_headers = UPLOADS_CORS_HEADERS,
    .cors_expose = UPLOADS_CORS_EXPOSE,
    .overridden = true,
    .gives_links = true,
    .start = patch_start};

const struct endpoint resource_delete_endpoint = {
    .operation = OPERATION_UPLOAD,
    .method = "DELETE",
    .tail = RESOURCE,
    .cost = EXCHANGE_COST,
    .cors_headers = UPLOADS_CORS_HEADERS,
    .cors_expose = UPLOADS_CORS_EXPOSE,
    .overridden = true,
    .start = uploads_resource_delete_start};
