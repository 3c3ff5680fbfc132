/* SPDX-License-Identifier: MIT
 *
 * The settings of answers: the types of files, the hosts in
 * links, headers of the operator's own, and the secret that cursors are sealed
 * with.
 */
#include <string.h>
#include <strings.h>

#include "authority.h"
#include "codec.h"
#include "filetype.h"
#include "mime.h"
#include "options.h"
#include "settings_parts.h"
#include "settings_tables.h"
#include "token.h"

#define PAIRS_MAX 256
#define VALUE_MAX 1024 /* bytes of a header's value */
#define SECRET_MIN 16  /* bytes */

static const struct sluice_option downloads_table[] = {
    {"cache_control", SLUICE_STRING, "private, max-age=3600",
     offsetof(struct settings_downloads, cache_control),
     "Cache-Control of objects that have none of their own"},
    {0}};

static const struct sluice_option links_table[] = {
    {"secret", SLUICE_SECRET, "", offsetof(struct settings_links, secret),
     "what gateways of one storage seal cursors with"},
    {0}};

/* ---- maps --------------------------------------------------------------- */

/* Reads a mapping of texts; `fault` says what is wrong with one of them. */
static bool read_pairs(struct settings *s, const struct config_node *node,
                       const char *key,
                       const char *(*fault)(const char *, const char *),
                       const struct pair **out, struct errmsg *err) {
  bool empty = node == NULL || node->null;
  size_t count = empty ? 0 : node->count;
  if (!empty && node->kind != CONFIG_MAPPING)
    return config_fault(s->config, node->line, err,
                        "'%s' is not a mapping; write lines of key: value",
                        key);
  if (count > PAIRS_MAX)
    return config_fault(s->config, node->items[PAIRS_MAX].line, err,
                        "'%s': more than %d; drop some", key, PAIRS_MAX);
  struct pair *pairs = config_alloc(s->config, (count + 1) * sizeof *pairs);
  if (pairs == NULL)
    return settings_no_memory(s, err);
  for (size_t i = 0; i < count; i++) {
    const struct config_node *value = &node->items[i];
    const char *name = node->keys[i].text;
    const char *why = value->kind != CONFIG_SCALAR || value->null
                          ? "it has no text; write one"
                          : fault(name, value->text);
    if (why != NULL)
      return config_fault(s->config, value->line, err, "'%s': '%.64s': %s",
                          key, name, why);
    pairs[i] = (struct pair){name, value->text};
  }
  *out = pairs;
  return true;
}

static const char *type_fault(const char *extension, const char *type) {
  size_t len = strlen(extension);
  if (len == 0 || len > FILETYPE_EXTENSION_MAX ||
      strpbrk(extension, "./ ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL)
    return "it is no extension; write 1 to 15 letters in lower case, without "
           "the dot";
  if (!mime_valid(type) || strchr(type, '\t') != NULL)
    return "its type isn't one; write type/subtype, as in text/csv";
  return NULL;
}

/* The gateway says these itself, or a storage or a hook by it. */
static bool is_own_header(const char *name) {
  static const char cors[] = "Access-Control-", content[] = "Content-";
  static const char *const own[] = {"Accept-Ranges",
                                    "Age",
                                    "Allow",
                                    "Cache-Control",
                                    "Connection",
                                    "Date",
                                    "ETag",
                                    "Expires",
                                    "Keep-Alive",
                                    "Last-Modified",
                                    "Location",
                                    "Proxy-Authenticate",
                                    "Retry-After",
                                    "Set-Cookie",
                                    "Trailer",
                                    "Transfer-Encoding",
                                    "Upgrade",
                                    "Vary",
                                    "WWW-Authenticate",
                                    "X-Content-Type-Options",
                                    "X-Request-Id"};
  size_t len = strlen(name);
  if (codec_same(name, strnlen(name, sizeof cors - 1), cors))
    return true;
  if (codec_same(name, strnlen(name, sizeof content - 1), content))
    return strncasecmp(name, "Content-Security-Policy", 23) != 0;
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if (codec_same(name, len, own[i]))
      return true;
  return false;
}

static const char *header_fault(const char *name, const char *value) {
  size_t len = 0;
  while (token_char((unsigned char)name[len]))
    len++;
  if (len == 0 || name[len] != '\0' || len > WORDS_LEN_MAX)
    return "it is no name; write 1 to 64 letters, digits and -";
  if (is_own_header(name))
    return "the gateway or a storage says it itself; leave it out (for "
           "Cache-Control see downloads, for Access-Control- see cors)";
  if (strlen(value) > VALUE_MAX || !codec_utf8_valid(value, strlen(value)))
    return "its value is longer than 1024 bytes, or isn't UTF-8";
  for (const char *at = value; *at != '\0';)
    if (codec_control(codec_utf8_next(&at)))
      return "its value has a control character; write one line";
  return NULL;
}

static bool no_header_twice(struct settings *s, unsigned line,
                            struct errmsg *err) {
  const struct pair *headers = s->server.headers;
  for (size_t i = 0; headers[i].name != NULL; i++)
    for (size_t k = 0; k < i; k++)
      if (strcasecmp(headers[i].name, headers[k].name) == 0)
        return config_fault(s->config, line, err,
                            "'headers': '%.64s': it is here twice; remove one",
                            headers[i].name);
  return true;
}

/* ---- texts -------------------------------------------------------------- */

static bool check_hosts(struct settings *s, unsigned line,
                        struct errmsg *err) {
  const char *const *hosts = s->server.hosts;
  for (size_t i = 0; hosts[i] != NULL; i++) {
    const char *why = authority_pattern_fault(hosts[i]);
    if (i == SETTINGS_HOSTS_MAX)
      why = "more than 256; drop some";
    if (why != NULL)
      return config_fault(s->config, line, err, "'hosts': '%.128s': %s",
                          hosts[i], why);
  }
  return hosts[0] == NULL || *s->server.public_url == '\0' ||
         config_fault(s->config, line, err,
                      "'hosts' has no use beside 'public_url', which all URLs "
                      "begin with; remove one of them");
}

static bool read_downloads(struct settings *s, struct errmsg *err) {
  const struct config_node *node = config_get(s->config->root, "downloads");
  if (!options_fill(downloads_table, NULL, s->config, node, "downloads",
                    &s->downloads, err))
    return false;
  const char *why = header_fault("X", s->downloads.cache_control);
  return why == NULL ||
         config_fault(s->config, settings_line(node, "cache_control"), err,
                      "'cache_control': %s", why);
}

static bool read_links(struct settings *s, struct errmsg *err) {
  const struct config_node *node = config_get(s->config->root, "links");
  if (!options_fill(links_table, NULL, s->config, node, "links", &s->links,
                    err))
    return false;
  size_t len = strlen(s->links.secret);
  return len == 0 || len >= SECRET_MIN ||
         config_fault(s->config, settings_line(node, "secret"), err,
                      "'secret': it has fewer than 16 bytes; take a random "
                      "one, as of openssl rand -hex 32");
}

bool settings_read_web(struct settings *s, struct errmsg *err) {
  const struct config_node *server = config_get(s->config->root, "server");
  const struct config_node *uploads = config_get(s->config->root, "uploads");
  return check_hosts(s, settings_line(server, "hosts"), err) &&
         read_pairs(s, config_get(server, "headers"), "headers", header_fault,
                    &s->server.headers, err) &&
         no_header_twice(s, settings_line(server, "headers"), err) &&
         read_pairs(s, config_get(uploads, "types"), "types", type_fault,
                    &s->uploads.types, err) &&
         read_downloads(s, err) && read_links(s, err);
}

const struct settings_table settings_tables_web[] = {
    {"downloads", downloads_table}, {"links", links_table}, {NULL, NULL}};
