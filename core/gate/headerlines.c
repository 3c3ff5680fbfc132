/* SPDX-License-Identifier: MIT
 *
 * The lines of headers that don't change while the gateway runs.
 */
#include "headerlines.h"

#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "buf.h"
#include "codec.h"
#include "must.h"

#define LINES_MAX (1u << 20) /* bytes; the settings allow far fewer */

static void add_line(struct buf *lines, const char *name, const char *value) {
  buf_addf(lines, "\r\n%s: %s", name, value);
}

/* Unless the operator says otherwise. */
static void add_policy(struct buf *lines, const struct pair *own,
                       const char *name, const char *value) {
  for (; own->name != NULL; own++)
    if (strcasecmp(own->name, name) == 0)
      return;
  add_line(lines, name, value);
}

static char *take_lines(struct buf *lines) {
  char *text = lines->overflown ? NULL : buf_take(lines);
  buf_fini(lines);
  return text;
}

bool headerlines_init(struct headerlines *lines,
                      const struct settings *settings) {
  const struct pair *own = settings->server.headers;
  struct buf every, by_link, json;
  buf_init(&every, LINES_MAX);
  buf_init(&by_link, LINES_MAX);
  buf_init(&json, LINES_MAX);
  add_line(&every, "X-Content-Type-Options", "nosniff");
  add_policy(&every, own, "Referrer-Policy", "no-referrer");
  add_line(&by_link, "X-Content-Type-Options", "nosniff");
  add_line(&by_link, "Referrer-Policy", "no-referrer");
  for (const struct pair *at = own; at->name != NULL; at++) {
    add_line(&every, at->name, at->value);
    if (strcasecmp(at->name, "Referrer-Policy") != 0)
      add_line(&by_link, at->name, at->value);
  }
  add_line(&json, "Cache-Control", "no-store");
  add_policy(&json, own, "Cross-Origin-Resource-Policy", "same-origin");
  lines->every = take_lines(&every);
  lines->by_link = take_lines(&by_link);
  lines->json = take_lines(&json);
  return lines->every != NULL && lines->by_link != NULL && lines->json != NULL;
}

void headerlines_fini(struct headerlines *lines) {
  free(lines->every);
  free(lines->by_link);
  free(lines->json);
}

/* evhttp frees all three with free(). */
void headerlines_add(struct evkeyvalq *headers, const char *name,
                     const char *value, const char *lines) {
  size_t len = strlen(value), more = strlen(lines);
  struct evkeyval *header = malloc(sizeof *header);
  char *text = malloc(len + more + 1);
  must(header != NULL && text != NULL); /* charged with the request */
  memcpy(text, value, len);
  memcpy(text + len, lines, more + 1);
  header->key = strdup(name);
  must(header->key != NULL);
  header->value = text;
  TAILQ_INSERT_TAIL(headers, header, next);
}

bool headerlines_has(const struct evkeyval *header, const char *name) {
  const char *at = header->value;
  if (codec_same(header->key, strlen(header->key), name))
    return true;
  while ((at = strstr(at, "\r\n")) != NULL) {
    at += 2;
    if (codec_same(at, strcspn(at, ":"), name))
      return true;
  }
  return false;
}
