/* SPDX-License-Identifier: MIT
 *
 * Copies of the service's answers, and how long they are good for.
 */
#include "auth_answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "codec.h"

static void auth_answer_add(struct buf *text, const char *name,
                            const char *value) {
  buf_adds(text, name);
  buf_addc(text, '\0');
  buf_adds(text, value);
  buf_addc(text, '\0');
}

static void auth_answer_add_all(struct buf *text,
                                const struct httpc_call *call,
                                const char *name) {
  const char *value;
  for (size_t i = 0; (value = httpc_header_at(call, name, i)) != NULL; i++)
    auth_answer_add(text, name, value);
}

static bool has(const char *const *names, const char *name) {
  for (; *names != NULL; names++)
    if (strcasecmp(*names, name) == 0)
      return true;
  return false;
}

static bool read_identity(struct buf *text, const struct httpc_call *call,
                          const char *name, const char **why) {
  const char *value = httpc_header(call, name);
  if (value == NULL || httpc_header_at(call, name, 1) != NULL) {
    *why = value == NULL ? "its answer has no identity_header"
                         : "its answer has two of identity_header";
    return false;
  }
  buf_adds(text, value);
  return true;
}

static bool is_true(const struct httpc_call *call, const char *name) {
  const char *value = name == NULL ? NULL : httpc_header(call, name);
  return value != NULL && strcmp(value, "true") == 0;
}

struct auth_answer *auth_answer_new(const struct httpc_call *call,
                                    const struct auth_answer_wish *wish,
                                    const char **why) {
  struct auth_answer *answer = NULL;
  int status = httpc_status(call);
  struct buf text;
  buf_init(&text, AUTH_ANSWER_MAX);
  if (wish->identity[0] != '\0' && status / 100 == 2 &&
      !read_identity(&text, call, wish->identity, why))
    goto out;
  buf_addc(&text, '\0');
  size_t headers = text.len;
  for (size_t i = 0; wish->returned[i] != NULL; i++)
    auth_answer_add_all(&text, call, wish->returned[i]);
  if (status == 401 && !has(wish->returned, "WWW-Authenticate"))
    auth_answer_add_all(&text, call, "WWW-Authenticate");
  *why = "its answer has more than 4 KiB of headers to return";
  if (text.overflown)
    goto out;
  answer = malloc(sizeof *answer + text.len + 1);
  *why = "no memory is left";
  if (answer == NULL)
    goto out;
  answer->refs = 1;
  answer->status = status;
  answer->debug = status / 100 == 2 && is_true(call, wish->debug);
  answer->size = sizeof *answer + text.len + 1;
  answer->headers = answer->identity + headers;
  memcpy(answer->identity, text.data, text.len + 1);

out:
  buf_fini(&text);
  return answer;
}

struct auth_answer *auth_answer_hold(struct auth_answer *answer) {
  answer->refs++;
  return answer;
}

void auth_answer_release(struct auth_answer *answer) {
  if (answer != NULL && --answer->refs == 0)
    free(answer);
}

/* The age that one directive (RFC 9111, section 5.2.2) allows.  A value that
 * is no number is stale, as there; a comma inside quotes makes more directives
 * of one, which shortens at most. */
static int64_t age_ms(const char *word, size_t len) {
  const char *equals = memchr(word, '=', len);
  size_t name = equals == NULL ? len : (size_t)(equals - word);
  int64_t seconds = 0;
  if (codec_same(word, name, "no-store") || codec_same(word, name, "no-cache"))
    return 0;
  if (!codec_same(word, name, "max-age") &&
      !codec_same(word, name, "s-maxage"))
    return INT64_MAX;
  if (equals == NULL || name + 1 == len)
    return 0;
  for (size_t i = name + 1; i < len; i++) {
    if (word[i] < '0' || word[i] > '9')
      return 0;
    if (seconds < INT64_C(1) << 40)
      seconds = seconds * 10 + (word[i] - '0');
  }
  return seconds * 1000;
}

int64_t auth_answer_time(const char *control, int64_t asked_ms) {
  int64_t time = asked_ms;
  while (control != NULL && *control != '\0') {
    const char *word = control + strspn(control, ", \t");
    size_t len = strcspn(word, ", \t");
    int64_t age = age_ms(word, len);
    if (age < time)
      time = age;
    control = word + len;
  }
  return time;
}
