/* SPDX-License-Identifier: MIT
 *
 * The endpoints, each in the file of its name.
 */
#ifndef ENDPOINTS_ENDPOINTS_H
#define ENDPOINTS_ENDPOINTS_H

#include "endpoint.h"

extern const struct endpoint upload_endpoint, presign_endpoint,
    download_endpoint, signed_endpoint, list_endpoint, delete_endpoint,
    object_get_endpoint, object_put_endpoint, object_delete_endpoint,
    copy_endpoint, move_endpoint, many_endpoint, uploads_endpoint,
    uploads_options_endpoint, resource_options_endpoint, resource_get_endpoint,
    resource_patch_endpoint, resource_delete_endpoint, healthz_endpoint,
    readyz_endpoint;

#endif
