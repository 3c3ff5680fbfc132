/* SPDX-License-Identifier: MIT
 *
 * What the configuration says of answers: the types of files, and the hosts in
 * links.
 */
#include <string.h>

#include "authority.h"
#include "filetype.h"
#include "mime.h"
#include "settings_parts.h"

#define PAIRS_MAX 256

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

bool settings_read_web(struct settings *s, struct errmsg *err) {
  const struct config_node *server = config_get(s->config->root, "server");
  const struct config_node *uploads = config_get(s->config->root, "uploads");
  return check_hosts(s, settings_line(server, "hosts"), err) &&
         read_pairs(s, config_get(uploads, "types"), "types", type_fault,
                    &s->uploads.types, err);
}
