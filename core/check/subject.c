/* SPDX-License-Identifier: MIT
 *
 * Loads as the gateway does, and reads options by the gateway's own tables, so
 * that what works here works there.
 */
#include "subject.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "floors.h"
#include "options.h"
#include "plugin_file.h"

static bool subject_split(struct subject *subject, const char *path,
                          struct errmsg *err) {
  const char *slash = strrchr(path, '/');
  const char *name = slash == NULL ? path : slash + 1;
  size_t len = strlen(name), folder = (size_t)(name - path);
  if (len < 4 || strcmp(name + len - 3, ".so") != 0 ||
      len >= sizeof subject->name || folder >= sizeof subject->folder)
    return errmsg_set(
        err, "%s: not the path of a plugin; give that of its NAME.so", path);
  memcpy(subject->name, name, len - 3);
  while (folder > 1 && path[folder - 1] == '/')
    folder--;
  bool root = folder == 1 && *path == '/'; /* the / that follows is enough */
  memcpy(subject->folder, folder == 0 ? "." : path,
         folder == 0 ? 1
         : root      ? 0
                     : folder);
  if (access(path, R_OK) == 0)
    return true;
  return errmsg_set(err, "%s: %s", path, strerror(errno));
}

/* Neither kind is asked for here, so that the message names both. */
static bool no_symbol(const struct plugin_file *file, struct errmsg *err) {
  return errmsg_set(err,
                    "plugin '%s': %s exports neither sluice_backend_%s nor "
                    "sluice_hook_%s; register it with SLUICE_BACKEND(%s, "
                    "...) or SLUICE_HOOK(%s, ...)",
                    file->name, file->path, file->name, file->name, file->name,
                    file->name);
}

bool subject_load(struct subject *subject, const char *path,
                  struct errmsg *err) {
  struct plugin_file file;
  *subject = (struct subject){0};
  if (!subject_split(subject, path, err))
    return false;
  const char *const folders[] = {subject->folder, NULL};
  if (!plugin_file_open(&file, folders, subject->name, err))
    return false;
  bool hook = plugin_file_has(&file, PLUGIN_HOOK);
  if (!hook && !plugin_file_has(&file, PLUGIN_BACKEND))
    return no_symbol(&file, err);
  return plugin_file_read(&file, hook ? PLUGIN_HOOK : PLUGIN_BACKEND,
                          &subject->plugin, err);
}

/* ---- options ------------------------------------------------------------ */

static bool add_file(struct buf *text, const char *name, struct errmsg *err) {
  char piece[4096];
  size_t len;
  FILE *file = fopen(name, "re");
  if (file == NULL)
    return errmsg_set(err, "%s: %s", name, strerror(errno));
  while ((len = fread(piece, 1, sizeof piece, file)) > 0)
    buf_add(text, piece, len);
  bool ok = ferror(file) == 0;
  fclose(file);
  return (ok && !text->overflown && buf_addc(text, '\n')) ||
         errmsg_set(err, "%s: can't be read, or is larger than %u bytes", name,
                    CONFIG_FILE_MAX);
}

/* A value is taken as it stands, but for a list, which YAML has to see. */
static bool subject_add_pair(struct buf *text, const char *pair,
                             struct errmsg *err) {
  const char *equals = strchr(pair, '=');
  if (equals == NULL)
    return errmsg_set(err, "%s: not an option; write key=value", pair);
  buf_addf(text, "%.*s: ", (int)(equals - pair), pair);
  const char *value = equals + 1;
  bool list = *value == '[';
  if (list)
    buf_adds(text, value);
  else
    buf_addc(text, '\'');
  for (; !list && *value != '\0'; value++)
    buf_adds(text, *value == '\'' ? "''" : (char[]){*value, '\0'});
  return buf_adds(text, list ? "\n" : "'\n") ||
         errmsg_set(err, "the options are longer than %u bytes",
                    CONFIG_FILE_MAX);
}

static bool subject_fill(const struct subject *subject, struct config *config,
                         const struct config_node *mapping, void *conf,
                         struct errmsg *err) {
  static const char *const others[] = {"plugin", NULL};
  return options_fill(plugin_options(&subject->plugin), others, config,
                      mapping, subject->name, conf, err);
}

/* A layer stands on the backend that floors.c has for it. */
static void subject_add_names(struct buf *text,
                              const struct sluice_option *option) {
  for (; option->name != NULL; option++)
    if (layer_is_name(option->type) && option->fallback == NULL)
      buf_addf(text, "%s: %s\n", option->name,
               options_is_list(option->type) ? "[" FLOORS_NAME "]"
                                             : FLOORS_NAME);
}

bool subject_configure(struct subject *subject, const char *file,
                       const char *const *pairs, struct errmsg *err) {
  struct buf text;
  buf_init(&text, CONFIG_FILE_MAX);
  bool ok = file == NULL || add_file(&text, file, err);
  for (; ok && *pairs != NULL; pairs++)
    ok = subject_add_pair(&text, *pairs, err);
  subject_add_names(&text, plugin_options(&subject->plugin));
  if (ok && text.len == 0)
    buf_adds(&text, "{}");
  if (ok)
    subject->config = config_parse(file == NULL ? "the options" : file,
                                   text.data, text.len, err);
  buf_fini(&text);
  subject->conf = calloc(1, plugin_conf_size(&subject->plugin) + 1);
  if (subject->config == NULL || subject->conf == NULL)
    return false;
  if (subject->config->root->kind != CONFIG_MAPPING)
    return config_fault(subject->config, 1, err,
                        "no mapping; write one option a line, name: value");
  return subject_fill(subject, subject->config, subject->config->root,
                      subject->conf, err);
}

/* ---- what has to be refused --------------------------------------------- */

/* A copy of the mapping, with room for one more. */
static struct config_node copy_root(const struct subject *subject) {
  struct config_node root = *subject->config->root;
  size_t room = (root.count + 1) * sizeof *root.items;
  struct config_node *items = config_alloc(subject->config, room);
  struct config_node *keys = config_alloc(subject->config, room);
  if (items == NULL || keys == NULL)
    abort();
  if (root.count > 0) {
    memcpy(items, root.items, root.count * sizeof *items);
    memcpy(keys, root.keys, root.count * sizeof *keys);
  }
  root.items = items;
  root.keys = keys;
  return root;
}

static bool try_root(const struct subject *subject,
                     const struct config_node *root, struct errmsg *err) {
  void *conf = calloc(1, plugin_conf_size(&subject->plugin) + 1);
  bool ok =
      conf != NULL && subject_fill(subject, subject->config, root, conf, err);
  free(conf);
  return ok;
}

bool subject_without(const struct subject *subject, const char *name,
                     struct errmsg *err) {
  struct config_node root = copy_root(subject);
  size_t kept = 0;
  for (size_t i = 0; i < root.count; i++)
    if (strcmp(root.keys[i].text, name) != 0) {
      root.items[kept] = root.items[i];
      root.keys[kept++] = root.keys[i];
    }
  root.count = kept;
  return try_root(subject, &root, err);
}

bool subject_with(const struct subject *subject, const char *name,
                  struct errmsg *err) {
  struct config_node root = copy_root(subject);
  struct config_node word = {.kind = CONFIG_SCALAR, .line = 1, .text = name};
  root.items[root.count] = word;
  root.keys[root.count++] = word;
  return try_root(subject, &root, err);
}

void subject_fini(struct subject *subject) {
  config_free(subject->config);
  free(subject->conf);
}
