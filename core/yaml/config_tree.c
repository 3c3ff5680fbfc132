/* SPDX-License-Identifier: MIT
 *
 * Builds the tree of a configuration file from its values.  The depth is
 * checked before each descent, so the recursion is bounded; nodes and text
 * are counted as they come, so that no input makes it allocate more than the
 * limits of config.h allow.
 */
#include "config_tree.h"
#include "expand.h"
#include "yamlstream.h"
#include <stdlib.h>
#include <string.h>

struct tree {
  struct yamlstream *stream;
  struct config *config;
  struct errmsg *err;
  size_t nodes, text; /* so far */
  char *scratch;      /* of CONFIG_SCALAR_MAX + 1 bytes */
};

/* The children of a collection that is being read. */
struct gather {
  struct config_node *nodes;
  size_t count, room;
};

static bool fault(struct tree *t, unsigned line, const char *why) {
  return config_fault(t->config, line, t->err, "%s", why);
}

static bool no_memory(struct tree *t) {
  return fault(t, 0, "out of memory");
}

/* ---- nodes ------------------------------------------------------------- */

static bool read_node(struct tree *t, const struct yamlstream_value *value,
                      unsigned depth, struct config_node *node);

static bool read_scalar(struct tree *t, const struct yamlstream_value *value,
                        struct config_node *node) {
  struct errmsg why;
  if (!expand_text(t->scratch, CONFIG_SCALAR_MAX, value->text, value->len,
                   &node->literal, &why))
    return fault(t, node->line, why.text);
  size_t size = strlen(t->scratch) + 1;
  t->text += size - 1;
  if (t->text > CONFIG_TEXT_MAX)
    return config_fault(t->config, node->line, t->err,
                        "all texts together are longer than %u bytes; shorten "
                        "the variables",
                        CONFIG_TEXT_MAX);
  char *copy = config_alloc(t->config, size);
  if (copy == NULL)
    return no_memory(t);
  memcpy(copy, t->scratch, size);
  node->text = copy;
  node->null = value->null;
  return true;
}

static bool gather_grow(struct gather *g) {
  size_t room = g->room == 0 ? 8 : g->room * 2;
  struct config_node *nodes = realloc(g->nodes, room * sizeof *nodes);
  if (nodes == NULL)
    return false;
  g->nodes = nodes;
  g->room = room;
  return true;
}

static bool gather_keep(struct tree *t, const struct gather *g,
                        struct config_node **out) {
  size_t size = g->count * sizeof *g->nodes;
  if (size == 0)
    return true;
  *out = config_alloc(t->config, size);
  if (*out == NULL)
    return no_memory(t);
  memcpy(*out, g->nodes, size);
  return true;
}

/* One child, or the collection's end. */
static bool read_child(struct tree *t, struct gather *g, unsigned depth,
                       bool key, bool *ended) {
  struct yamlstream_value value;
  if (g->count == g->room && !gather_grow(g))
    return no_memory(t);
  if (!yamlstream_next(t->stream, &value))
    return false;
  *ended = value.kind == YAMLSTREAM_END;
  if (*ended)
    return true;
  struct config_node *node = &g->nodes[g->count];
  if (!read_node(t, &value, depth, node))
    return false;
  if (key && (node->kind != CONFIG_SCALAR || node->null))
    return fault(t, node->line, "a key is a plain word; write key: value");
  g->count++;
  return true;
}

static int by_text(const void *a, const void *b) {
  const struct config_node *x = *(const struct config_node *const *)a;
  const struct config_node *y = *(const struct config_node *const *)b;
  int order = strcmp(x->text, y->text);
  return order != 0 ? order : (x > y) - (x < y);
}

/* Sorts, as a comparison of each with each would take minutes at the limit. */
static bool check_twice(struct tree *t, const struct gather *keys) {
  bool ok = true;
  const struct config_node **sorted =
      malloc((keys->count + 1) * sizeof(*sorted));
  if (sorted == NULL)
    return no_memory(t);
  for (size_t i = 0; i < keys->count; i++)
    sorted[i] = &keys->nodes[i];
  qsort(sorted, keys->count, sizeof(*sorted), by_text);
  for (size_t i = 1; i < keys->count && ok; i++)
    if (strcmp(sorted[i - 1]->text, sorted[i]->text) == 0)
      ok = config_fault(t->config, sorted[i]->line, t->err,
                        "key '%.64s' is here twice, first in line %u; remove "
                        "one",
                        sorted[i]->text, sorted[i - 1]->line);
  free(sorted);
  return ok;
}

static bool read_children(struct tree *t, unsigned depth,
                          struct config_node *node) {
  struct gather keys = {0}, items = {0};
  bool ok = false, ended = false;
  bool mapping = node->kind == CONFIG_MAPPING;
  if (depth > CONFIG_DEPTH_MAX)
    return config_fault(t->config, node->line, t->err,
                        "nested deeper than %u levels; flatten it",
                        CONFIG_DEPTH_MAX);
  while (!ended) {
    if (mapping && !read_child(t, &keys, depth, true, &ended))
      goto out;
    if (!ended && !read_child(t, &items, depth, false, &ended))
      goto out;
  }
  node->count = items.count;
  ok = (!mapping || check_twice(t, &keys)) &&
       gather_keep(t, &keys, &node->keys) &&
       gather_keep(t, &items, &node->items);
out:
  free(keys.nodes);
  free(items.nodes);
  return ok;
}

static bool read_node(struct tree *t, const struct yamlstream_value *value,
                      unsigned depth, struct config_node *node) {
  *node = (struct config_node){.line = value->line};
  if (++t->nodes > CONFIG_NODES_MAX)
    return config_fault(t->config, node->line, t->err,
                        "more than %u values; shorten the file",
                        CONFIG_NODES_MAX);
  switch (value->kind) {
  case YAMLSTREAM_TEXT:
    node->kind = CONFIG_SCALAR;
    return read_scalar(t, value, node);
  case YAMLSTREAM_LIST:
    node->kind = CONFIG_SEQUENCE;
    return read_children(t, depth + 1, node);
  case YAMLSTREAM_MAPPING:
    node->kind = CONFIG_MAPPING;
    return read_children(t, depth + 1, node);
  case YAMLSTREAM_END: /* where a mapping's value should be */
    break;
  }
  return fault(t, node->line, "a value is missing; write one");
}

/* ---- the file ---------------------------------------------------------- */

static bool config_tree_read_file(struct tree *t) {
  struct yamlstream_value value;
  t->config->root = config_alloc(t->config, sizeof *t->config->root);
  if (t->config->root == NULL)
    return no_memory(t);
  return yamlstream_next(t->stream, &value) &&
         read_node(t, &value, 0, t->config->root) &&
         yamlstream_ends(t->stream);
}

bool config_tree_build(struct config *config, const char *data, size_t len,
                       struct errmsg *err) {
  struct tree t = {.config = config, .err = err};
  t.stream =
      yamlstream_new(config->file, data, len,
                     "example.yaml beside sluice.yaml shows every key", err);
  t.scratch = malloc(CONFIG_SCALAR_MAX + 1);
  bool ok = t.stream != NULL && t.scratch != NULL ? config_tree_read_file(&t)
                                                  : no_memory(&t);
  yamlstream_free(t.stream);
  if (t.scratch != NULL)
    explicit_bzero(t.scratch, CONFIG_SCALAR_MAX + 1);
  free(t.scratch);
  return ok;
}
