/* SPDX-License-Identifier: MIT
 *
 * Variables in configuration texts.  Called for every scalar of a file, so
 * the result is bounded, whatever the environment holds.
 */
#include "expand.h"
#include <stdlib.h>
#include <string.h>

#define NAME_LENGTH_MAX 256

struct expand {
  char *out;
  size_t len, max;
  bool literal;
  struct errmsg *err;
};

static bool put(struct expand *e, const char *data, size_t len) {
  if (len > e->max - e->len)
    return errmsg_set(e->err,
                      "text is longer than %zu bytes with its variables "
                      "replaced; shorten it",
                      e->max);
  memcpy(e->out + e->len, data, len);
  e->len += len;
  return true;
}

static bool is_name(char c, bool first) {
  if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_')
    return true;
  return !first && c >= '0' && c <= '9';
}

static bool put_variable(struct expand *e, const char *name,
                         const char *fallback, size_t fallback_len) {
  const char *value = getenv(name);
  e->literal = false;
  if (fallback != NULL && (value == NULL || *value == '\0'))
    return put(e, fallback, fallback_len);
  if (value == NULL)
    return errmsg_set(e->err,
                      "${%s} is not set; set it in the environment, or write "
                      "${%s:-default}",
                      name, name);
  return put(e, value, strlen(value));
}

/* `in` is what stands between the braces. */
static bool put_braced(struct expand *e, const char *in, size_t len) {
  char name[NAME_LENGTH_MAX + 1];
  size_t n = 0;
  while (n < len && n < NAME_LENGTH_MAX && is_name(in[n], n == 0))
    n++;
  if (n == 0)
    return errmsg_set(e->err, "'${' without a name after it; write ${NAME}, "
                              "or $${ for the text ${");
  memcpy(name, in, n);
  name[n] = '\0';
  if (n == len)
    return put_variable(e, name, NULL, 0);
  if (len - n < 2 || memcmp(in + n, ":-", 2) != 0)
    return errmsg_set(e->err,
                      "'${%s' goes on strangely; write ${NAME} or "
                      "${NAME:-default}",
                      name);
  in += n + 2;
  len -= n + 2;
  if (memmem(in, len, "${", 2) != NULL)
    return errmsg_set(e->err,
                      "the default of ${%s} holds another ${; write a plain "
                      "text",
                      name);
  return put_variable(e, name, in, len);
}

/* `in` begins with a $; *used is how much was consumed. */
static bool put_dollar(struct expand *e, const char *in, size_t len,
                       size_t *used) {
  *used = 3;
  if (len >= 3 && memcmp(in, "$${", 3) == 0)
    return put(e, "${", 2);
  *used = 1;
  if (len < 2 || in[1] != '{')
    return put(e, "$", 1);
  const char *end = memchr(in, '}', len);
  if (end == NULL)
    return errmsg_set(e->err, "'${' without '}'; close it, or write $${ for "
                              "the text ${");
  *used = (size_t)(end - in) + 1;
  return put_braced(e, in + 2, *used - 3);
}

bool expand_text(char *out, size_t max, const char *in, size_t len,
                 bool *literal, struct errmsg *err) {
  struct expand e = {.out = out, .max = max, .literal = true, .err = err};
  while (len > 0) {
    const char *dollar = memchr(in, '$', len);
    size_t plain = dollar == NULL ? len : (size_t)(dollar - in);
    size_t used = 0;
    if (!put(&e, in, plain))
      return false;
    if (dollar != NULL && !put_dollar(&e, dollar, len - plain, &used))
      return false;
    in += plain + used;
    len -= plain + used;
  }
  out[e.len] = '\0';
  *literal = e.literal;
  return true;
}
