/* SPDX-License-Identifier: MIT
 *
 * Entity-tags.  Called for each request with a condition.
 */
#include "etags.h"

#include <stddef.h>
#include <string.h>

#define SPACE " \t"
#define DELETE 0x7f

struct tag {
  const char *text;
  size_t len;
  bool weak;
};

/* Moves past one tag, which has no spaces and no control characters. */
static bool etags_scan(const char **at, struct tag *tag) {
  tag->weak = strncmp(*at, "W/", 2) == 0;
  const char *open = *at + (tag->weak ? 2 : 0), *end = open + 1;
  if (*open != '"')
    return false;
  while ((unsigned char)*end > ' ' && *end != '"' && *end != DELETE)
    end++;
  if (*end != '"')
    return false;
  tag->text = open + 1;
  tag->len = (size_t)(end - tag->text);
  *at = end + 1;
  return true;
}

static bool is_same(const struct tag *tag, const char *etag, bool weak) {
  return etag != NULL && (weak || !tag->weak) && strlen(etag) == tag->len &&
         memcmp(etag, tag->text, tag->len) == 0;
}

/* Moves past the next tag of a list and what separates it; false at the end,
 * where *at is the list's, and at a fault. */
static bool etags_next(const char **at, struct tag *tag) {
  *at += strspn(*at, SPACE ",");
  if (**at == '\0' || !etags_scan(at, tag))
    return false;
  *at += strspn(*at, SPACE);
  return **at == '\0' || **at == ',';
}

bool etags_is_any(const char *list) {
  list += strspn(list, SPACE);
  return *list == '*' && list[1 + strspn(list + 1, SPACE)] == '\0';
}

bool etags_valid(const char *list) {
  struct tag tag;
  size_t count = 0;
  if (etags_is_any(list))
    return true;
  while (etags_next(&list, &tag))
    count++;
  return count > 0 && *list == '\0';
}

bool etags_has(const char *list, const char *etag, bool weak) {
  struct tag tag;
  if (etags_is_any(list))
    return true;
  while (etags_next(&list, &tag))
    if (is_same(&tag, etag, weak))
      return true;
  return false;
}

bool etags_is(const char *text, const char *etag) {
  struct tag tag;
  text += strspn(text, SPACE);
  return etags_scan(&text, &tag) && is_same(&tag, etag, false) &&
         text[strspn(text, SPACE)] == '\0';
}
