/* SPDX-License-Identifier: MIT
 *
 * The JSON in which the container's service and the instance metadata service
 * answer.  Of a document that is wrong nothing is told but that: a parser's
 * message would quote it.
 */
#include "credentials_fetch.h"

#include <jansson.h>
#include <string.h>

#include "digest.h"

static const char *text_of(const json_t *document, const char *name) {
  const char *text = json_string_value(json_object_get(document, name));
  return text == NULL ? "" : text;
}

/* The library frees texts as they are. */
static void wipe_texts(json_t *document) {
  const char *name;
  json_t *value;
  json_object_foreach(document, name, value) {
    if (json_is_string(value))
      digest_wipe((char *)json_string_value(value), json_string_length(value));
  }
}

static enum credentials_step
credentials_json_use(struct credentials_fetch *fetch, const json_t *document) {
  const char *code = text_of(document, "Code");
  const char *expires = text_of(document, "Expiration");
  if (code[0] != '\0' && strcmp(code, "Success") != 0)
    return credentials_refused(fetch, code);
  if (!credentials_set(&fetch->got, text_of(document, "AccessKeyId"),
                       text_of(document, "SecretAccessKey"),
                       text_of(document, "Token"))) {
    errmsg_set(&fetch->why, "answers without an AccessKeyId and "
                            "SecretAccessKey that can be used");
    return CREDENTIALS_FAILED;
  }
  return credentials_expire(fetch, expires) ? CREDENTIALS_DONE
                                            : CREDENTIALS_FAILED;
}

enum credentials_step credentials_json(struct credentials_fetch *fetch) {
  json_error_t error;
  json_t *document = json_loadb(fetch->answer.data, fetch->answer.len,
                                JSON_REJECT_DUPLICATES, &error);
  enum credentials_step step = CREDENTIALS_FAILED;
  if (json_is_object(document))
    step = credentials_json_use(fetch, document);
  else
    errmsg_set(&fetch->why, "answers with what is no JSON object");
  wipe_texts(document);
  json_decref(document);
  return step;
}
