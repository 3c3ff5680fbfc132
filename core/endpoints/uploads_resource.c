/* SPDX-License-Identifier: MIT
 *
 * An upload resource's methods, and what OPTIONS says of all of them.
 */
#include "checksum.h"
#include "endpoints.h"
#include "reply.h"
#include "resumable.h"

static void get_start(struct exchange *ex) {
  resumable_open(ex, RESUMABLE_LOOK);
}

static void patch_start(struct exchange *ex) {
  resumable_open(ex, RESUMABLE_APPEND);
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
    .start = resumable_delete};
