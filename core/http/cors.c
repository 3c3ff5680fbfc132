/* SPDX-License-Identifier: MIT
 *
 * CORS.  It protects browsers' users, not the gateway: who isn't a browser is
 * stopped by hooks alone.
 */
#include "cors.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reply.h"
#include "worker.h"

static const struct settings_cors *cors_of(const struct exchange *ex) {
  return &ex->worker->settings->cors;
}

bool cors_is_on(const struct settings *settings) {
  return settings->cors.origins[0] != NULL;
}

bool cors_is_preflight(const struct exchange *ex) {
  return ex->request.cors && strcmp(ex->head.method, "OPTIONS") == 0 &&
         head_get(&ex->head, "Origin") != NULL &&
         head_get(&ex->head, "Access-Control-Request-Method") != NULL;
}

/* Access-Control-Allow-Origin, or NULL.  An origin is compared byte for byte:
 * browsers have one way to write it. */
static const char *allowed_origin(const struct exchange *ex) {
  const struct settings_cors *cors = cors_of(ex);
  const char *origin = head_get(&ex->head, "Origin");
  if (cors->any)
    return "*";
  for (size_t i = 0; origin != NULL && cors->origins[i] != NULL; i++)
    if (strcmp(cors->origins[i], origin) == 0)
      return cors->origins[i];
  return NULL;
}

bool cors_is_foreign(const struct exchange *ex) {
  const char *site = head_get(&ex->head, "Sec-Fetch-Site");
  return site != NULL && strcmp(site, "cross-site") == 0 &&
         strcmp(ex->head.method, "GET") != 0 &&
         strcmp(ex->head.method, "HEAD") != 0 && allowed_origin(ex) == NULL;
}

void cors_answer(struct exchange *ex) {
  if (!ex->request.cors)
    return;
  const struct settings_cors *cors = cors_of(ex);
  const char *origin = allowed_origin(ex);
  if (!cors->any) /* caches keep an answer for each origin */
    reply_header(ex, "Vary", "Origin");
  if (origin == NULL)
    return;
  reply_header(ex, "Access-Control-Allow-Origin", origin);
  if (cors->credentials)
    reply_header(ex, "Access-Control-Allow-Credentials", "true");
  if (cors->expose_text[0] != '\0' && !cors_is_preflight(ex))
    reply_header(ex, "Access-Control-Expose-Headers", cors->expose_text);
}

void cors_preflight(struct exchange *ex) {
  const struct settings_cors *cors = cors_of(ex);
  char allow[64], age[24];
  if (allowed_origin(ex) != NULL) {
    const char *methods = cors->methods_text;
    route_allow(ex->worker->routes, ex->head.path, allow);
    snprintf(age, sizeof age, "%" PRId64, cors->max_age_ms / 1000);
    reply_header(ex, "Access-Control-Allow-Methods",
                 methods[0] != '\0' ? methods : allow);
    if (cors->headers_text[0] != '\0')
      reply_header(ex, "Access-Control-Allow-Headers", cors->headers_text);
    reply_header(ex, "Access-Control-Max-Age", age);
  }
  reply_empty(ex, 204);
}
