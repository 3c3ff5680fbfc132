/* SPDX-License-Identifier: MIT
 *
 * The memory of a configuration's tree, and messages about it.  All that is
 * allocated for a file hangs on one chain and is wiped at the end, as any
 * scalar may be a secret.
 */
#include "config_tree.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct block {
  struct block *next;
  size_t size;
  alignas(max_align_t) unsigned char data[];
};

void *config_alloc(struct config *config, size_t size) {
  if (size > SIZE_MAX - sizeof(struct block))
    return NULL;
  struct block *block = calloc(1, sizeof *block + size);
  if (block == NULL)
    return NULL;
  block->size = size;
  block->next = config->memory;
  config->memory = block;
  return block->data;
}

void config_free(struct config *config) {
  if (config == NULL)
    return;
  for (struct block *block = config->memory, *next; block != NULL;
       block = next) {
    next = block->next;
    explicit_bzero(block->data, block->size);
    free(block);
  }
  free(config);
}

bool config_fault(const struct config *config, unsigned line,
                  struct errmsg *err, const char *fmt, ...) {
  struct errmsg body;
  va_list ap;
  va_start(ap, fmt);
  errmsg_vset(&body, fmt, ap);
  va_end(ap);
  if (line > 0)
    errmsg_set(err, "%s:%u: %s", config->file, line, body.text);
  else
    errmsg_set(err, "%s: %s", config->file, body.text);
  for (char *c = err->text; *c != '\0'; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f)
      *c = '?';
  return false;
}

struct config *config_new(const char *file) {
  struct config *config = calloc(1, sizeof *config);
  if (config == NULL)
    return NULL;
  size_t size = strlen(file) + 1;
  char *copy = config_alloc(config, size);
  if (copy == NULL) {
    config_free(config);
    return NULL;
  }
  memcpy(copy, file, size);
  config->file = copy;
  return config;
}

const struct config_node *config_get(const struct config_node *mapping,
                                     const char *key) {
  if (mapping == NULL || mapping->kind != CONFIG_MAPPING)
    return NULL;
  for (size_t i = 0; i < mapping->count; i++)
    if (strcmp(mapping->keys[i].text, key) == 0)
      return &mapping->items[i];
  return NULL;
}

static bool same_text(const struct config_node *a,
                      const struct config_node *b) {
  return a->null == b->null && (a->null || strcmp(a->text, b->text) == 0);
}

bool config_same(const struct config_node *a, const struct config_node *b) {
  if (a == NULL || b == NULL)
    return a == b;
  if (a->kind != b->kind || a->count != b->count)
    return false;
  if (a->kind == CONFIG_SCALAR)
    return same_text(a, b);
  for (size_t i = 0; i < a->count; i++)
    if ((a->kind == CONFIG_MAPPING && !same_text(&a->keys[i], &b->keys[i])) ||
        !config_same(&a->items[i], &b->items[i]))
      return false;
  return true;
}
