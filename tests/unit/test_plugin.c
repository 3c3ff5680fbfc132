/* SPDX-License-Identifier: MIT
 *
 * Loading plugins: those of tests/plugins that are right, and those that are
 * wrong on purpose.
 */
#include "plugin.h"
#include "unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

#define FOLDERS_MAX 64

/* The folders of SLUICE_PLUGINS, in the caller's storage. */
struct folders {
  char text[4096];
  const char *list[FOLDERS_MAX + 1];
};

static void folders_init(struct folders *f) {
  const char *path = getenv("SLUICE_PLUGINS");
  char *rest = NULL;
  size_t n = 0;
  memset(f, 0, sizeof *f);
  snprintf(f->text, sizeof f->text, "%s", path == NULL ? "" : path);
  for (char *folder = strtok_r(f->text, ":", &rest);
       folder != NULL && n < FOLDERS_MAX; folder = strtok_r(NULL, ":", &rest))
    f->list[n++] = folder;
}

static bool load(struct plugin *plugin, const char *name,
                 enum plugin_kind kind, struct errmsg *err) {
  struct folders f;
  folders_init(&f);
  err->text[0] = '\0';
  return plugin_load(plugin, f.list, name, kind, err);
}

static void check_refused(const char *name, enum plugin_kind kind,
                          const char *want) {
  struct plugin plugin;
  struct errmsg err;
  ROW(name, !load(&plugin, name, kind, &err));
  ROW(err.text, strcmp(err.text, want) == 0);
}

static void test_backend_is_loaded(void) {
  struct plugin plugin;
  struct errmsg err;
  CU_ASSERT_TRUE_FATAL(load(&plugin, "goodbackend", PLUGIN_BACKEND, &err));
  CU_ASSERT_EQUAL(plugin.kind, PLUGIN_BACKEND);
  CU_ASSERT_STRING_EQUAL(plugin.name, "goodbackend");
  CU_ASSERT_STRING_EQUAL(plugin.backend.version, "1.2.3");
  CU_ASSERT_PTR_NOT_NULL(plugin.backend.ping);
  CU_ASSERT_PTR_NULL(plugin.backend.presign);
  CU_ASSERT_STRING_EQUAL(plugin_options(&plugin)->name, "directory");
  CU_ASSERT_EQUAL(plugin_conf_size(&plugin), plugin.backend.conf_size);
}

static void test_hook_is_loaded(void) {
  struct plugin plugin;
  struct errmsg err;
  CU_ASSERT_TRUE_FATAL(load(&plugin, "goodhook", PLUGIN_HOOK, &err));
  CU_ASSERT_EQUAL(plugin.kind, PLUGIN_HOOK);
  CU_ASSERT_STRING_EQUAL(plugin.name, "goodhook");
  CU_ASSERT_TRUE(plugin.hook.guards);
  CU_ASSERT_PTR_NOT_NULL(plugin.hook.on_log);
  CU_ASSERT_PTR_NULL(plugin.hook.on_request);
}

static void test_plugin_without_options_has_an_empty_table(void) {
  struct plugin plugin;
  struct errmsg err;
  CU_ASSERT_TRUE_FATAL(load(&plugin, "goodhook", PLUGIN_HOOK, &err));
  CU_ASSERT_PTR_NULL(plugin_options(&plugin)->name);
  CU_ASSERT_EQUAL(plugin_conf_size(&plugin), 0);
}

static void test_what_lies_behind_the_descriptor_is_not_offered(void) {
  struct plugin plugin;
  struct errmsg err;
  CU_ASSERT_TRUE_FATAL(load(&plugin, "oldsize", PLUGIN_BACKEND, &err));
  CU_ASSERT_PTR_NOT_NULL(plugin.backend.ping);
  CU_ASSERT_PTR_NULL(plugin.backend.presign);
}

static void test_other_abi_is_refused(void) {
  check_refused("othermajor", PLUGIN_BACKEND,
                "plugin 'othermajor': speaks ABI 2.0, this gateway 1.1; "
                "rebuild it against this gateway's <sluice/plugin.h>");
  check_refused("newerminor", PLUGIN_BACKEND,
                "plugin 'newerminor': speaks ABI 1.2, this gateway 1.1; "
                "rebuild it against this gateway's <sluice/plugin.h>");
}

static void test_incomplete_descriptor_is_refused(void) {
  char want[256];
  check_refused("missingentry", PLUGIN_BACKEND,
                "plugin 'missingentry': has no ping, which is required; add "
                "it to the descriptor");
  check_refused(
      "deafhook", PLUGIN_HOOK,
      "plugin 'deafhook': has no on_request, on_key, on_response, on_log, "
      "on_change or on_body, which is required; add it to the descriptor");
  snprintf(want, sizeof want,
           "plugin 'shortsize': its descriptor of %zu bytes is not a whole "
           "one; begin it with SLUICE_HEAD(sluice_backend)",
           offsetof(struct sluice_backend, ping));
  check_refused("shortsize", PLUGIN_BACKEND, want);
}

static void test_other_kind_is_refused(void) {
  check_refused("goodhook", PLUGIN_BACKEND,
                "plugin 'goodhook': is a hook, not a backend; name it under "
                "hooks");
  check_refused("goodbackend", PLUGIN_HOOK,
                "plugin 'goodbackend': is a backend, not a hook; name it "
                "under backends");
}

static void test_other_name_is_refused(void) {
  check_refused("othername", PLUGIN_BACKEND,
                "plugin 'othername': its descriptor is named 'goodbackend'; "
                "name file, symbol and descriptor alike");
}

static void test_bad_option_is_refused(void) {
  check_refused("badoption", PLUGIN_BACKEND,
                "plugin 'badoption': option 'part' lies outside of its "
                "struct; check offset and conf_size");
}

static void test_bad_metric_is_refused(void) {
  check_refused("badmetric", PLUGIN_BACKEND,
                "plugin 'badmetric': its metric 'badmetric_objects' is a "
                "counter; let its name end in _total");
}

static void test_missing_symbols_are_named(void) {
  struct plugin plugin;
  struct errmsg err;
  CU_ASSERT_FALSE(load(&plugin, "missingsymbol", PLUGIN_HOOK, &err));
  ROW(err.text, strstr(err.text, "sluice_is_nowhere") != NULL);
  CU_ASSERT_FALSE(load(&plugin, "nosymbol", PLUGIN_BACKEND, &err));
  ROW(err.text,
      strstr(err.text, "exports no sluice_backend_nosymbol; register it with "
                       "SLUICE_BACKEND()") != NULL);
}

static void test_missing_file_says_where_was_looked(void) {
  static const char *const folders[] = {"/nowhere/a", "/nowhere/b", NULL};
  struct plugin plugin;
  struct errmsg err;
  CU_ASSERT_FALSE(plugin_load(&plugin, folders, "x", PLUGIN_HOOK, &err));
  CU_ASSERT_STRING_EQUAL(err.text,
                         "plugin 'x': not found in /nowhere/a, /nowhere/b; "
                         "add its folder to plugin_path");
}

static void test_missing_file_says_what_was_meant(void) {
  struct plugin plugin;
  struct errmsg err;
  CU_ASSERT_FALSE(load(&plugin, "goodbackent", PLUGIN_BACKEND, &err));
  CU_ASSERT_STRING_EQUAL(
      err.text,
      "plugin 'goodbackent': not found; did you mean 'goodbackend'?");
  CU_ASSERT_FALSE(load(&plugin, "nothing_like_it", PLUGIN_BACKEND, &err));
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "': not found in "));
}

static void test_name_that_is_a_path_is_refused(void) {
  check_refused("../x", PLUGIN_HOOK,
                "plugin '../x': not a plugin's name; write 1 to 64 of a-z, "
                "0-9 and _");
  check_refused("", PLUGIN_HOOK,
                "plugin '': not a plugin's name; write 1 to 64 of a-z, 0-9 "
                "and _");
}

static void test_list_shows_all_and_why_not(void) {
  static const char *const wanted[] = {
      "goodbackend  backend  1.2.3  ABI 1.1\n  Keeps nothing\n",
      "  directory             string    required    where objects are kept\n",
      "  key                   secret    \"\"          signs links\n",
      "  part                  size      8MiB        of a part\n",
      "goodhook  hook  0.1  ABI 1.1\n  Hears nothing\n",
      "plugin 'othermajor': speaks ABI 2.0, this gateway 1.1;",
      "sluice_is_nowhere",
  };
  struct folders f;
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  CU_ASSERT_PTR_NOT_NULL_FATAL(out);
  folders_init(&f);
  plugin_list(f.list, out);
  fclose(out);
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    ROW(wanted[i], strstr(text, wanted[i]) != NULL);
  free(text);
}

static void test_list_shows_a_shadowed_one_once(void) {
  struct folders f;
  char *text = NULL;
  size_t size = 0, n = 0;
  FILE *out = open_memstream(&text, &size);
  CU_ASSERT_PTR_NOT_NULL_FATAL(out);
  folders_init(&f);
  for (n = 0; f.list[n] != NULL; n++)
    ;
  CU_ASSERT_TRUE_FATAL(n < FOLDERS_MAX);
  f.list[n] = f.list[n - 1];
  plugin_list(f.list, out);
  fclose(out);
  const char *first = strstr(text, "goodhook  hook");
  CU_ASSERT_PTR_NOT_NULL_FATAL(first);
  CU_ASSERT_PTR_NULL(strstr(first + 1, "goodhook  hook"));
  free(text);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_backend_is_loaded),
      UNIT(test_hook_is_loaded),
      UNIT(test_plugin_without_options_has_an_empty_table),
      UNIT(test_what_lies_behind_the_descriptor_is_not_offered),
      UNIT(test_other_abi_is_refused),
      UNIT(test_incomplete_descriptor_is_refused),
      UNIT(test_other_kind_is_refused),
      UNIT(test_other_name_is_refused),
      UNIT(test_bad_option_is_refused),
      UNIT(test_bad_metric_is_refused),
      UNIT(test_missing_symbols_are_named),
      UNIT(test_missing_file_says_where_was_looked),
      UNIT(test_missing_file_says_what_was_meant),
      UNIT(test_name_that_is_a_path_is_refused),
      UNIT(test_list_shows_all_and_why_not),
      UNIT(test_list_shows_a_shadowed_one_once),
      {NULL, NULL},
  };
  struct plugin plugin;
  struct errmsg err;
  if (getenv("SLUICE_PLUGINS") == NULL ||
      (!load(&plugin, "goodbackend", PLUGIN_BACKEND, &err) &&
       strstr(err.text, "not found") != NULL)) {
    puts("skipped: SLUICE_PLUGINS names no folder with tests/plugins built");
    return UNIT_SKIP;
  }
  return unit_main("plugin", tests);
}
