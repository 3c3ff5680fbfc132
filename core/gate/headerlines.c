/* SPDX-License-Identifier: MIT
 *
 * The lines of headers that don't change while the gateway runs.
 */
#include "headerlines.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"

#define LINES_MAX (1u << 20) /* bytes; the settings allow far fewer */

static void add_line(struct buf *lines, const char *name, const char *value) {
  buf_addf(lines, "%s: %s\r\n", name, value);
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
