/* SPDX-License-Identifier: MIT
 *
 * JSON of somebody who isn't known yet.  The depth is found before the library
 * reads, as it calls itself for each level and has a limit of thousands.
 */
#include "jwtjson.h"

static bool too_deep(const char *data, size_t len) {
  unsigned depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < len; i++) {
    char c = data[i];
    if (quoted && c == '\\')
      i++;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '{' || c == '[') && ++depth > JWTJSON_DEPTH_MAX)
      return true;
    else if (!quoted && (c == '}' || c == ']') && depth > 0)
      depth--;
  }
  return false;
}

json_t *jwtjson_read(const char *data, size_t len) {
  json_error_t error;
  if (too_deep(data, len))
    return NULL;
  json_t *document = json_loadb(data, len, JSON_REJECT_DUPLICATES, &error);
  if (json_is_object(document))
    return document;
  json_decref(document);
  return NULL;
}

const char *jwtjson_text(const json_t *object, const char *name) {
  return json_string_value(json_object_get(object, name));
}
