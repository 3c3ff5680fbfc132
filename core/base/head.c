/* SPDX-License-Identifier: MIT
 *
 * Parses a request's head where it lies, in one pass: strings are ended by
 * NULs put over the separators.  Called by the ingress for each request,
 * before anything else sees a byte of it.
 */
#include "head.h"

#include "authority.h"
#include "must.h"
#include "token.h"
#include "wipe.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One run over one head.  As its text ends in CRLF, no reader that stops at
 * control characters runs over the end. */
struct parse {
  struct head *head;
  char *at; /* what is read next */
  struct head_refusal *why;
  unsigned seen; /* of `known`, a bit each */
  bool close;    /* asked for by Connection, which no keep-alive undoes */
};

static bool head_refuse(struct parse *p, int status, const char *what) {
  *p->why = (struct head_refusal){status, what};
  return false;
}

static bool head_blank(char c) {
  return c == ' ' || c == '\t';
}

static bool decimal(char c) {
  return c >= '0' && c <= '9';
}

/* ---- the request line --------------------------------------------------- */

static bool head_read_method(struct parse *p) {
  char *end = p->at;
  while (token_char((unsigned char)*end))
    end++;
  if (end == p->at || *end != ' ')
    return head_refuse(
        p, 400,
        "The request line must be a method, a target and a version "
        "with one space between them");
  if (end - p->at > HEAD_METHOD_MAX)
    return head_refuse(p, 501, "No method has a name of more than 16 letters");
  *end = '\0';
  p->head->method = p->at;
  p->at = end + 1;
  return true;
}

static bool head_set_host(struct parse *p, const char *host) {
  p->head->host = host;
  return authority_valid(host) ||
         head_refuse(p, 400,
                     "The host must be a name or an address, with a port "
                     "or not");
}

/* Cuts host[/path].  The host moves over the slashes before it: that makes
 * room for its NUL, and for a path when there is none. */
static bool cut_absolute(struct parse *p, char *host) {
  size_t len = strcspn(host, "/");
  char *path = host + len;
  memmove(host - 2, host, len);
  path[-2] = '\0';
  if (*path != '/')
    *--path = '/';
  p->head->path = path;
  return head_set_host(p, host - 2);
}

static bool set_target(struct parse *p, char *target) {
  p->head->path = target;
  if (*target == '/')
    return true;
  if (!strcmp(target, "*") && !strcmp(p->head->method, "OPTIONS"))
    return true;
  if (!strncasecmp(target, "http://", 7))
    return cut_absolute(p, target + 7);
  if (!strncasecmp(target, "https://", 8))
    return cut_absolute(p, target + 8);
  return head_refuse(p, 400,
                     "The target must begin with a slash, or be a URL");
}

static bool read_target(struct parse *p) {
  char *target = p->at, *end = target, *query = NULL;
  for (; *end > ' ' && *end < 0x7f && *end != '#'; end++)
    if (*end == '?' && !query)
      query = end;
  if (end == target || *end != ' ')
    return head_refuse(
        p, 400,
        "The target must be printable ASCII without # or spaces "
        "(percent-encode them), then one space and HTTP/1.1");
  if (end - target > HEAD_TARGET_MAX)
    return head_refuse(p, 414, "The target is longer than 16 KiB");
  *end = '\0';
  p->at = end + 1;
  if (query) {
    *query = '\0';
    p->head->query = query + 1;
  }
  return set_target(p, target);
}

static bool read_version(struct parse *p) {
  const char *at = p->at;
  if (strncmp(at, "HTTP/", 5) || !decimal(at[5]) || at[6] != '.' ||
      !decimal(at[7]) || at[8] != '\r' || at[9] != '\n')
    return head_refuse(p, 400,
                       "The request line must end in HTTP/1.1 and CRLF");
  if (at[5] != '1' || at[7] > '1')
    return head_refuse(p, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here");
  p->head->minor = at[7] - '0';
  p->at += 10;
  return true;
}

/* ---- fields with a meaning here ----------------------------------------- */

/* Takes the first element off a list; *at is NULL after the last one. */
static const char *next_element(const char **at, size_t *len) {
  const char *start = *at + strspn(*at, " \t");
  const char *end = start + strcspn(start, ",");
  *at = *end ? end + 1 : NULL;
  while (end > start && head_blank(end[-1]))
    end--;
  *len = (size_t)(end - start);
  return start;
}

static bool is(const char *text, size_t len, const char *word) {
  return strlen(word) == len && !strncasecmp(text, word, len);
}

static bool set_length(struct parse *p, const char *value) {
  size_t digits = strspn(value, "0123456789");
  if (!digits || value[digits])
    return head_refuse(p, 400, "Content-Length must be one decimal number");
  if (digits > 18)
    return head_refuse(p, 413, "Content-Length is too large");
  p->head->length = strtoll(value, NULL, 10);
  return true;
}

static bool set_coding(struct parse *p, const char *value) {
  bool unknown = false;
  for (const char *at = value; at;) {
    size_t len, i = 0;
    const char *coding = next_element(&at, &len);
    while (i < len && token_char((unsigned char)coding[i]))
      i++;
    bool chunked = is(coding, len, "chunked");
    if (!len || i < len || (chunked && p->head->chunked))
      return head_refuse(p, 400, "Transfer-Encoding must be chunked, once");
    p->head->chunked = p->head->chunked || chunked;
    unknown = unknown || !chunked;
  }
  return !unknown || head_refuse(p, 501,
                                 "The only transfer coding that is known "
                                 "here is chunked");
}

static bool set_connection(struct parse *p, const char *value) {
  for (const char *at = value; at;) {
    size_t len;
    const char *option = next_element(&at, &len);
    if (is(option, len, "close"))
      p->close = true;
    if (is(option, len, "keep-alive"))
      p->head->keep_alive = true;
  }
  return true;
}

static bool set_expect(struct parse *p, const char *value) {
  if (p->head->minor == 0) /* RFC 9110, section 10.1.1 */
    return true;
  if (strcasecmp(value, "100-continue"))
    return head_refuse(p, 417, "Nothing can be expected but 100-continue");
  p->head->expect_continue = true;
  return true;
}

/* An absolute target's host goes before (RFC 9112, section 3.2.2). */
static bool set_host_field(struct parse *p, const char *value) {
  const char *of_target = p->head->host;
  bool ok = head_set_host(p, value);
  if (of_target)
    p->head->host = of_target;
  return ok;
}

#define NAME(s) s, sizeof s - 1

enum { HOST, CONTENT_LENGTH, TRANSFER_ENCODING };

static const struct known {
  const char *name;
  size_t len;
  bool list; /* may be there more than once */
  bool (*set)(struct parse *, const char *value);
} known[] = {
    [HOST] = {NAME("Host"), false, set_host_field},
    [CONTENT_LENGTH] = {NAME("Content-Length"), false, set_length},
    [TRANSFER_ENCODING] = {NAME("Transfer-Encoding"), false, set_coding},
    {NAME("Connection"), true, set_connection},
    {NAME("Expect"), false, set_expect},
    {NAME("Content-Type"), false, NULL},
    {NAME("Authorization"), false, NULL},
    {NAME("Range"), false, NULL},
    {NAME("X-User-Id"), false, NULL},
    {NAME("X-Api-Key"), false, NULL}, /* as auth_token's page names it */
    {NAME("X-Request-Id"), false, NULL},
};

static bool saw(const struct parse *p, unsigned which) {
  return p->seen >> which & 1;
}

static bool heed(struct parse *p, const struct head_field *field, size_t len) {
  for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
    const struct known *k = &known[i];
    if (k->len != len || strcasecmp(k->name, field->name))
      continue;
    if (saw(p, i) && !k->list)
      return head_refuse(p, 400,
                         "A header that may be there once is there twice");
    p->seen |= 1u << i;
    return !k->set || k->set(p, field->value);
  }
  return true;
}

/* ---- all fields --------------------------------------------------------- */

static bool head_read_name(struct parse *p, struct head_field *field,
                           size_t *len) {
  char *end = p->at;
  if (head_blank(*end))
    return head_refuse(p, 400,
                       "A header must not begin with a space, nor be "
                       "folded: put it on one line");
  while (token_char((unsigned char)*end))
    end++;
  if (end == p->at || *end != ':')
    return head_refuse(p, 400,
                       "A header must be a name, a colon right after it, "
                       "and a value");
  *end = '\0';
  *len = (size_t)(end - p->at);
  field->name = p->at;
  p->at = end + 1;
  return true;
}

static bool read_value(struct parse *p, struct head_field *field) {
  char *start = p->at;
  while (head_blank(*start))
    start++;
  char *end = start;
  while ((unsigned char)*end >= ' ' || *end == '\t') {
    if (*end == 0x7f)
      break;
    end++;
  }
  if (end[0] != '\r' || end[1] != '\n')
    return head_refuse(p, 400,
                       "A header's value holds a control character, or "
                       "doesn't end in CRLF");
  p->at = end + 2;
  while (end > start && head_blank(end[-1]))
    end--;
  *end = '\0';
  field->value = start;
  return true;
}

static bool read_fields(struct parse *p) {
  struct head *h = p->head;
  while (p->at[0] != '\r' || p->at[1] != '\n') {
    size_t len;
    if (h->count == HEAD_FIELDS_MAX)
      return head_refuse(p, 431, "There are more than 100 headers");
    struct head_field *field = &h->fields[h->count];
    if (!head_read_name(p, field, &len) || !read_value(p, field))
      return false;
    h->count++;
    if (!heed(p, field, len))
      return false;
  }
  p->at += 2;
  return true;
}

static bool check_framing(struct parse *p) {
  if (saw(p, CONTENT_LENGTH) && saw(p, TRANSFER_ENCODING))
    return head_refuse(p, 400,
                       "Content-Length and Transfer-Encoding exclude each "
                       "other");
  if (saw(p, TRANSFER_ENCODING) && p->head->minor == 0)
    return head_refuse(p, 400, "HTTP/1.0 has no Transfer-Encoding");
  if (!saw(p, HOST) && p->head->minor == 1)
    return head_refuse(p, 400, "The Host header is missing");
  return true;
}

static bool parse(struct parse *p) {
  if (!head_read_method(p) || !read_target(p) || !read_version(p))
    return false;
  p->head->keep_alive = p->head->minor == 1;
  if (!read_fields(p) || !check_framing(p))
    return false;
  if (p->close)
    p->head->keep_alive = false;
  return true;
}

bool head_parse(struct head *h, char *text, size_t len,
                struct head_refusal *why) {
  must(len >= 4 && !memcmp(text + len - 4, "\r\n\r\n", 4));
  text[len] = '\0';
  *h = (struct head){.text = text, .length = -1};
  struct parse p = {.head = h, .at = text, .why = why};
  if (parse(&p) &&
      (p.at == text + len ||
       head_refuse(&p, 400, "The head ends before its last line")))
    return true;
  head_fini(h);
  return false;
}

void head_fini(struct head *h) {
  wipe_free(h->text); /* it may hold credentials */
  *h = (struct head){.length = -1};
}

const char *head_get(const struct head *h, const char *name) {
  for (size_t i = 0; i < h->count; i++)
    if (!strcasecmp(h->fields[i].name, name))
      return h->fields[i].value;
  return NULL;
}

const char *head_list(const struct head *h, const char *name,
                      struct buf *joined) {
  const char *only = NULL;
  size_t lines = 0;
  buf_clear(joined);
  for (size_t i = 0; i < h->count; i++) {
    const struct head_field *field = &h->fields[i];
    if (strcasecmp(field->name, name) != 0)
      continue;
    if (++lines == 2)
      buf_adds(joined, only);
    if (lines > 1)
      buf_addf(joined, ", %s", field->value);
    only = field->value;
  }
  return lines > 1 ? joined->data : only;
}

size_t head_end(const char *data, size_t len, size_t *from) {
  const char *at = memmem(data + *from, len - *from, "\r\n\r\n", 4);
  if (at)
    return (size_t)(at - data) + 4;
  /* An end that is cut begins in the last three bytes. */
  if (len > *from + 3)
    *from = len - 3;
  return 0;
}
