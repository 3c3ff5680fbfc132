/* SPDX-License-Identifier: MIT
 *
 * A folder has the options that `local` has by default.
 */
#include "storage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "buf.h"
#include "options.h"
#include "yamltext.h"

static bool is_folder(const char *word) {
  struct stat st;
  return strchr(word, '/') != NULL ||
         (stat(word, &st) == 0 && S_ISDIR(st.st_mode));
}

static bool storage_load(struct storage *storage, const char *name,
                         struct config *config, const struct config_node *node,
                         struct errmsg *err) {
  static const char *const others[] = {"plugin", NULL};
  storage->host.name = name;
  storage->host.spool_directory =
      storage->dirs.settings == NULL
          ? "/var/tmp"
          : storage->dirs.settings->uploads.spool_directory;
  storage->conf = calloc(1, plugin_conf_size(&storage->plugin) + 1);
  if (storage->conf == NULL)
    return errmsg_set(err, "out of memory");
  return options_fill(plugin_options(&storage->plugin), others, config, node,
                      name, storage->conf, err);
}

static bool load_folder(struct storage *storage, const char *folder,
                        struct errmsg *err) {
  struct buf text;
  buf_init(&text, 65536);
  buf_adds(&text, "directory: ");
  bool ok = yamltext_add(&text, folder) ||
            errmsg_set(err, "a folder's name has to be UTF-8 without "
                            "control characters and ${");
  if (ok)
    storage->config = config_parse("folder", text.data, text.len, err);
  buf_fini(&text);
  return storage->config != NULL &&
         plugin_load(&storage->plugin, storage->dirs.list, "local",
                     PLUGIN_BACKEND, err) &&
         storage_load(storage, "local", storage->config, storage->config->root,
                      err);
}

static bool load_backend(struct storage *storage,
                         const struct settings_plugin *from,
                         struct errmsg *err) {
  struct settings *settings = storage->dirs.settings;
  return plugin_load(&storage->plugin, settings->plugin_path, from->plugin,
                     PLUGIN_BACKEND, err) &&
         storage_load(storage, from->name, settings->config, from->node, err);
}

static bool find_named(struct storage *storage, const char *name,
                       struct errmsg *err) {
  const struct settings *settings = storage->dirs.settings;
  for (size_t i = 0; i < settings->backend_count; i++)
    if (strcmp(settings->backends[i].name, name) == 0)
      return load_backend(storage, &settings->backends[i], err);
  return errmsg_set(err,
                    "'%s' is neither a folder nor a backend of %s; name one "
                    "of its backends, or ./%s for a folder that isn't there "
                    "yet",
                    name, settings->config->file, name);
}

static bool find_only(struct storage *storage, struct errmsg *err) {
  const struct settings *settings = storage->dirs.settings;
  const struct settings_plugin *found = NULL;
  for (size_t i = 0; i < settings->backend_count; i++) {
    struct plugin plugin;
    const struct settings_plugin *from = &settings->backends[i];
    if (!plugin_load(&plugin, settings->plugin_path, from->plugin,
                     PLUGIN_BACKEND, err))
      return false;
    if (plugin.backend.chore == NULL)
      continue;
    if (found != NULL)
      return errmsg_set(err,
                        "there are several backends for it ('%s', '%s'); "
                        "name one",
                        found->name, from->name);
    found = from;
  }
  if (found == NULL)
    return errmsg_set(err, "no backend of %s has that; it is for `local`",
                      settings->config->file);
  return load_backend(storage, found, err);
}

bool storage_init(struct storage *storage, const char *file, const char *word,
                  struct errmsg *err) {
  *storage = (struct storage){.conf = NULL};
  plugindirs_init(&storage->dirs, file);
  if (word != NULL && is_folder(word))
    return load_folder(storage, word, err);
  if (storage->dirs.settings == NULL) {
    settings_free(settings_load(file, SLUICE_PLUGINDIR, err));
    return false;
  }
  return word != NULL ? find_named(storage, word, err)
                      : find_only(storage, err);
}

void storage_fini(struct storage *storage) {
  free(storage->conf);
  config_free(storage->config);
  plugindirs_fini(&storage->dirs);
}
