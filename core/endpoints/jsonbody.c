/* SPDX-License-Identifier: MIT
 *
 * Collects a small JSON body.
 */
#include "jsonbody.h"

#include <stdlib.h>
#include <string.h>

#include "key.h"
#include "mime.h"
#include "must.h"
#include "quantity.h"
#include "reply.h"

struct jsonbody {
  struct buf text;
  void (*then)(struct exchange *, json_t *);
};

static void jsonbody_free(void *work) {
  struct jsonbody *body = work;
  buf_fini(&body->text);
  free(body);
}

/* Integers of more than 18 digits become the largest of 18, before a parser
 * refuses them: all that bounds them bounds that.  What isn't a number is left
 * as it is. */
static void bound_integers(char *text, size_t len) {
  bool quoted = false;
  for (size_t i = 0; i < len; i++) {
    if (quoted && text[i] == '\\') {
      i++;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[i] >= '1' && text[i] <= '9') {
      size_t digits = strspn(text + i, "0123456789");
      char next = text[i + digits];
      bool integer = next == '\0' || strchr(" \t\r\n,]}", next) != NULL;
      bool whole = i == 0 || strchr(" \t\r\n,:[-", text[i - 1]) != NULL;
      if (digits > 18 && integer && whole) {
        memset(text + i, '9', 18);
        memset(text + i + 18, ' ', digits - 18);
      }
      i += digits - 1;
    }
  }
}

static size_t count_values(const char *text, size_t len) {
  size_t count = 1;
  bool quoted = false;
  for (size_t i = 0; i < len; i++)
    if (quoted && text[i] == '\\')
      i++;
    else if (text[i] == '"')
      quoted = !quoted;
    else if (!quoted && strchr(",[{:", text[i]) != NULL && text[i] != '\0')
      count++;
  return count;
}

static void jsonbody_parse(struct exchange *ex, struct jsonbody *body) {
  json_error_t error;
  if (count_values(body->text.data, body->text.len) > JSONBODY_VALUES_MAX) {
    reply_error(ex, 400, "bad_json", "The body has more than %d values",
                JSONBODY_VALUES_MAX);
    return;
  }
  bound_integers(body->text.data, body->text.len);
  json_t *document =
      json_loadb(body->text.data, body->text.len,
                 JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
  void (*then)(struct exchange *, json_t *) = body->then;
  ex->on_body = NULL;
  exchange_drop(ex);
  if (document == NULL)
    reply_error(ex, 400, "bad_json",
                "The body isn't valid JSON (line %d, column %d)", error.line,
                error.column);
  else if (!json_is_object(document))
    reply_error(ex, 400, "bad_json", "The body isn't a JSON object");
  else
    then(ex, document);
  json_decref(document);
}

static void too_large(struct exchange *ex, size_t max) {
  char limit[32];
  quantity_print(limit, max);
  reply_error(ex, 413, "too_large", "The JSON body is larger than %s", limit);
}

static void on_body(struct exchange *ex) {
  struct jsonbody *body = ex->work;
  const char *data;
  size_t len;
  for (;;) {
    switch (ingress_body_next(ex->conn, &data, &len)) {
    case INGRESS_DATA:
      if (!buf_add(&body->text, data, len)) {
        too_large(ex, body->text.max);
        return;
      }
      ex->bytes_in += len;
      ingress_body_take(ex->conn, len);
      break;
    case INGRESS_WAIT:
      return;
    case INGRESS_END:
      jsonbody_parse(ex, body);
      return;
    case INGRESS_CUT:
      reply_error(ex, 400, "bad_request", "The body ends early");
      return;
    case INGRESS_BAD:
      reply_error(ex, 400, "bad_request", "The body's chunks are malformed");
      return;
    }
  }
}

/* A page of another origin can send these without being asked first, with a
 * user's cookies and passwords. */
static bool is_form(const struct exchange *ex) {
  static const char *const types[] = {"text/plain",
                                      "application/x-www-form-urlencoded",
                                      "multipart/form-data"};
  const char *type = head_get(&ex->head, "Content-Type");
  for (size_t i = 0; type != NULL && i < sizeof types / sizeof *types; i++)
    if (mime_is(type, types[i]))
      return true;
  return false;
}

void jsonbody_read(struct exchange *ex,
                   void (*then)(struct exchange *, json_t *)) {
  jsonbody_read_long(ex, JSONBODY_MAX, then);
}

void jsonbody_read_long(struct exchange *ex, size_t max,
                        void (*then)(struct exchange *, json_t *)) {
  if (exchange_is_personal(ex) && is_form(ex)) {
    reply_error(ex, 415, "unsupported_media_type",
                "JSON isn't taken as a type that forms have: send it with "
                "Content-Type: application/json");
    return;
  }
  if (ex->head.length > (int64_t)max) {
    too_large(ex, max);
    return;
  }
  size_t most = ex->head.chunked      ? max
                : ex->head.length > 0 ? (size_t)ex->head.length
                                      : 0;
  if (max > JSONBODY_MAX && !exchange_charge(ex, 3 * most))
    return; /* text, and what is made of it */
  struct jsonbody *body = calloc(1, sizeof *body);
  must_have(body); /* charged with the request */
  buf_init(&body->text, max);
  body->then = then;
  ex->work = body;
  ex->work_free = jsonbody_free;
  ex->on_body = on_body;
  ingress_body_start(ex->conn);
  on_body(ex);
}

const char *jsonbody_key_of(struct exchange *ex, json_t *document,
                            const char *name,
                            const char *(*fault_of)(const char *, size_t)) {
  const json_t *value = json_object_get(document, name);
  if (value == NULL) {
    reply_error(ex, 400, "missing_key", "Missing '%s'", name);
    return NULL;
  }
  const char *key = json_string_value(value);
  const char *fault = key == NULL || key[0] == '\0'
                          ? "it isn't a text, or an empty one"
                          : fault_of(key, json_string_length(value));
  if (fault != NULL) {
    reply_error(ex, 400, "bad_key", "Bad '%s': %s", name, fault);
    return NULL;
  }
  return key;
}

const char *jsonbody_key(struct exchange *ex, json_t *document,
                         const char *(*fault_of)(const char *, size_t)) {
  return jsonbody_key_of(ex, document, "key", fault_of);
}
