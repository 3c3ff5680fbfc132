/* SPDX-License-Identifier: MIT
 *
 * GET /console/: a page for people, which does all that it does by the public
 * endpoints; so it has no right that its reader hasn't, and hooks are not
 * asked about it.  The page itself names the mounts; its files are always the
 * same, and have a path with their version.
 */
#include "console.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "codec.h"
#include "endpoints.h"
#include "etags.h"
#include "must.h"
#include "reply.h"
#include "siphash.h"

#define PAGE_MAX 16384  /* bytes of the page, filled in */
#define POLICY_MAX 2048 /* bytes of its Content-Security-Policy */
#define ACCEPT_MAX 8192 /* bytes of Accept-Encoding on several lines */
#define ETAG_SIZE 64
#define FOREVER "public, max-age=31536000, immutable"

/* ---- conditions and encodings ------------------------------------------- */

static bool is_known(struct exchange *ex, const char *etag) {
  struct buf line;
  buf_init(&line, ACCEPT_MAX);
  const char *list = head_list(&ex->head, "If-None-Match", &line);
  bool known =
      list != NULL && etags_valid(list) && etags_has(list, etag, true);
  buf_fini(&line);
  return known;
}

/* Is this element, "gzip;q=0.5", one that takes gzip? */
static bool takes(const char *element, size_t len) {
  while (len > 0 && (*element == ' ' || *element == '\t'))
    element++, len--;
  size_t word = 0;
  while (word < len && strchr("; \t", element[word]) == NULL)
    word++;
  if (!codec_same(element, word, "gzip") && !codec_same(element, word, "*"))
    return false;
  /* q=0, q=0.0, ... is the one weight that says no. */
  for (; word < len; word++)
    if (element[word] == '=')
      return strspn(element + word + 1, "0.") < len - word - 1;
  return true;
}

static bool takes_gzip(struct exchange *ex) {
  struct buf line;
  buf_init(&line, ACCEPT_MAX);
  const char *at = head_list(&ex->head, "Accept-Encoding", &line);
  bool found = false;
  while (at != NULL && *at != '\0' && !found) {
    size_t len = strcspn(at, ",");
    found = takes(at, len);
    at += len + (at[len] == ',');
  }
  buf_fini(&line);
  return found;
}

/* Unless the operator says otherwise, as every answer then does. */
static void say_policy_of(struct exchange *ex, const char *name) {
  const struct pair *own = ex->gate->settings->server.headers;
  while (own->name != NULL && strcasecmp(own->name, name) != 0)
    own++;
  if (own->name == NULL)
    reply_header(ex, name, "same-origin");
}

static void console_say_etag(struct exchange *ex, const char *etag) {
  char quoted[ETAG_SIZE + 2];
  snprintf(quoted, sizeof quoted, "\"%s\"", etag);
  reply_header(ex, "ETag", quoted);
  say_policy_of(ex, "Cross-Origin-Resource-Policy");
}

/* ---- the files ---------------------------------------------------------- */

void console_asset_start(struct exchange *ex) {
  const char *name = strrchr(ex->head.path, '/') + 1;
  const struct console_file *file = console_files;
  while (file->name != NULL && strcmp(file->name, name) != 0)
    file++;
  if (file->name == NULL) {
    reply_error(ex, 404, "not_found", "The console has no such file");
    return;
  }
  bool packed = takes_gzip(ex);
  const struct console_bytes *bytes = packed ? &file->packed : &file->plain;
  char etag[ETAG_SIZE];
  snprintf(etag, sizeof etag, "%s%s", console_version, packed ? "-gz" : "");
  console_say_etag(ex, etag);
  reply_header(ex, "Cache-Control", FOREVER);
  reply_header(ex, "Vary", "Accept-Encoding");
  if (is_known(ex, etag)) {
    reply_empty(ex, 304);
    return;
  }
  struct evbuffer *body = evbuffer_new();
  must_have(body);
  evbuffer_add_reference(body, bytes->data, bytes->length, NULL, NULL);
  reply_header(ex, "Content-Type", file->type);
  if (packed)
    reply_header(ex, "Content-Encoding", "gzip");
  reply_body(ex, 200, body);
  evbuffer_free(body);
}

/* ---- the page ----------------------------------------------------------- */

static void add_text(struct buf *page, const char *text) {
  for (; *text != '\0'; text++)
    if (strchr("&<>\"'", *text) != NULL)
      buf_addf(page, "&#%d;", *text);
    else
      buf_add(page, text, 1);
}

/* Mounts are URL paths, so that no space is in one. */
static void add_mounts(struct buf *page, const struct settings *settings) {
  const char *space = "";
  for (size_t i = 0; i < settings->route_count; i++) {
    const char *mount = settings->routes[i].mount;
    if (mount == NULL)
      continue;
    buf_adds(page, space);
    add_text(page, *mount == '\0' ? "/" : mount);
    space = " ";
  }
}

static void add_version(struct buf *page, const struct settings *settings) {
  (void)settings;
  buf_adds(page, console_version);
}

static void add_issuer(struct buf *page, const struct settings *settings) {
  add_text(page, settings->server.console_issuer);
}

static void add_client(struct buf *page, const struct settings *settings) {
  add_text(page, settings->server.console_client);
}

static void add_scope(struct buf *page, const struct settings *settings) {
  add_text(page, settings->server.console_scope);
}

/* They stand for themselves in index.html. */
static const struct {
  const char *word;
  void (*add)(struct buf *, const struct settings *);
} words[] = {{"@VERSION@", add_version},
             {"@MOUNTS@", add_mounts},
             {"@ISSUER@", add_issuer},
             {"@CLIENT@", add_client},
             {"@SCOPE@", add_scope}};

static void fill(struct buf *page, const struct settings *settings) {
  const struct console_file *file = console_files;
  while (strcmp(file->name, "index.html") != 0)
    file++;
  const char *at = (const char *)file->plain.data;
  const char *end = at + file->plain.length;
  while (at < end) {
    size_t i = 0, count = sizeof words / sizeof *words;
    while (i < count &&
           ((size_t)(end - at) < strlen(words[i].word) ||
            memcmp(at, words[i].word, strlen(words[i].word)) != 0))
      i++;
    if (i < count) {
      words[i].add(page, settings);
      at += strlen(words[i].word);
    } else {
      buf_add(page, at++, 1);
    }
  }
}

/* Nothing but the console's own files runs or is shown; what it previews are
 * the gateway's links and its own blobs.  The issuer is asked for tokens. */
static void say_policy(struct exchange *ex) {
  const char *issuer = ex->gate->settings->server.console_issuer;
  const char *host = strstr(issuer, "://");
  size_t origin =
      host == NULL ? 0 : (size_t)(host + 3 - issuer) + strcspn(host + 3, "/");
  struct buf policy;
  buf_init(&policy, POLICY_MAX);
  buf_addf(&policy,
           "default-src 'none'; script-src 'self'; style-src 'self'; "
           "img-src 'self' blob:; media-src 'self' blob:; "
           "frame-src 'self' blob:; connect-src 'self'%s%.*s; "
           "manifest-src 'self'; base-uri 'none'; form-action 'none'; "
           "frame-ancestors 'none'; "
           "require-trusted-types-for 'script'; trusted-types 'none'",
           origin > 0 ? " " : "", (int)origin, issuer);
  must(!policy.overflown); /* the settings bound the issuer */
  reply_header(ex, "Content-Security-Policy", policy.data);
  buf_fini(&policy);
  say_policy_of(ex, "Cross-Origin-Opener-Policy");
}

static void console_start(struct exchange *ex) {
  struct buf page;
  static const unsigned char open_key[SIPHASH_KEY_LEN];
  char etag[ETAG_SIZE];
  buf_init(&page, PAGE_MAX);
  fill(&page, ex->gate->settings);
  if (page.overflown) {
    buf_fini(&page);
    reply_error(ex, 500, "internal",
                "The mounts are more than the console's page can name");
    return;
  }
  snprintf(etag, sizeof etag, "%s-%016llx", console_version,
           (unsigned long long)siphash(open_key, page.data, page.len));
  console_say_etag(ex, etag);
  reply_header(ex, "Cache-Control", "no-cache");
  say_policy(ex);
  if (is_known(ex, etag)) {
    buf_fini(&page);
    reply_empty(ex, 304);
    return;
  }
  struct evbuffer *body = evbuffer_new();
  must_have(body);
  evbuffer_add(body, page.data, page.len);
  buf_fini(&page);
  reply_header(ex, "Content-Type", "text/html; charset=utf-8");
  reply_body(ex, 200, body);
  evbuffer_free(body);
}

/* "/console" isn't the page's own address, as its links begin at the folder;
 * this one stays right behind a proxy that adds a path in front. */
static void bare_start(struct exchange *ex) {
  reply_header(ex, "Location", "console/");
  reply_header(ex, "Cache-Control", "no-cache");
  reply_length(ex, 0);
  reply_empty(ex, 308);
}

const struct endpoint console_endpoint = {.operation = OPERATION_NONE,
                                          .method = "GET",
                                          .tail = "/console/",
                                          .cost = CONSOLE_COST,
                                          .console = true,
                                          .start = console_start};

const struct endpoint console_bare_endpoint = {.operation = OPERATION_NONE,
                                               .method = "GET",
                                               .tail = "/console",
                                               .console = true,
                                               .start = bare_start};
