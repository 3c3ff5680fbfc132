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

static void print_plugin(FILE *out, const struct plugin *plugin) {
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

static void print_kind(FILE *out, const struct plugin_file *file,
                       enum plugin_kind kind) {
  struct plugin plugin;
  struct errmsg err;
  if (plugin_file_read(file, kind, &plugin, &err))
    print_plugin(out, &plugin);
  else
    fprintf(out, "%s\n\n", err.text);
}

static void print_file(FILE *out, const char *const *folders,
                       const char *name) {
  struct plugin_file file;
  struct errmsg err;
  if (!plugin_file_open(&file, folders, name, &err)) {
    fprintf(out, "%s\n\n", err.text);
    return;
  }
  bool hook = plugin_file_has(&file, PLUGIN_HOOK);
  if (plugin_file_has(&file, PLUGIN_BACKEND) || !hook)
    print_kind(out, &file, PLUGIN_BACKEND);
  if (hook)
    print_kind(out, &file, PLUGIN_HOOK);
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

static void print_folder(FILE *out, const char *const *folders,
                         const char *const *here) {
  char name[PLUGIN_NAME_MAX + 1];
  struct dirent **files;
  int n = scandir(*here, &files, is_plugin, by_name);
  if (n < 0) {
    fprintf(out, "%s: %s\n\n", *here, strerror(errno));
    return;
  }
  for (int i = 0; i < n; i++) {
    const char *file = files[i]->d_name;
    snprintf(name, sizeof name, "%.*s", (int)plugin_file_name_length(file),
             file);
    if (!is_shadowed(folders, here, file))
      print_file(out, folders, name);
    free(files[i]);
  }
  free(files);
}

void plugin_list(const char *const *folders, void *out) {
  for (const char *const *here = folders; *here != NULL; here++)
    print_folder(out, folders, here);
}
