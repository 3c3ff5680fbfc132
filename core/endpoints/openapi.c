/* SPDX-License-Identifier: MIT
 *
 * GET /openapi.yaml: the HTTP API in the form that programs read.  The text is
 * docs/openapi.yaml, as it was when the gateway was built.
 */
#include "openapi.h"

#include <event2/buffer.h>
#include <string.h>

#include "endpoints.h"
#include "must.h"
#include "reply.h"

static void openapi_start(struct exchange *ex) {
  struct evbuffer *body = evbuffer_new();
  must_have(body);
  evbuffer_add_reference(body, openapi_text, strlen(openapi_text), NULL, NULL);
  reply_type(ex, "application/yaml");
  reply_body(ex, 200, body);
  evbuffer_free(body);
}

const struct endpoint openapi_endpoint = {.operation = OPERATION_NONE,
                                          .method = "GET",
                                          .tail = "/openapi.yaml",
                                          .start = openapi_start};
