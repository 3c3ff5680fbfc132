/* SPDX-License-Identifier: MIT
 *
 * The one list of what the gateway serves.
 */
#include "gateway.h"

#include "endpoints.h"

const struct endpoint *const gateway_endpoints[] = {&upload_endpoint,
                                                    &presign_endpoint,
                                                    &download_endpoint,
                                                    &signed_endpoint,
                                                    &signed_put_endpoint,
                                                    &signed_post_endpoint,
                                                    &signed_delete_endpoint,
                                                    &signed_patch_endpoint,
                                                    &links_endpoint,
                                                    &list_endpoint,
                                                    &delete_endpoint,
                                                    &object_get_endpoint,
                                                    &object_put_endpoint,
                                                    &object_delete_endpoint,
                                                    &copy_endpoint,
                                                    &move_endpoint,
                                                    &many_endpoint,
                                                    &uploads_endpoint,
                                                    &uploads_options_endpoint,
                                                    &resource_get_endpoint,
                                                    &resource_patch_endpoint,
                                                    &resource_delete_endpoint,
                                                    &resource_options_endpoint,
                                                    &archive_endpoint,
                                                    &console_endpoint,
                                                    &console_bare_endpoint,
                                                    &console_asset_endpoint,
                                                    &healthz_endpoint,
                                                    &readyz_endpoint,
                                                    &openapi_endpoint,
                                                    NULL};
