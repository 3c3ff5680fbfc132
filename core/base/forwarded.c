/* SPDX-License-Identifier: MIT
 *
 * Forwarding headers.  A client may send any; only what a trusted proxy has
 * added is believed, and proxies add on the right.
 */
#include "forwarded.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "authority.h"
#include "codec.h"
#include "token.h"

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
  size_t len = strnlen(peer, CIDR_TEXT_SIZE - 1);
  memcpy(out, peer, len);
  out[len] = '\0';
  if (count == 0 || !cidr_address(&walk.client, peer, len) ||
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

/* ---- the URL that was asked for ----------------------------------------- */

/* Without outer blanks; false: it doesn't fit. */
static bool copy_trimmed(char *out, size_t size, const char *text,
                         size_t len) {
  while (len > 0 && is_blank(text[len - 1]))
    len--;
  for (; len > 0 && is_blank(*text); text++)
    len--;
  if (len >= size)
    return false;
  memcpy(out, text, len);
  out[len] = '\0';
  return true;
}

static void set_proto(struct forwarded *url, const char *text) {
  static const char *const known[] = {"http", "https"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcasecmp(text, known[i]) == 0)
      snprintf(url->proto, sizeof url->proto, "%s", known[i]);
}

static void forwarded_set_host(struct forwarded *url, const char *text) {
  if (authority_valid(text))
    snprintf(url->host, sizeof url->host, "%s", text);
}

/* A path without empty or dotted segments: links begin with it. */
static void set_prefix(struct forwarded *url, char *text) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789/"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ-._~!$&'()*+,;=:@";
  size_t len = strlen(text);
  if (len > 1 && text[len - 1] == '/')
    text[--len] = '\0';
  bool path = *text == '/' && text[strspn(text, letters)] == '\0' &&
              strstr(text, "//") == NULL && strstr(text, "/./") == NULL &&
              strstr(text, "/../") == NULL;
  const char *last = strrchr(text, '/');
  if (path && strcmp(last, "/.") != 0 && strcmp(last, "/..") != 0)
    snprintf(url->prefix, sizeof url->prefix, "%s", len == 1 ? "" : text);
}

static const struct head_field *last_field(const struct head *head,
                                           const char *name) {
  for (size_t i = head->count; i > 0; i--)
    if (strcasecmp(head->fields[i - 1].name, name) == 0)
      return &head->fields[i - 1];
  return NULL;
}

/* The last element of a list on one line or several; false: there is none. */
static bool last_element(char *out, size_t size, const struct head *head,
                         const char *name) {
  const struct head_field *field = last_field(head, name);
  if (field == NULL)
    return false;
  const char *comma = strrchr(field->value, ',');
  const char *from = comma == NULL ? field->value : comma + 1;
  return copy_trimmed(out, size, from, strlen(from));
}

static void read_x_forwarded(struct forwarded *url, const struct head *head) {
  char text[FORWARDED_HOST_MAX + 1];
  if (last_element(text, sizeof text, head, "X-Forwarded-Proto"))
    set_proto(url, text);
  if (last_element(text, sizeof text, head, "X-Forwarded-Host"))
    forwarded_set_host(url, text);
  if (last_element(text, sizeof text, head, "X-Forwarded-Prefix"))
    set_prefix(url, text);
}

/* ---- Forwarded (RFC 7239) ----------------------------------------------- */

/* Moves past a token or a quoted string, whose text is put into `out`; false:
 * it is neither, or doesn't fit. */
static bool forwarded_read_word(const char **at, char *out, size_t size) {
  bool quoted = **at == '"';
  size_t len = 0;
  for (*at += quoted; quoted ? **at != '"' : token_char((unsigned char)**at);
       ++*at) {
    if (quoted && **at == '\\')
      ++*at;
    if (**at == '\0' || len + 1 >= size)
      return false;
    out[len++] = **at;
  }
  *at += quoted;
  out[len] = '\0';
  return quoted || len > 0;
}

struct element {
  const char *text;
  size_t len;
};

/* The last of the elements of all lines, at most FORWARDED_HOPS_MAX. */
static size_t collect_elements(struct element *out, const struct head *head) {
  size_t count = 0;
  for (size_t i = 0; i < head->count; i++) {
    if (strcasecmp(head->fields[i].name, "Forwarded") != 0)
      continue;
    for (const char *at = head->fields[i].value;; at++) {
      const char *from = at;
      for (bool quoted = false; *at != '\0' && (quoted || *at != ','); at++) {
        quoted ^= *at == '"';
        if (quoted && *at == '\\' && at[1] != '\0')
          at++;
      }
      if (count == FORWARDED_HOPS_MAX)
        memmove(out, out + 1, --count * sizeof *out);
      out[count++] = (struct element){from, (size_t)(at - from)};
      if (*at == '\0')
        break;
    }
  }
  return count;
}

/* Reads one element into `url`; true: it came to its proxy from another one
 * that is trusted, whose element stands left of it. */
static bool read_element(struct forwarded *url, const struct walk *walk,
                         const struct element *element) {
  char text[2 * FORWARDED_HOST_MAX], name[16], value[FORWARDED_HOST_MAX + 1];
  struct forwarded said = *url;
  struct cidr_address address;
  bool trusted = false;
  if (!copy_trimmed(text, sizeof text, element->text, element->len))
    return false;
  for (const char *at = text; *at != '\0';) {
    if (!forwarded_read_word(&at, name, sizeof name) || *at++ != '=' ||
        !forwarded_read_word(&at, value, sizeof value))
      return false;
    if (strcasecmp(name, "proto") == 0)
      set_proto(&said, value);
    else if (strcasecmp(name, "host") == 0)
      forwarded_set_host(&said, value);
    else if (strcasecmp(name, "for") == 0)
      trusted = read_entry(&address, value, strlen(value)) &&
                is_trusted(walk, &address);
    at += strspn(at, " \t");
    if (*at == ';')
      at += 1 + strspn(at + 1, " \t");
    else if (*at != '\0')
      return false;
  }
  *url = said;
  return trusted;
}

static void read_forwarded(struct forwarded *url, const struct walk *walk,
                           const struct head *head) {
  struct element elements[FORWARDED_HOPS_MAX];
  size_t count = collect_elements(elements, head);
  while (count > 0 && read_element(url, walk, &elements[count - 1]))
    count--;
}

void forwarded_url(struct forwarded *url, const char *peer,
                   const struct cidr *trusted, size_t count,
                   const struct head *head) {
  struct walk walk = {.trusted = trusted, .count = count};
  *url = (struct forwarded){.proto = ""};
  if (count == 0 || !cidr_address(&walk.client, peer, strlen(peer)) ||
      !is_trusted(&walk, &walk.client))
    return;
  read_forwarded(url, &walk, head);
  read_x_forwarded(url, head);
}
