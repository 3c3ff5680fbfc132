/* SPDX-License-Identifier: MIT
 *
 * CORS.  It protects browsers' users, not the gateway: who isn't a browser is
 * stopped by hooks alone.
 */
#include "cors.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"

#define LIST_MAX 16384 /* bytes: 64 names of the settings, and a route's */

bool cors_is_on(const struct settings_cors *cors) {
  return cors->origins[0] != NULL;
}

bool cors_is_preflight(const struct head *head) {
  return strcmp(head->method, "OPTIONS") == 0 &&
         head_get(head, "Origin") != NULL &&
         head_get(head, "Access-Control-Request-Method") != NULL;
}

/* Access-Control-Allow-Origin, or NULL.  An origin is compared byte for byte:
 * browsers have one way to write it. */
static const char *allowed_origin(const struct settings_cors *cors,
                                  const struct head *head) {
  const char *origin = head_get(head, "Origin");
  if (cors->any)
    return "*";
  for (size_t i = 0; origin != NULL && cors->origins[i] != NULL; i++)
    if (strcmp(cors->origins[i], origin) == 0)
      return cors->origins[i];
  return NULL;
}

static bool changes_nothing(const struct head *head) {
  return strcmp(head->method, "GET") == 0 || strcmp(head->method, "HEAD") == 0;
}

/* Origin decides where it is sent.  But a proxy may have changed Host, and
 * then the browser's word counts that it is the same. */
bool cors_is_foreign(const struct settings_cors *cors, const struct head *head,
                     bool own) {
  const char *site = head_get(head, "Sec-Fetch-Site");
  if (site == NULL)
    site = "";
  if (changes_nothing(head) || strcmp(site, "same-origin") == 0)
    return false;
  if (head_get(head, "Origin") == NULL)
    return (strcmp(site, "cross-site") == 0 ||
            strcmp(site, "same-site") == 0) &&
           !cors->any;
  return allowed_origin(cors, head) == NULL &&
         (strcmp(site, "cross-site") == 0 || !own);
}

/* The configuration's list, then the other two; NULL: none. */
static void add_list(struct buf *answer, const char *name, const char *list,
                     const char *more, const char *also) {
  struct buf joined;
  buf_init(&joined, LIST_MAX);
  buf_adds(&joined, list);
  if (more != NULL)
    buf_addf(&joined, "%s%s", joined.len > 0 ? ", " : "", more);
  if (also != NULL)
    buf_addf(&joined, "%s%s", joined.len > 0 ? ", " : "", also);
  if (joined.len > 0)
    fields_add(answer, name, joined.data);
  buf_fini(&joined);
}

void cors_answer(const struct settings_cors *cors, const struct head *head,
                 const char *fields, bool timed, struct buf *answer) {
  const char *origin = allowed_origin(cors, head);
  if (!cors->any) /* caches keep an answer for each origin */
    fields_add(answer, "Vary", "Origin");
  if (origin == NULL)
    return;
  fields_add(answer, "Access-Control-Allow-Origin", origin);
  if (cors->credentials)
    fields_add(answer, "Access-Control-Allow-Credentials", "true");
  if (timed)
    fields_add(answer, "Timing-Allow-Origin", origin);
  if (!cors_is_preflight(head))
    add_list(answer, "Access-Control-Expose-Headers", cors->expose_text,
             fields, timed ? "Server-Timing" : NULL);
}

void cors_preflight(const struct settings_cors *cors, const struct head *head,
                    const char *allow, const char *fields,
                    struct buf *answer) {
  char age[24];
  const char *methods = cors->methods_text;
  if (allowed_origin(cors, head) == NULL)
    return;
  snprintf(age, sizeof age, "%" PRId64, cors->max_age_ms / 1000);
  fields_add(answer, "Access-Control-Allow-Methods",
             methods[0] != '\0' ? methods : allow);
  add_list(answer, "Access-Control-Allow-Headers", cors->headers_text, fields,
           NULL);
  fields_add(answer, "Access-Control-Max-Age", age);
}
