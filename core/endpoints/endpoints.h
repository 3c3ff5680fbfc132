/* SPDX-License-Identifier: MIT
 *
 * The endpoints, each in the file of its name.
 */
#ifndef ENDPOINTS_ENDPOINTS_H
#define ENDPOINTS_ENDPOINTS_H

#include "endpoint.h"

/* Fields of uploads. */
#define DIGEST_CORS_HEADERS                                          \
  "Content-Digest, Repr-Digest, Want-Repr-Digest, Idempotency-Key, " \
  "X-Expire-After"
#define DIGEST_CORS_EXPOSE "Repr-Digest, Idempotency-Replayed, X-Expires-At"

/* Fields of resumable uploads. */
#define UPLOADS_CORS_HEADERS                                     \
  "Content-Type, Content-Disposition, " DIGEST_CORS_HEADERS      \
  ", Upload-Complete, Upload-Offset, "                           \
  "Upload-Length, Upload-Draft-Interop-Version, Tus-Resumable, " \
  "Upload-Metadata, Upload-Defer-Length, Upload-Concat, "        \
  "Upload-Checksum, X-HTTP-Method-Override"
#define UPLOADS_CORS_EXPOSE                                              \
  "Location, Upload-Offset, Upload-Complete, Upload-Length, "            \
  "Upload-Limit, Upload-Expires, Upload-Metadata, Upload-Defer-Length, " \
  "Upload-Concat, Tus-Resumable, Tus-Version, Tus-Extension, "           \
  "Tus-Max-Size, Tus-Checksum-Algorithm, "                               \
  "Upload-Draft-Interop-Version, " DIGEST_CORS_EXPOSE

/* Fields of uploads by a link. */
#define SIGNED_CORS_HEADERS                                          \
  "Content-Type, Content-Disposition, Content-Digest, Repr-Digest, " \
  "Want-Repr-Digest, If-Match, If-None-Match, X-Expire-After"
#define SIGNED_CORS_EXPOSE                                               \
  "Location, ETag, Content-Disposition, Content-Length, Content-Range, " \
  "X-Expires-At"

extern const struct endpoint archive_endpoint, console_endpoint,
    console_bare_endpoint, console_asset_endpoint;
extern const struct endpoint upload_endpoint, presign_endpoint,
    download_endpoint, signed_endpoint, signed_put_endpoint,
    signed_post_endpoint, signed_delete_endpoint, signed_patch_endpoint,
    links_endpoint, list_endpoint, delete_endpoint, object_get_endpoint,
    object_put_endpoint, object_delete_endpoint, copy_endpoint, move_endpoint,
    many_endpoint, uploads_endpoint, uploads_options_endpoint,
    resource_options_endpoint, resource_get_endpoint, resource_patch_endpoint,
    resource_delete_endpoint, healthz_endpoint, readyz_endpoint,
    openapi_endpoint;

#endif
