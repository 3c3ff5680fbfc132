/* SPDX-License-Identifier: MIT
 *
 * Builds the tree of a configuration file from libyaml's events.  The depth
 * is checked before each descent, so the recursion is bounded; nodes and text
 * are counted as they come, so that no input makes it allocate more than the
 * limits of config.h allow.
 */
#include "config_tree.h"
#include "expand.h"
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct tree {
  yaml_parser_t yaml;
  struct config *config;
  struct errmsg *err;
  const char *data;
  size_t len;
  size_t nodes, text; /* so far */
  char *scratch;      /* of CONFIG_SCALAR_MAX + 1 bytes */
};

/* The children of a collection that is being read. */
struct gather {
  struct config_node *nodes;
  size_t count, room;
};

static unsigned line_of(const yaml_mark_t *mark) {
  return mark->line < UINT32_MAX ? (unsigned)mark->line + 1 : UINT32_MAX;
}

static bool fault(struct tree *t, unsigned line, const char *why) {
  return config_fault(t->config, line, t->err, "%s", why);
}

static bool no_memory(struct tree *t) {
  return fault(t, 0, "out of memory");
}

/* ---- what isn't YAML --------------------------------------------------- */

static const char *hint(const struct tree *t, unsigned line) {
  const char *at = t->data, *end = t->data + t->len;
  while (at != NULL && --line > 0) {
    at = memchr(at, '\n', (size_t)(end - at));
    if (at != NULL)
      at++;
  }
  if (at == NULL || at == end)
    return "look at the end of the file";
  const char *eol = memchr(at, '\n', (size_t)(end - at));
  size_t len = (size_t)((eol == NULL ? end : eol) - at);
  if (memchr(at, '\t', len) != NULL)
    return "write spaces instead of the tab";
  if (memmem(at, len, "${", 2) != NULL)
    return "put quotes around a value that has ${...}";
  return "look at the indentation, quotes and brackets up to here";
}

/* Bytes that aren't UTF-8 come with an offset instead of a mark. */
static unsigned problem_line(const struct tree *t) {
  if (t->yaml.error != YAML_READER_ERROR)
    return line_of(&t->yaml.problem_mark);
  unsigned line = 1;
  for (size_t i = 0; i < t->len && i < t->yaml.problem_offset; i++)
    line += t->data[i] == '\n';
  return line;
}

static bool next_event(struct tree *t, yaml_event_t *event) {
  if (yaml_parser_parse(&t->yaml, event))
    return true;
  if (t->yaml.error == YAML_MEMORY_ERROR)
    return no_memory(t);
  unsigned line = problem_line(t);
  const char *problem = t->yaml.problem;
  return config_fault(t->config, line, t->err, "not YAML: %s; %s",
                      problem == NULL ? "no reason known" : problem,
                      t->yaml.error == YAML_READER_ERROR
                          ? "write the file in UTF-8"
                          : hint(t, line));
}

static void end_event(yaml_event_t *event) {
  if (event->type == YAML_SCALAR_EVENT)
    explicit_bzero(event->data.scalar.value, event->data.scalar.length);
  yaml_event_delete(event);
}

/* ---- nodes ------------------------------------------------------------- */

static bool read_node(struct tree *t, const yaml_event_t *event,
                      unsigned depth, struct config_node *node);

static bool is_null(const yaml_event_t *event) {
  const char *text = (const char *)event->data.scalar.value;
  return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
         (*text == '\0' || strcmp(text, "~") == 0 ||
          strcmp(text, "null") == 0);
}

static bool read_scalar(struct tree *t, const yaml_event_t *event,
                        struct config_node *node) {
  const char *in = (const char *)event->data.scalar.value;
  size_t len = event->data.scalar.length;
  struct errmsg why;
  if (memchr(in, '\0', len) != NULL)
    return fault(t, node->line, "a text holds a NUL; remove it");
  if (!expand_text(t->scratch, CONFIG_SCALAR_MAX, in, len, &why))
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
  node->null = is_null(event);
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
  yaml_event_t event;
  bool ok = false;
  if (g->count == g->room && !gather_grow(g))
    return no_memory(t);
  if (!next_event(t, &event))
    return false;
  *ended = event.type == YAML_SEQUENCE_END_EVENT ||
           event.type == YAML_MAPPING_END_EVENT;
  if (*ended) {
    ok = true;
    goto out;
  }
  struct config_node *node = &g->nodes[g->count];
  ok = read_node(t, &event, depth, node);
  if (ok && key && (node->kind != CONFIG_SCALAR || node->null))
    ok = fault(t, node->line, "a key is a plain word; write key: value");
  g->count += ok;
out:
  end_event(&event);
  return ok;
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

static bool refuse_marks(struct tree *t, const yaml_char_t *anchor,
                         const yaml_char_t *tag, unsigned line) {
  if (anchor != NULL)
    return fault(t, line,
                 "anchors (&name) are not read; remove it and write "
                 "the value where it is needed");
  if (tag != NULL)
    return fault(t, line, "tags (!name) are not read; remove it");
  return true;
}

static bool read_node(struct tree *t, const yaml_event_t *event,
                      unsigned depth, struct config_node *node) {
  *node = (struct config_node){.line = line_of(&event->start_mark)};
  if (++t->nodes > CONFIG_NODES_MAX)
    return config_fault(t->config, node->line, t->err,
                        "more than %u values; shorten the file",
                        CONFIG_NODES_MAX);
  switch (event->type) {
  case YAML_SCALAR_EVENT:
    node->kind = CONFIG_SCALAR;
    return refuse_marks(t, event->data.scalar.anchor, event->data.scalar.tag,
                        node->line) &&
           read_scalar(t, event, node);
  case YAML_SEQUENCE_START_EVENT:
    node->kind = CONFIG_SEQUENCE;
    return refuse_marks(t, event->data.sequence_start.anchor,
                        event->data.sequence_start.tag, node->line) &&
           read_children(t, depth + 1, node);
  case YAML_MAPPING_START_EVENT:
    node->kind = CONFIG_MAPPING;
    return refuse_marks(t, event->data.mapping_start.anchor,
                        event->data.mapping_start.tag, node->line) &&
           read_children(t, depth + 1, node);
  case YAML_ALIAS_EVENT:
    return fault(t, node->line,
                 "aliases (*name) are not read; write the "
                 "value itself, or quote the *");
  case YAML_NO_EVENT:
  case YAML_STREAM_START_EVENT:
  case YAML_STREAM_END_EVENT:
  case YAML_DOCUMENT_START_EVENT:
  case YAML_DOCUMENT_END_EVENT:
  case YAML_SEQUENCE_END_EVENT:
  case YAML_MAPPING_END_EVENT:
    break;
  }
  return fault(t, node->line, "a value is missing; write one");
}

/* ---- the stream -------------------------------------------------------- */

/* Reads an event that has no content and gives its type and line. */
static bool skip_event(struct tree *t, yaml_event_type_t *type,
                       unsigned *line) {
  yaml_event_t event;
  if (!next_event(t, &event))
    return false;
  *type = event.type;
  *line = line_of(&event.start_mark);
  end_event(&event);
  return true;
}

static bool read_root(struct tree *t) {
  yaml_event_t event;
  t->config->root = config_alloc(t->config, sizeof *t->config->root);
  if (t->config->root == NULL)
    return no_memory(t);
  if (!next_event(t, &event))
    return false;
  bool ok = read_node(t, &event, 0, t->config->root);
  end_event(&event);
  return ok;
}

static bool read_stream(struct tree *t) {
  yaml_event_type_t type;
  unsigned line;
  if (!skip_event(t, &type, &line)) /* the stream's start */
    return false;
  if (!skip_event(t, &type, &line))
    return false;
  if (type == YAML_STREAM_END_EVENT)
    return fault(t, line,
                 "the file is empty; example.yaml beside sluice.yaml "
                 "shows every key");
  if (!read_root(t))
    return false;
  if (!skip_event(t, &type, &line)) /* the document's end */
    return false;
  if (!skip_event(t, &type, &line))
    return false;
  if (type != YAML_STREAM_END_EVENT)
    return fault(t, line, "a second document begins; a file holds one");
  return true;
}

bool config_tree_build(struct config *config, const char *data, size_t len,
                       struct errmsg *err) {
  struct tree t = {.config = config, .err = err, .data = data, .len = len};
  if (!yaml_parser_initialize(&t.yaml))
    return no_memory(&t);
  yaml_parser_set_input_string(&t.yaml, (const unsigned char *)data, len);
  t.scratch = malloc(CONFIG_SCALAR_MAX + 1);
  bool ok = t.scratch != NULL ? read_stream(&t) : no_memory(&t);
  yaml_parser_delete(&t.yaml);
  if (t.scratch != NULL)
    explicit_bzero(t.scratch, CONFIG_SCALAR_MAX + 1);
  free(t.scratch);
  return ok;
}
