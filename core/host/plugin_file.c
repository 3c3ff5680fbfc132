/* SPDX-License-Identifier: MIT
 *
 * Opens shared objects.  All symbols are bound at once, so that a plugin that
 * lacks one is refused at the start and doesn't end the process later; none is
 * offered to others, so that two plugins never mix.
 */
#include "plugin_file.h"
#include "layer.h"
#include "options.h"
#include "plugin_metrics.h"
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const kinds[] = {
    [PLUGIN_BACKEND] = "backend", [PLUGIN_HOOK] = "hook"};

bool plugin_file_is_name(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++)
    if ((text[i] < 'a' || text[i] > 'z') && (text[i] < '0' || text[i] > '9') &&
        text[i] != '_')
      return false;
  return len >= 1 && len <= PLUGIN_NAME_MAX;
}

size_t plugin_file_name_length(const char *file) {
  static const char suffix[] = ".so";
  size_t len = strlen(file), end = strlen(suffix);
  if (len <= end || strcmp(file + len - end, suffix) != 0)
    return 0;
  return plugin_file_is_name(file, len - end) ? len - end : 0;
}

/* The plugin in the folders whose name is nearest; "": none is near. */
static void nearest(char out[PLUGIN_NAME_MAX + 1], const char *name,
                    const char *const *folders) {
  out[0] = '\0';
  for (const char *const *f = folders; *f != NULL; f++) {
    DIR *folder = opendir(*f);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
      char found[PLUGIN_NAME_MAX + 1], best[PLUGIN_NAME_MAX + 1];
      size_t len = plugin_file_name_length(entry->d_name);
      snprintf(found, sizeof found, "%.*s", (int)len, entry->d_name);
      memcpy(best, out, sizeof best);
      const char *const words[] = {found, best[0] != '\0' ? best : NULL, NULL};
      const char *near = len == 0 ? NULL : words_nearest(name, words);
      if (near != NULL)
        snprintf(out, PLUGIN_NAME_MAX + 1, "%s", near);
    }
    if (folder != NULL)
      closedir(folder);
  }
}

static bool find(struct plugin_file *file, const char *const *folders,
                 struct errmsg *err) {
  char looked[800], other[PLUGIN_NAME_MAX + 1];
  size_t max = sizeof file->path;
  for (const char *const *f = folders; *f != NULL; f++) {
    int len = snprintf(file->path, max, "%s/%s.so", *f, file->name);
    if (len > 0 && (size_t)len < max && access(file->path, F_OK) == 0)
      return true;
  }
  nearest(other, file->name, folders);
  if (other[0] != '\0')
    return errmsg_set(err, "plugin '%s': not found; did you mean '%s'?",
                      file->name, other);
  words_join(looked, sizeof looked, folders);
  return errmsg_set(err,
                    "plugin '%s': not found in %s; add its folder to "
                    "plugin_path",
                    file->name, looked);
}

bool plugin_file_open(struct plugin_file *file, const char *const *folders,
                      const char *name, struct errmsg *err) {
  *file = (struct plugin_file){.name = name};
  if (!plugin_file_is_name(name, strlen(name)))
    return errmsg_set(err,
                      "plugin '%.64s': not a plugin's name; write 1 to 64 of "
                      "a-z, 0-9 and _",
                      name);
  if (!find(file, folders, err))
    return false;
  file->handle = dlopen(file->path, RTLD_NOW | RTLD_LOCAL);
  if (file->handle != NULL)
    return true;
  const char *why = dlerror();
  return errmsg_set(err,
                    "plugin '%s': cannot be loaded: %s; rebuild it for this "
                    "gateway and system",
                    name, why == NULL ? "no reason known" : why);
}

static void *find_symbol(const struct plugin_file *file,
                         enum plugin_kind kind) {
  char symbol[PLUGIN_NAME_MAX + 32];
  snprintf(symbol, sizeof symbol, "sluice_%s_%s", kinds[kind], file->name);
  return dlsym(file->handle, symbol);
}

bool plugin_file_has(const struct plugin_file *file, enum plugin_kind kind) {
  return find_symbol(file, kind) != NULL;
}

const struct sluice_option *plugin_options(const struct plugin *plugin) {
  static const struct sluice_option none[] = {{0}};
  const struct sluice_option *table = plugin->kind == PLUGIN_BACKEND
                                          ? plugin->backend.options
                                          : plugin->hook.options;
  return table == NULL ? none : table;
}

size_t plugin_conf_size(const struct plugin *plugin) {
  return plugin->kind == PLUGIN_BACKEND ? plugin->backend.conf_size
                                        : plugin->hook.conf_size;
}

/* ---- the descriptor ---------------------------------------------------- */

/* Both kinds of descriptors begin so, in every version of the ABI. */
struct head {
  uint32_t abi, size;
};

/* How much of a descriptor there must be: all that is required. */
static const size_t required[] = {
    [PLUGIN_BACKEND] = offsetof(struct sluice_backend, presign),
    [PLUGIN_HOOK] = offsetof(struct sluice_hook, on_request),
};

static bool check_head(const struct plugin_file *file, enum plugin_kind kind,
                       const void *from, struct head *head,
                       struct errmsg *err) {
  if (from == NULL)
    return errmsg_set(err,
                      "plugin '%s': sluice_%s_%s() returns no descriptor; it "
                      "has to return one",
                      file->name, kinds[kind], file->name);
  memcpy(head, from, sizeof *head);
  unsigned major = head->abi >> 16, minor = head->abi & 0xffff;
  if (major != SLUICE_ABI_MAJOR || minor > SLUICE_ABI_MINOR)
    return errmsg_set(err,
                      "plugin '%s': speaks ABI %u.%u, this gateway %u.%u; "
                      "rebuild it against this gateway's <sluice/plugin.h>",
                      file->name, major, minor, SLUICE_ABI_MAJOR,
                      SLUICE_ABI_MINOR);
  if (head->size < required[kind] || head->size % sizeof(void *) != 0)
    return errmsg_set(err,
                      "plugin '%s': its descriptor of %u bytes is not a whole "
                      "one; begin it with SLUICE_HEAD(sluice_%s)",
                      file->name, head->size, kinds[kind]);
  return true;
}

static bool lacks(const struct plugin_file *file, const char *what,
                  struct errmsg *err) {
  return errmsg_set(err,
                    "plugin '%s': has no %s, which is required; add it to the "
                    "descriptor",
                    file->name, what);
}

static const char *backend_lacks(const struct sluice_backend *b) {
  const struct {
    const char *name;
    bool there;
  } entries[] = {
      {"start", b->start != NULL},   {"stop", b->stop != NULL},
      {"open", b->open != NULL},     {"close", b->close != NULL},
      {"head", b->head != NULL},     {"get", b->get != NULL},
      {"read", b->read != NULL},     {"more", b->more != NULL},
      {"put", b->put != NULL},       {"data", b->data != NULL},
      {"commit", b->commit != NULL}, {"list", b->list != NULL},
      {"remove", b->remove != NULL}, {"cancel", b->cancel != NULL},
      {"ping", b->ping != NULL},
  };
  for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
    if (!entries[i].there)
      return entries[i].name;
  return NULL;
}

/* With one entry of staging all of them are needed. */
static const char *staging_lacks(const struct sluice_backend *b) {
  if (b->stage == NULL)
    return NULL;
  if (b->save == NULL)
    return "save";
  if (b->stage_commit == NULL)
    return "stage_commit";
  if (b->stage_get == NULL)
    return "stage_get";
  if (b->stage_remove == NULL)
    return "stage_remove";
  return b->stage_sweep == NULL ? "stage_sweep" : NULL;
}

static const char *hook_lacks(const struct sluice_hook *h) {
  if (h->start == NULL)
    return "start";
  if (h->stop == NULL)
    return "stop";
  if (h->open == NULL)
    return "open";
  if (h->close == NULL)
    return "close";
  if (h->on_request == NULL && h->on_key == NULL && h->on_response == NULL &&
      h->on_log == NULL && h->on_change == NULL && h->on_body == NULL)
    return "on_request, on_key, on_response, on_log, on_change or on_body";
  return NULL;
}

static bool check_names(const struct plugin_file *file, const char *name,
                        const char *version, const char *summary,
                        struct errmsg *err) {
  if (name == NULL || strcmp(name, file->name) != 0)
    return errmsg_set(err,
                      "plugin '%s': its descriptor is named '%.64s'; name "
                      "file, symbol and descriptor alike",
                      file->name, name == NULL ? "" : name);
  if (version == NULL)
    return lacks(file, "version", err);
  if (summary == NULL)
    return lacks(file, "summary", err);
  return true;
}

static bool check_options(const struct plugin_file *file,
                          const struct plugin *plugin, struct errmsg *err) {
  static const char *const others[] = {"plugin", NULL};
  struct errmsg why;
  if (options_check(plugin_options(plugin), others, plugin_conf_size(plugin),
                    &why))
    return true;
  return errmsg_set(err, "plugin '%s': %s", file->name, why.text);
}

static bool plugin_file_read_backend(const struct plugin_file *file,
                                     const void *symbol, struct plugin *plugin,
                                     struct errmsg *err) {
  const struct sluice_backend *(*get)(void);
  struct sluice_backend *b = &plugin->backend;
  memcpy(&get, &symbol, sizeof get);
  const void *from = get();
  struct head head = {0};
  if (!check_head(file, PLUGIN_BACKEND, from, &head, err))
    return false;
  memcpy(b, from, head.size < sizeof *b ? head.size : sizeof *b);
  plugin->name = b->name;
  return check_names(file, b->name, b->version, b->summary, err);
}

static bool read_hook(const struct plugin_file *file, const void *symbol,
                      struct plugin *plugin, struct errmsg *err) {
  const struct sluice_hook *(*get)(void);
  struct sluice_hook *h = &plugin->hook;
  memcpy(&get, &symbol, sizeof get);
  const void *from = get();
  struct head head = {0};
  if (!check_head(file, PLUGIN_HOOK, from, &head, err))
    return false;
  memcpy(h, from, head.size < sizeof *h ? head.size : sizeof *h);
  const char *missing = hook_lacks(h);
  if (missing != NULL)
    return lacks(file, missing, err);
  plugin->name = h->name;
  return check_names(file, h->name, h->version, h->summary, err);
}

/* The options are known to be a table by now, which says what is a layer. */
static bool check_entries(const struct plugin_file *file,
                          struct plugin *plugin, struct errmsg *err) {
  struct sluice_backend *b = &plugin->backend;
  enum layer_kind kind = layer_kind(plugin_options(plugin));
  if (kind != LAYER_NONE)
    layer_live(b);
  if (kind == LAYER_ONE)
    return true; /* the rest passes */
  const char *missing = backend_lacks(b);
  if (missing == NULL)
    missing = staging_lacks(b);
  return missing == NULL || lacks(file, missing, err);
}

static bool no_symbol(const struct plugin_file *file, enum plugin_kind kind,
                      struct errmsg *err) {
  enum plugin_kind other =
      kind == PLUGIN_BACKEND ? PLUGIN_HOOK : PLUGIN_BACKEND;
  if (plugin_file_has(file, other))
    return errmsg_set(err, "plugin '%s': is a %s, not a %s; name it under %s",
                      file->name, kinds[other], kinds[kind],
                      other == PLUGIN_HOOK ? "hooks" : "backends");
  return errmsg_set(err,
                    "plugin '%s': %s exports no sluice_%s_%s; register it "
                    "with %s()",
                    file->name, file->path, kinds[kind], file->name,
                    kind == PLUGIN_HOOK ? "SLUICE_HOOK" : "SLUICE_BACKEND");
}

bool plugin_file_read(const struct plugin_file *file, enum plugin_kind kind,
                      struct plugin *plugin, struct errmsg *err) {
  const void *symbol = find_symbol(file, kind);
  if (symbol == NULL)
    return no_symbol(file, kind, err);
  *plugin = (struct plugin){.kind = kind, .name = file->name};
  plugin->reach = dlsym(file->handle, "sluice_reach");
  bool ok = kind == PLUGIN_BACKEND
                ? plugin_file_read_backend(file, symbol, plugin, err)
                : read_hook(file, symbol, plugin, err);
  return ok && check_options(file, plugin, err) &&
         plugin_metrics_check(
             plugin, layer_kind(plugin_options(plugin)) != LAYER_NONE, err) &&
         (kind != PLUGIN_BACKEND || check_entries(file, plugin, err));
}
