/* SPDX-License-Identifier: MIT
 *
 * One table says which words each method has.
 */
#include "presign_wish.h"

#include <stdio.h>
#include <string.h>

#include "jsonbody.h"
#include "key.h"
#include "must.h"
#include "reply.h"
#include "upload_expiry.h"

#define TYPES_TEXT_MAX 8192

struct wish {
  struct exchange *ex;
  json_t *document;
  struct presign_ask *ask;
};

static bool presign_wish_bad(const struct wish *wish, const char *code,
                             const char *message) {
  reply_error(wish->ex, 400, code, "%s", message);
  return false;
}

static char *copy(const char *text) {
  char *made = strdup(text);
  must_have(made); /* charged with the request */
  return made;
}

/* ---- words -------------------------------------------------------------- */

static bool presign_wish_read_key(const struct wish *wish,
                                  const json_t *value) {
  struct ownlink *link = &wish->ask->link;
  bool made = link->method == OWNLINK_PUT;
  (void)value;
  const char *key = jsonbody_key(wish->ex, wish->document,
                                 made ? key_made_fault : key_found_fault);
  if (key == NULL)
    return false;
  link->name = copy(key);
  return true;
}

static bool presign_wish_read_prefix(const struct wish *wish,
                                     const json_t *value) {
  const char *text = json_string_value(value);
  size_t len = text == NULL ? 0 : json_string_length(value);
  char prefix[KEY_MAX + 1];
  if (text == NULL || strspn(text, "/") == len)
    return presign_wish_bad(
        wish, "bad_prefix",
        "Bad 'prefix': it isn't a text, or names no segment");
  const char *fault = key_prefix(prefix, text, len, "");
  size_t slashes = strspn(text, "/");
  if (fault != NULL) {
    bool reserved = key_reserved(text + slashes, len - slashes);
    reply_error(wish->ex, 400, reserved ? "bad_key" : "bad_prefix",
                "Bad 'prefix': %s", fault);
    return false;
  }
  wish->ask->link.name = copy(prefix);
  return true;
}

static bool read_uses(const struct wish *wish, const json_t *value) {
  json_int_t uses = json_integer_value(value);
  if (!json_is_integer(value) || uses < 1 || uses > OWNLINK_USES_MAX)
    return presign_wish_bad(wish, "bad_uses",
                            "'uses' isn't a whole number of 1 to 1000000");
  wish->ask->link.uses = (uint32_t)uses;
  return true;
}

static bool read_max_bytes(const struct wish *wish, const json_t *value) {
  json_int_t bytes = json_integer_value(value);
  if (!json_is_integer(value) || bytes < 1)
    return presign_wish_bad(wish, "bad_max_bytes",
                            "'max_bytes' isn't a whole number of 1 or more");
  wish->ask->link.max_bytes = (uint64_t)bytes;
  return true;
}

static bool read_expire_after(const struct wish *wish, const json_t *value) {
  char text[32] = "";
  int64_t seconds;
  if (json_is_integer(value))
    snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
  if (!upload_expiry_wish(wish->ex, text, "expire_after", &seconds))
    return false;
  wish->ask->link.expire_after = (uint64_t)seconds;
  return true;
}

static bool read_types(const struct wish *wish, const json_t *value) {
  struct buf list;
  size_t count = json_array_size(value); /* 0: no list */
  if (count == 0 || count > OWNLINK_TYPES_MAX)
    return presign_wish_bad(wish, "bad_types",
                            "'types' isn't a list of 1 to 64 media types");
  buf_init(&list, TYPES_TEXT_MAX + OWNLINK_TYPES_MAX);
  bool ok = true;
  for (size_t i = 0; ok && i < count; i++) {
    const json_t *item = json_array_get(value, i);
    const char *type = json_string_value(item);
    ok = type != NULL && strlen(type) == json_string_length(item) &&
         ownlink_type_valid(type) && (i == 0 || buf_addc(&list, ',')) &&
         buf_adds(&list, type);
  }
  if (ok)
    wish->ask->link.types = copy(list.data);
  buf_fini(&list);
  return ok ||
         presign_wish_bad(wish, "bad_types",
                          "'types' has something else than media types, as "
                          "image/png, or image/"
                          "* for a family");
}

/* As it would be saved, to the letter. */
static bool presign_wish_read_filename(const struct wish *wish,
                                       const json_t *value) {
  const char *text = json_string_value(value);
  char name[KEY_NAME_MAX + 1];
  size_t len = text == NULL ? 0 : json_string_length(value);
  key_filename(name, text == NULL ? "" : text, len);
  if (len == 0 || strlen(text) != len || strcmp(name, text) != 0)
    return presign_wish_bad(
        wish, "bad_filename",
        "'filename' isn't a file's name: 1 to 246 bytes without "
        "slashes, backslashes and control characters");
  wish->ask->link.filename = copy(text);
  return true;
}

static bool read_bool(const struct wish *wish, const json_t *value,
                      const char *message, bool *flag) {
  if (!json_is_boolean(value))
    return presign_wish_bad(wish, "bad_request", message);
  *flag = json_is_true(value);
  return true;
}

static bool read_inline(const struct wish *wish, const json_t *value) {
  return read_bool(wish, value, "'inline' is neither true nor false",
                   &wish->ask->link.is_inline);
}

static bool read_replace(const struct wish *wish, const json_t *value) {
  return read_bool(wish, value, "'replace' is neither true nor false",
                   &wish->ask->link.replace);
}

static bool read_via(const struct wish *wish, const json_t *value) {
  const char *text = json_string_value(value);
  if (text != NULL && strcmp(text, "gateway") == 0)
    wish->ask->via = PRESIGN_GATEWAY;
  else if (text != NULL && strcmp(text, "storage") == 0)
    wish->ask->via = PRESIGN_STORAGE;
  else
    return presign_wish_bad(wish, "bad_via",
                            "'via' is neither gateway nor storage");
  return true;
}

static bool read_expires(const struct wish *wish, const json_t *value) {
  const struct settings_presign *limits = &wish->ex->gate->settings->presign;
  json_int_t wanted = json_integer_value(value);
  if (!json_is_integer(value))
    return presign_wish_bad(wish, "bad_expires",
                            "'expires' isn't a whole number of seconds");
  if (wanted > limits->max_ms / 1000)
    wanted = limits->max_ms / 1000;
  if (wanted < limits->min_ms / 1000)
    wanted = limits->min_ms / 1000;
  wish->ask->seconds = (uint32_t)wanted;
  return true;
}

/* ---- the table ---------------------------------------------------------- */

#define OF(method) (1u << OWNLINK_##method)
#define ANY (OF(GET) | OF(PUT) | OF(POST))

static const struct {
  const char *name;
  unsigned methods; /* that it has a meaning with */
  bool (*read)(const struct wish *, const json_t *value);
} words[] = {{"key", OF(GET) | OF(PUT), presign_wish_read_key},
             {"prefix", OF(POST), presign_wish_read_prefix},
             {"expires", ANY, read_expires},
             {"via", ANY, read_via},
             {"uses", ANY, read_uses},
             {"max_bytes", OF(PUT) | OF(POST), read_max_bytes},
             {"expire_after", OF(PUT) | OF(POST), read_expire_after},
             {"types", OF(PUT) | OF(POST), read_types},
             {"replace", OF(PUT), read_replace},
             {"filename", OF(GET), presign_wish_read_filename},
             {"inline", OF(GET), read_inline}};
#define WORDS (sizeof words / sizeof *words)

static bool read_method(const struct wish *wish) {
  const json_t *value = json_object_get(wish->document, "method");
  const char *text = json_string_value(value);
  if (value == NULL ||
      (text != NULL && strlen(text) == json_string_length(value) &&
       ownlink_method_find(text, &wish->ask->link.method)))
    return true;
  return presign_wish_bad(wish, "bad_method",
                          "'method' is none of GET, PUT and POST");
}

static bool presign_wish_read_word(const struct wish *wish, size_t i) {
  const json_t *value = json_object_get(wish->document, words[i].name);
  enum ownlink_method method = wish->ask->link.method;
  if (value == NULL)
    return true;
  if ((words[i].methods & (1u << method)) != 0)
    return words[i].read(wish, value);
  reply_error(wish->ex, 400, "bad_request",
              "'%s' has no meaning for a link to %s; leave it out",
              words[i].name, ownlink_method_name(method));
  return false;
}

static bool has_name(const struct wish *wish) {
  const char *name = wish->ask->link.method == OWNLINK_POST ? "prefix" : "key";
  if (json_object_get(wish->document, name) != NULL)
    return true;
  reply_error(wish->ex, 400, "missing_key", "Missing '%s'", name);
  return false;
}

bool presign_wish(struct exchange *ex, json_t *document,
                  struct presign_ask *ask) {
  const struct wish wish = {ex, document, ask};
  ask->seconds = (uint32_t)(ex->gate->settings->presign.default_ms / 1000);
  if (!read_method(&wish) || !has_name(&wish))
    return false;
  for (size_t i = 0; i < WORDS; i++)
    if (!presign_wish_read_word(&wish, i))
      return false;
  return true;
}
