/* SPDX-License-Identifier: MIT
 *
 * The section cors.  What browsers would read otherwise than it was meant is
 * refused.
 */
#include <string.h>

#include "address.h"
#include "options.h"
#include "settings_parts.h"
#include "settings_tables.h"
#include "token.h"

#define MAX_AGE_MAX (24 * 3600 * INT64_C(1000))

#define CORS(f) offsetof(struct settings_cors, f)

static const struct sluice_option cors_table[] = {
    {"origins", SLUICE_LIST, "", CORS(origins),
     "whose pages may use the gateway: https://app.example, or *"},
    {"methods", SLUICE_LIST, "", CORS(methods),
     "with which methods; default: those that a path has"},
    {"headers", SLUICE_LIST,
     "[Authorization, Cache-Control, Content-Digest, Content-Type, "
     "Idempotency-Key, If-Match, If-Modified-Since, If-None-Match, If-Range, "
     "If-Unmodified-Since, Range, Repr-Digest, traceparent, Tus-Resumable, "
     "Upload-Checksum, Upload-Complete, Upload-Concat, Upload-Defer-Length, "
     "Upload-Draft-Interop-Version, Upload-Length, Upload-Metadata, "
     "Upload-Offset, Want-Repr-Digest, X-Api-Key, X-HTTP-Method-Override, "
     "X-Request-Id, X-Requested-With, X-User-Id]",
     CORS(headers), "with which headers"},
    {"expose", SLUICE_LIST,
     "[Accept-Ranges, Content-Disposition, Content-Encoding, Content-Range, "
     "ETag, Idempotency-Replayed, Location, Repr-Digest, Retry-After, "
     "Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, Tus-Resumable, "
     "Tus-Version, Upload-Complete, Upload-Draft-Interop-Version, "
     "Upload-Expires, Upload-Length, Upload-Limit, Upload-Metadata, "
     "Upload-Offset, WWW-Authenticate, X-Request-Id]",
     CORS(expose), "which headers of answers their scripts may read"},
    {"credentials", SLUICE_BOOL, "false", CORS(credentials),
     "cookies and the browser's own passwords, too"},
    {"max_age", SLUICE_TIME, "10m", CORS(max_age_ms),
     "how long a browser may remember all that"},
    {0}};

static bool check_origin(struct settings *s, unsigned line, size_t at,
                         struct errmsg *err) {
  struct settings_cors *cors = &s->cors;
  const char *origin = cors->origins[at];
  bool any = strcmp(origin, "*") == 0;
  const char *why = any ? NULL : address_origin_fault(origin);
  if (at == SETTINGS_ORIGINS_MAX)
    why = "more than 256 origins; drop some";
  if (any && cors->credentials)
    why = "with credentials each origin has to be named, as any page could "
          "act for its visitors; name them, or drop credentials";
  cors->any = cors->any || any;
  return why == NULL || config_fault(s->config, line, err,
                                     "'origins': '%.128s': %s", origin, why);
}

static const char *name_fault(const struct settings_cors *cors,
                              const char *name) {
  size_t len = 0;
  if (strcmp(name, "*") == 0)
    return cors->credentials ? "with credentials it means nothing; name them"
                             : NULL;
  while (token_char((unsigned char)name[len]))
    len++;
  return len == 0 || len > WORDS_LEN_MAX || name[len] != '\0'
             ? "it is no name; write 1 to 64 letters, digits and -"
             : NULL;
}

/* Checks a list of names and joins it as a header wants it. */
static bool read_names(struct settings *s, const char *key,
                       const char *const *names, const char **text,
                       struct errmsg *err) {
  const struct config_node *cors = config_get(s->config->root, "cors");
  size_t count = 0, size = 1;
  for (; names[count] != NULL; count++) {
    const char *why = name_fault(&s->cors, names[count]);
    if (count == SETTINGS_CORS_NAMES_MAX)
      why = "more than 64; drop some";
    if (why != NULL)
      return config_fault(s->config, settings_line(cors, key), err,
                          "'%s': '%.64s': %s", key, names[count], why);
    size += strlen(names[count]) + 8; /* what words_join() may add */
  }
  char *joined = config_alloc(s->config, size);
  if (joined == NULL)
    return settings_no_memory(s, err);
  words_join(joined, size, names);
  *text = joined;
  return true;
}

bool settings_read_cors(struct settings *s, struct errmsg *err) {
  const struct config_node *node = config_get(s->config->root, "cors");
  struct settings_cors *cors = &s->cors;
  if (!options_fill(cors_table, NULL, s->config, node, "cors", cors, err))
    return false;
  for (size_t i = 0; cors->origins[i] != NULL; i++)
    if (!check_origin(s, settings_line(node, "origins"), i, err))
      return false;
  if (node != NULL && !node->null && config_get(node, "origins") == NULL)
    return config_fault(s->config, node->line, err,
                        "cors needs 'origins' (whose pages may use the "
                        "gateway); write a list, as in [https://app.example]");
  if (cors->max_age_ms < 0 || cors->max_age_ms > MAX_AGE_MAX)
    return config_fault(s->config, settings_line(node, "max_age"), err,
                        "'max_age': it is out of range; write 0 to 1d");
  return read_names(s, "methods", cors->methods, &cors->methods_text, err) &&
         read_names(s, "headers", cors->headers, &cors->headers_text, err) &&
         read_names(s, "expose", cors->expose, &cors->expose_text, err);
}

const struct settings_table settings_tables_cors[] = {{"cors", cors_table},
                                                      {NULL, NULL}};
