/* SPDX-License-Identifier: MIT
 *
 * From a YAML mapping to a struct, by a table.  The table is one that
 * options_check() accepts.  The value of a secret appears in no message.
 */
#include "must.h"
#include "options.h"
#include "options_type.h"
#include <string.h>

#define KNOWN_SIZE 300 /* of the known keys in a message */

struct fill {
  struct config *config;
  const struct config_node *mapping;
  const char *where;
  char *conf;
  struct errmsg *err;
};

/* ---- one value --------------------------------------------------------- */

static bool is_text(const struct config_node *node) {
  return node->kind == CONFIG_SCALAR && !node->null;
}

static bool no_value(struct fill *f, const struct sluice_option *option,
                     unsigned line) {
  return config_fault(f->config, line, f->err,
                      "'%s': has no value; %s, or remove the line",
                      option->name, options_type_get(option->type)->expected);
}

static bool bad_value(struct fill *f, const struct sluice_option *option,
                      const struct config_node *node) {
  const char *expected = options_type_get(option->type)->expected;
  if (node->kind == CONFIG_SEQUENCE)
    return config_fault(f->config, node->line, f->err,
                        "'%s': a list is here; %s", option->name, expected);
  if (node->kind == CONFIG_MAPPING)
    return config_fault(f->config, node->line, f->err,
                        "'%s': a mapping is here; %s", option->name, expected);
  return config_fault(f->config, node->line, f->err,
                      "'%s': '%.64s' is no %s; %s", option->name, node->text,
                      options_type_get(option->type)->name, expected);
}

static bool set_list(struct fill *f, const struct sluice_option *option,
                     const struct config_node *node, void *field) {
  if (node->kind != CONFIG_SEQUENCE)
    return bad_value(f, option, node);
  const char **list =
      config_alloc(f->config, (node->count + 1) * sizeof *list);
  if (list == NULL)
    return config_fault(f->config, node->line, f->err, "out of memory");
  for (size_t i = 0; i < node->count; i++) {
    const struct config_node *item = &node->items[i];
    if (!is_text(item))
      return config_fault(f->config, item->line, f->err,
                          "'%s': item %zu is not a text; write a list, as in "
                          "[a, b]",
                          option->name, i + 1);
    list[i] = item->text;
  }
  *(const char *const **)field = list;
  return true;
}

static bool set_value(struct fill *f, const struct sluice_option *option,
                      const struct config_node *node) {
  void *field = f->conf + option->offset;
  if (node->null)
    return no_value(f, option, node->line);
  if (options_is_list(option->type))
    return set_list(f, option, node, field);
  if (!is_text(node) || !options_type_parse(option->type, node->text, field))
    return bad_value(f, option, node);
  if (option->type == SLUICE_SECRET && node->literal && *node->text != '\0' &&
      f->config->secret_line == 0)
    f->config->secret_line = node->line;
  return true;
}

/* ---- a missing one ----------------------------------------------------- */

static bool bad_fallback(struct fill *f, const struct sluice_option *option) {
  return config_fault(f->config, 0, f->err,
                      "'%s' in %s: its default is no %s; this is a mistake "
                      "of the plugin, write a value",
                      option->name, f->where,
                      options_type_get(option->type)->name);
}

/* The items of a default hold no blanks, quotes or escapes. */
static bool set_list_fallback(struct fill *f,
                              const struct sluice_option *option) {
  size_t len = strlen(option->fallback), count = 0;
  char *copy = config_alloc(f->config, len + 1), *rest = NULL;
  const char **list = config_alloc(f->config, (len / 2 + 2) * sizeof *list);
  if (copy == NULL || list == NULL)
    return config_fault(f->config, 0, f->err, "out of memory");
  memcpy(copy, option->fallback, len + 1);
  for (char *item = strtok_r(copy, "[], \"", &rest); item != NULL;
       item = strtok_r(NULL, "[], \"", &rest))
    list[count++] = item;
  *(const char *const **)(void *)(f->conf + option->offset) = list;
  return true;
}

static bool set_fallback(struct fill *f, const struct sluice_option *option) {
  unsigned line = f->mapping == NULL ? 0 : f->mapping->line;
  if (option->fallback == NULL)
    return config_fault(f->config, line, f->err, "%s needs '%s' (%s); %s",
                        f->where, option->name, option->help,
                        options_type_get(option->type)->expected);
  if (options_is_list(option->type))
    return set_list_fallback(f, option);
  return options_type_parse(option->type, option->fallback,
                            f->conf + option->offset) ||
         bad_fallback(f, option);
}

/* ---- the mapping ------------------------------------------------------- */

/* All names, NULL-ended. */
static void collect(const char *words[OPTIONS_MAX + OPTIONS_OTHERS_MAX + 1],
                    const struct sluice_option *table,
                    const char *const *others) {
  size_t n = 0, m = 0;
  for (; table->name != NULL; table++) {
    must(n < OPTIONS_MAX);
    words[n++] = table->name;
  }
  for (; others != NULL && others[m] != NULL; m++) {
    must(m < OPTIONS_OTHERS_MAX);
    words[n++] = others[m];
  }
  words[n] = NULL;
}

static bool unknown_key(struct fill *f, const char *const *words,
                        const struct config_node *key) {
  char known[KNOWN_SIZE];
  const char *nearest = words_nearest(key->text, words);
  if (nearest != NULL)
    return config_fault(f->config, key->line, f->err,
                        "unknown key '%.64s' in %s; did you mean '%s'?",
                        key->text, f->where, nearest);
  words_join(known, sizeof known, words);
  return config_fault(f->config, key->line, f->err,
                      "unknown key '%.64s' in %s; known: %s", key->text,
                      f->where, known);
}

static bool check_keys(struct fill *f, const struct sluice_option *table,
                       const char *const *others) {
  const char *words[OPTIONS_MAX + OPTIONS_OTHERS_MAX + 1];
  collect(words, table, others);
  for (size_t i = 0; i < f->mapping->count; i++)
    if (!words_has(words, f->mapping->keys[i].text))
      return unknown_key(f, words, &f->mapping->keys[i]);
  return true;
}

bool options_fill(const struct sluice_option *table, const char *const *others,
                  struct config *config, const struct config_node *mapping,
                  const char *where, void *conf, struct errmsg *err) {
  struct fill f = {config, mapping, where, conf, err};
  /* A section whose lines are all commented out. */
  bool empty = mapping == NULL || mapping->null;
  if (!empty && mapping->kind != CONFIG_MAPPING)
    return config_fault(config, mapping->line, err,
                        "%s is not a mapping; write lines of key: value",
                        where);
  if (!empty && !check_keys(&f, table, others))
    return false;
  for (; table->name != NULL; table++) {
    const struct config_node *node =
        empty ? NULL : config_get(mapping, table->name);
    if (node != NULL ? !set_value(&f, table, node) : !set_fallback(&f, table))
      return false;
  }
  return true;
}
