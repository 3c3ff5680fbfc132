/* SPDX-License-Identifier: MIT
 *
 * The list that `sluice --plugins` prints: every plugin with its options, as
 * plain text.  One that can't be loaded is listed too, with the reason, as
 * that is what a person who looks here wants to know.
 */
#include "options.h"
#include "plugin_file.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_plugin(const struct dirent *entry) {
  return plugin_file_name_length(entry->d_name) > 0;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static void print_option(FILE *out, const struct sluice_option *option) {
  const char *fallback = option->fallback;
  if (fallback == NULL)
    fallback = "required";
  else if (*fallback == '\0')
    fallback = options_is_list(option->type) ? "[]" : "\"\"";
  fprintf(out, "  %-20s  %-8s  %-10s  %s\n", option->name,
          options_type(option->type), fallback, option->help);
}

static void print_plugin(void *to, const struct plugin *plugin) {
  FILE *out = to;
  bool backend = plugin->kind == PLUGIN_BACKEND;
  const struct sluice_backend *b = &plugin->backend;
  const struct sluice_hook *h = &plugin->hook;
  uint32_t abi = backend ? b->abi : h->abi;
  fprintf(out, "%s  %s  %s  ABI %u.%u\n", plugin->name,
          backend ? "backend" : "hook", backend ? b->version : h->version,
          abi >> 16, abi & 0xffff);
  fprintf(out, "  %s\n", backend ? b->summary : h->summary);
  for (const struct sluice_option *option = plugin_options(plugin);
       option->name != NULL; option++)
    print_option(out, option);
  fputc('\n', out);
}

static void visit_kind(const struct plugin_visitor *visitor,
                       const struct plugin_file *file, enum plugin_kind kind) {
  struct plugin plugin;
  struct errmsg err;
  if (plugin_file_read(file, kind, &plugin, &err))
    visitor->found(visitor->arg, &plugin);
  else
    visitor->failed(visitor->arg, err.text);
}

static void visit_file(const struct plugin_visitor *visitor,
                       const char *const *folders, const char *name) {
  struct plugin_file file;
  struct errmsg err;
  if (!plugin_file_open(&file, folders, name, &err)) {
    visitor->failed(visitor->arg, err.text);
    return;
  }
  bool hook = plugin_file_has(&file, PLUGIN_HOOK);
  if (plugin_file_has(&file, PLUGIN_BACKEND) || !hook)
    visit_kind(visitor, &file, PLUGIN_BACKEND);
  if (hook)
    visit_kind(visitor, &file, PLUGIN_HOOK);
}

/* The first folder that has a file wins, as when it is loaded. */
static bool is_shadowed(const char *const *folders, const char *const *here,
                        const char *file) {
  char path[PATH_MAX];
  for (; folders < here; folders++) {
    int len = snprintf(path, sizeof path, "%s/%s", *folders, file);
    if (len > 0 && (size_t)len < sizeof path && access(path, F_OK) == 0)
      return true;
  }
  return false;
}

static void visit_folder(const struct plugin_visitor *visitor,
                         const char *const *folders, const char *const *here) {
  char name[PLUGIN_NAME_MAX + 1], why[PATH_MAX + 128];
  struct dirent **files;
  int n = scandir(*here, &files, is_plugin, by_name);
  if (n < 0) {
    snprintf(why, sizeof why, "%s: %s", *here, strerror(errno));
    visitor->failed(visitor->arg, why);
    return;
  }
  for (int i = 0; i < n; i++) {
    const char *file = files[i]->d_name;
    snprintf(name, sizeof name, "%.*s", (int)plugin_file_name_length(file),
             file);
    if (!is_shadowed(folders, here, file))
      visit_file(visitor, folders, name);
    free(files[i]);
  }
  free(files);
}

void plugin_each(const char *const *folders,
                 const struct plugin_visitor *visitor) {
  for (const char *const *here = folders; *here != NULL; here++)
    visit_folder(visitor, folders, here);
}

static void print_failure(void *out, const char *why) {
  fprintf(out, "%s\n\n", why);
}

void plugin_list(const char *const *folders, void *out) {
  const struct plugin_visitor visitor = {
      .found = print_plugin, .failed = print_failure, .arg = out};
  plugin_each(folders, &visitor);
}
