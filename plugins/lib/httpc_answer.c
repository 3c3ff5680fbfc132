/* SPDX-License-Identifier: MIT
 *
 * The head of an answer: interim heads (1xx) pass, the final one is kept,
 * trailers are ignored.  Everything that the other end can make long has a
 * limit here.
 */
#include "httpc_private.h"

#include <string.h>
#include <strings.h>

void httpc_answer_init(struct httpc_answer *answer) {
  *answer = (struct httpc_answer){.status = 0};
  buf_init(&answer->text, HTTPC_HEAD_MAX);
}

void httpc_answer_fini(struct httpc_answer *answer) {
  buf_fini(&answer->text);
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void httpc_answer_forget(struct httpc_answer *answer) {
  buf_clear(&answer->text);
  answer->count = 0;
}

/* Returns why not, or NULL. */
static const char *httpc_answer_keep(struct httpc_answer *answer,
                                     const char *line, size_t len) {
  const char *colon = memchr(line, ':', len);
  if (is_blank(line[0]) || colon == NULL || memchr(line, 0, len) != NULL)
    return "the answer's head has a line that is no header";
  if (answer->count == HTTPC_HEADERS_MAX)
    return "the answer has too many headers";
  const char *value = colon + 1, *end = line + len;
  while (value < end && is_blank(*value))
    value++;
  while (end > value && is_blank(end[-1]))
    end--;
  answer->fields[answer->count++] = (uint32_t)answer->text.len;
  buf_add(&answer->text, line, (size_t)(colon - line));
  buf_addc(&answer->text, 0);
  buf_add(&answer->text, value, (size_t)(end - value));
  buf_addc(&answer->text, 0);
  return answer->text.overflown ? "no memory for the answer's head" : NULL;
}

enum httpc_line_kind httpc_answer_line(struct httpc_answer *answer,
                                       const char *line, size_t len,
                                       int status, const char **why) {
  if (answer->status != 0)
    return HTTPC_LINE_MORE;
  /* Interim heads count too, or they could come for ever. */
  answer->size += len;
  *why =
      answer->size > HTTPC_HEAD_MAX ? "the answer's head is too long" : NULL;
  bool first = len >= 5 && memcmp(line, "HTTP/", 5) == 0;
  bool last = len == 0 || line[0] == '\r' || line[0] == '\n';
  if (first)
    httpc_answer_forget(answer);
  else if (!last && *why == NULL)
    *why = httpc_answer_keep(answer, line, len);
  if (*why != NULL)
    return HTTPC_LINE_REFUSED;
  if (!last || status < 200)
    return HTTPC_LINE_MORE;
  answer->status = status;
  return HTTPC_LINE_FINAL;
}

const char *httpc_answer_get(const struct httpc_answer *answer,
                             const char *name, size_t before) {
  if (answer->status == 0)
    return NULL;
  for (size_t i = 0; i < answer->count; i++) {
    const char *field = answer->text.data + answer->fields[i];
    if (strcasecmp(field, name) == 0 && before-- == 0)
      return field + strlen(field) + 1;
  }
  return NULL;
}

bool httpc_answer_each(const struct httpc_answer *answer, size_t index,
                       const char **name, const char **value) {
  if (answer->status == 0 || index >= answer->count)
    return false;
  *name = answer->text.data + answer->fields[index];
  *value = *name + strlen(*name) + 1;
  return true;
}
