/* SPDX-License-Identifier: MIT
 *
 * Finds the boundary in a form's Content-Type.  Called once a form.  A value
 * that two readers would end at different places is refused: without quotes
 * it has no comma, and nowhere a quote or a backslash.
 */
#include "boundary.h"

#include <string.h>

#include "codec.h"

#define SPACE " \t"
#define CLOSE "The boundary's closing quote is missing from the Content-Type"

const char *boundary_fault(const char *boundary) {
  size_t len = strnlen(boundary, BOUNDARY_MAX + 1);
  if (len == 0)
    return "The Content-Type's boundary is empty: it has 1 to 70 characters";
  if (len > BOUNDARY_MAX)
    return "The Content-Type's boundary is longer than 70 characters";
  for (size_t i = 0; i < len; i++)
    if (boundary[i] < ' ' || boundary[i] > '~' || boundary[i] == '"' ||
        boundary[i] == '\\')
      return "The Content-Type's boundary holds a quote, a backslash or what "
             "isn't printable ASCII: choose other letters";
  if (boundary[len - 1] == ' ')
    return "The Content-Type's boundary ends in a space";
  return NULL;
}

/* The end of the parameter that begins here: a semicolon outside of
 * quotes, or at the end. */
static const char *parameter_end(const char *at) {
  bool quoted = false;
  for (; *at != '\0' && (quoted || *at != ';'); at++) {
    if (*at == '"')
      quoted = !quoted;
    if (quoted && *at == '\\' && at[1] != '\0')
      at++;
  }
  return at;
}

/* text[0..len) is what stands behind the equals sign. */
static const char *copy_value(char out[BOUNDARY_MAX + 1], const char *text,
                              size_t len) {
  bool quoted = len > 0 && *text == '"';
  while (len > 0 && strchr(SPACE, text[len - 1]) != NULL)
    len--;
  if (quoted) {
    if (len < 2 || text[len - 1] != '"')
      return CLOSE;
    text++;
    len -= 2;
  } else if (memchr(text, ',', len) || memchr(text, ' ', len)) {
    return "Put quotes around the Content-Type's boundary: it holds a comma "
           "or a space";
  }
  if (len > BOUNDARY_MAX)
    len = BOUNDARY_MAX + 1; /* too long, which boundary_fault() says */
  char copy[BOUNDARY_MAX + 2];
  memcpy(copy, text, len);
  copy[len] = '\0';
  const char *fault = boundary_fault(copy);
  if (fault == NULL)
    memcpy(out, copy, len + 1);
  return fault;
}

const char *boundary_read(char out[BOUNDARY_MAX + 1], const char *type) {
  static const char name[] = "boundary";
  bool found = false;
  for (const char *at = parameter_end(type); *at == ';';) {
    at += 1 + strspn(at + 1, SPACE);
    const char *end = parameter_end(at);
    size_t len = strcspn(at, "=;");
    if (at[len] == '=' && codec_same(at, len, name)) {
      const char *value = at + len + 1;
      if (found)
        return "The Content-Type names two boundaries";
      found = true;
      const char *fault = copy_value(out, value, (size_t)(end - value));
      if (fault != NULL)
        return fault;
    }
    at = end;
  }
  return found ? NULL
               : "The Content-Type names no boundary: leave the header to "
                 "your HTTP library, which knows it";
}
