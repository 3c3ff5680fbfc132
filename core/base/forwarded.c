/* SPDX-License-Identifier: MIT
 *
 * X-Forwarded-For.  A client may send any; only what a trusted proxy has added
 * is believed, and proxies add on the right.
 */
#include "forwarded.h"

#include <stdio.h>
#include <string.h>

#include "codec.h"

struct walk {
  const struct cidr *trusted;
  size_t count, hops;
  struct cidr_address client; /* the last good one */
  bool over;
};

static bool is_trusted(const struct walk *walk,
                       const struct cidr_address *address) {
  for (size_t i = 0; i < walk->count; i++)
    if (cidr_holds(&walk->trusted[i], address))
      return true;
  return false;
}

static bool is_port(const char *text, size_t len) {
  for (size_t i = 1; i < len; i++)
    if (text[i] < '0' || text[i] > '9')
      return false;
  return len >= 2 && len <= 6 && text[0] == ':';
}

/* An address, with brackets and a port as some proxies write them. */
static bool read_entry(struct cidr_address *out, const char *text,
                       size_t len) {
  const char *close = len == 0 ? NULL : memchr(text, ']', len);
  if (close != NULL && text[0] == '[') {
    size_t rest = len - (size_t)(close + 1 - text);
    return memchr(text, ':', (size_t)(close - text)) != NULL &&
           cidr_address(out, text + 1, (size_t)(close - text - 1)) &&
           !out->is_unix && (rest == 0 || is_port(close + 1, rest));
  }
  if (cidr_address(out, text, len))
    return !out->is_unix;
  const char *colon = len == 0 ? NULL : memchr(text, ':', len);
  if (colon == NULL || !is_port(colon, len - (size_t)(colon - text)))
    return false;
  return cidr_address(out, text, (size_t)(colon - text)) && cidr_is_v4(out);
}

static bool is_blank(char letter) {
  return letter == ' ' || letter == '\t';
}

static void see_entry(struct walk *walk, const char *text, size_t len) {
  struct cidr_address address;
  while (len > 0 && is_blank(text[len - 1]))
    len--;
  while (len > 0 && is_blank(*text)) {
    text++;
    len--;
  }
  if (len == 0) /* RFC 9110, section 5.6.1.2: empty elements mean nothing */
    return;
  walk->over =
      ++walk->hops > FORWARDED_HOPS_MAX || !read_entry(&address, text, len);
  if (walk->over)
    return;
  walk->client = address;
  walk->over = !is_trusted(walk, &address);
}

static void see_line(struct walk *walk, const char *value) {
  size_t end = strlen(value);
  while (!walk->over) {
    size_t from = end;
    while (from > 0 && value[from - 1] != ',')
      from--;
    see_entry(walk, value + from, end - from);
    if (from == 0)
      return;
    end = from - 1;
  }
}

void forwarded_client(char out[CIDR_TEXT_SIZE], const char *peer,
                      const struct cidr *trusted, size_t count,
                      const struct head *head) {
  static const char name[] = "X-Forwarded-For";
  struct walk walk = {.trusted = trusted, .count = count};
  snprintf(out, CIDR_TEXT_SIZE, "%s", peer);
  if (count == 0 || !cidr_address(&walk.client, peer, strlen(peer)) ||
      !is_trusted(&walk, &walk.client))
    return;
  for (size_t i = head->count; i > 0 && !walk.over; i--) {
    const struct head_field *field = &head->fields[i - 1];
    if (codec_same(field->name, strlen(field->name), name))
      see_line(&walk, field->value);
  }
  if (walk.hops > 0)
    cidr_print(out, &walk.client);
}
