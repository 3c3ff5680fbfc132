/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a configuration file: the tree, and what is made of it.  A file
 * that is refused has one line that says why.
 */
#include "settings.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Touches every node, and checks what config.h promises of it. */
static size_t walk(const struct config_node *node, unsigned depth) {
  size_t nodes = 1;
  assert(node->line >= 1);
  if (node->kind == CONFIG_SCALAR) {
    assert(strlen(node->text) <= CONFIG_SCALAR_MAX);
    assert(node->count == 0);
    return nodes;
  }
  assert(depth < CONFIG_DEPTH_MAX);
  for (size_t i = 0; i < node->count; i++) {
    if (node->kind == CONFIG_MAPPING)
      nodes += walk(&node->keys[i], depth + 1);
    nodes += walk(&node->items[i], depth + 1);
  }
  return nodes;
}

static void check_message(const struct errmsg *err) {
  assert(strncmp(err->text, "fuzz.yaml:", 10) == 0);
  for (const char *c = err->text; *c != '\0'; c++)
    assert((unsigned char)*c >= 0x20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data;
  struct errmsg err;
  setenv("SET", "value", 1);
  setenv("EMPTY", "", 1);
  struct config *config = config_parse("fuzz.yaml", text, size, &err);
  if (config == NULL) {
    check_message(&err);
    return 0;
  }
  assert(walk(config->root, 0) <= CONFIG_NODES_MAX);
  config_free(config);
  struct settings *settings =
      settings_parse("fuzz.yaml", text, size, "/plugins", &err);
  if (settings == NULL)
    check_message(&err);
  settings_free(settings);
  return 0;
}
