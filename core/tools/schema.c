/* SPDX-License-Identifier: MIT
 *
 * `sluice schema`: a JSON Schema of the configuration, for editors and for
 * checks elsewhere.  It is made of the tables that the configuration is read
 * by, those of all plugins that are found among them.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "errmsg.h"
#include "log.h"
#include "must.h"
#include "operation.h"
#include "options.h"
#include "plugin.h"
#include "settings.h"
#include "settings_tables.h"
#include "tools.h"

/* ${NAME} may stand for any text. */
#define VARIABLE "\\$\\{"

static json_t *have_made(json_t *made) {
  must_have(made); /* some KiB, in a process of its own */
  return made;
}

static void set(json_t *object, const char *key, json_t *value) {
  must_have(json_object_set_new(object, key, have_made(value)) == 0);
}

/* ---- a value ------------------------------------------------------------ */

/* Any text; readers of YAML take some for numbers or dates. */
static json_t *text_schema(void) {
  return json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean");
}

static json_t *pattern_schema(const char *pattern) {
  return json_pack("{s:s, s:s}", "type", "string", "pattern", pattern);
}

static json_t *int_schema(const char *section, const char *key) {
  uint64_t min, max;
  json_t *number = have_made(json_pack("{s:s}", "type", "integer"));
  if (section != NULL && settings_range(section, key, &min, &max)) {
    set(number, "minimum", json_integer((json_int_t)min));
    set(number, "maximum", json_integer((json_int_t)max));
  }
  return json_pack("{s:[o,o]}", "anyOf", number,
                   have_made(pattern_schema("^-?[0-9]+$|" VARIABLE)));
}

static json_t *zero_or(const char *pattern) {
  return json_pack("{s:[{s:i}, o]}", "anyOf", "const", 0,
                   have_made(pattern_schema(pattern)));
}

static json_t *type_schema(int type, const char *section, const char *key) {
  switch ((enum sluice_type)type) {
  case SLUICE_STRING:
  case SLUICE_SECRET:
  case SLUICE_BACKEND_NAME:
    return text_schema();
  case SLUICE_BOOL:
    return json_pack("{s:[{s:s}, o]}", "anyOf", "type", "boolean",
                     have_made(pattern_schema("^(true|false)$|" VARIABLE)));
  case SLUICE_INT:
    return int_schema(section, key);
  case SLUICE_SIZE:
    return zero_or("^(0|[0-9]+([KMGT]i)?B)$|" VARIABLE);
  case SLUICE_TIME:
    return zero_or("^(0|[0-9]+(ms|s|m|h|d))$|" VARIABLE);
  case SLUICE_LIST:
  case SLUICE_BACKEND_NAMES:
    return json_pack("{s:s, s:o}", "type", "array", "items",
                     have_made(text_schema()));
  }
  return NULL;
}

static json_t *option_schema(const struct sluice_option *option,
                             const char *section) {
  json_t *schema = have_made(type_schema(option->type, section, option->name));
  set(schema, "description", json_string(option->help));
  if (option->fallback != NULL && *option->fallback != '\0' &&
      !options_is_list(option->type) && option->type != SLUICE_SECRET)
    set(schema, "default", json_string(option->fallback));
  return schema;
}

/* ---- a mapping ---------------------------------------------------------- */

static json_t *mapping_schema(const struct sluice_option *option,
                              const char *section) {
  json_t *properties = have_made(json_object());
  json_t *required = have_made(json_array());
  for (; option->name != NULL; option++) {
    set(properties, option->name, option_schema(option, section));
    if (option->fallback == NULL)
      must_have(json_array_append_new(required, json_string(option->name)) ==
                0);
  }
  /* All lines of a section may be comments. */
  return json_pack("{s:[s,s], s:b, s:o, s:o}", "type", "object", "null",
                   "additionalProperties", 0, "properties", properties,
                   "required", required);
}

static json_t *of(json_t *schema, const char *name) {
  return json_object_get(json_object_get(schema, "properties"), name);
}

static void add(json_t *schema, const char *name, json_t *value) {
  set(json_object_get(schema, "properties"), name, value);
}

/* The section that "limits.per_client" is in, and its last name. */
static json_t *parent_of(json_t *root, const char *section,
                         const char **last) {
  char name[64];
  const char *dot;
  *last = section;
  while ((dot = strchr(*last, '.')) != NULL) {
    snprintf(name, sizeof name, "%.*s", (int)(dot - *last), *last);
    root = of(root, name);
    *last = dot + 1;
  }
  return root;
}

static void add_sections(json_t *root) {
  static const struct settings_table *const all[] = {
      settings_tables_sections, settings_tables_web, settings_tables_cors,
      settings_tables_tls, settings_tables_confine};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    for (const struct settings_table *at = all[i]; at->section != NULL; at++) {
      const char *last;
      json_t *parent = parent_of(root, at->section, &last);
      add(parent, last, mapping_schema(at->options, at->section));
    }
}

static json_t *map_schema(const char *help) {
  return json_pack("{s:[s,s], s:s, s:o}", "type", "object", "null",
                   "description", help, "additionalProperties",
                   have_made(text_schema()));
}

/* ---- plugins ------------------------------------------------------------ */

struct kinds {
  json_t *defs;
  json_t *names[2], *rules[2]; /* by enum plugin_kind */
};

static const char *const kind_names[2] = {
    [PLUGIN_BACKEND] = "backend", [PLUGIN_HOOK] = "hook"};

static void found(void *arg, const struct plugin *plugin) {
  struct kinds *kinds = arg;
  char def[160], ref[192];
  const char *kind = kind_names[plugin->kind];
  snprintf(def, sizeof def, "%s_%.64s", kind, plugin->name);
  snprintf(ref, sizeof ref, "#/$defs/%s", def);
  json_t *schema = have_made(mapping_schema(plugin_options(plugin), NULL));
  set(schema, "type", json_string("object"));
  set(schema, "description",
      json_string(plugin->kind == PLUGIN_BACKEND ? plugin->backend.summary
                                                 : plugin->hook.summary));
  add(schema, "plugin", json_pack("{s:s}", "const", plugin->name));
  set(kinds->defs, def, schema);
  must_have(json_array_append_new(kinds->names[plugin->kind],
                                  json_string(plugin->name)) == 0);
  json_t *rule =
      json_pack("{s:{s:{s:{s:s}}}, s:{s:s}}", "if", "properties", "plugin",
                "const", plugin->name, "then", "$ref", ref);
  must_have(
      json_array_append_new(kinds->rules[plugin->kind], have_made(rule)) == 0);
}

static void failed(void *arg, const char *why) {
  (void)arg;
  log_plain("sluice: %s", why);
}

static void add_plugins(json_t *defs, const char *const *folders) {
  struct kinds kinds = {.defs = defs};
  const struct plugin_visitor visitor = {found, failed, &kinds};
  for (size_t i = 0; i < 2; i++) {
    kinds.names[i] = have_made(json_array());
    kinds.rules[i] = have_made(json_array());
  }
  plugin_each(folders, &visitor);
  for (size_t i = 0; i < 2; i++)
    set(defs, kind_names[i],
        json_pack("{s:s, s:[s], s:{s:{s:s, s:o}}, s:o}", "type", "object",
                  "required", "plugin", "properties", "plugin", "description",
                  "name of a plugin", "enum", kinds.names[i], "allOf",
                  kinds.rules[i]));
}

/* ---- routes ------------------------------------------------------------- */

static json_t *hooks_schema(const char *help) {
  return json_pack("{s:[s,s], s:s, s:{s:s}}", "type", "array", "null",
                   "description", help, "items", "$ref", "#/$defs/hook");
}

static json_t *routes_schema(void) {
  const char *words[OPERATION_WORDS];
  json_t *route =
      have_made(mapping_schema(settings_tables_routes[0].options, NULL));
  json_t *operations = have_made(json_array());
  set(route, "type", json_string("object"));
  operation_words(words, NULL);
  for (size_t i = 0; words[i] != NULL; i++)
    must_have(json_array_append_new(operations, json_string(words[i])) == 0);
  set(of(route, "operation"), "enum", operations);
  json_object_del(of(route, "operation"), "type");
  add(route, "hooks", hooks_schema("of this route, in place of the others"));
  set(route, "oneOf",
      json_pack("[{s:[s]}, {s:[s,s,s]}]", "required", "mount", "required",
                "path", "method", "operation"));
  return json_pack("{s:s, s:i, s:i, s:o}", "type", "array", "minItems", 1,
                   "maxItems", SETTINGS_ROUTES_MAX, "items", route);
}

/* One, or a list of them. */
static json_t *admin_schema(void) {
  return json_pack("{s:[o, {s:s, s:i, s:o}], s:s}", "anyOf",
                   have_made(text_schema()), "type", "array", "maxItems",
                   SETTINGS_ADMIN_MAX, "items", have_made(text_schema()),
                   "description",
                   "where operators ask, and nobody else: host:port, "
                   "unix:/path, or a list of them");
}

/* A word alone is its mode. */
static void confine_schema(json_t *schema) {
  set(schema, "type",
      json_pack("[s,s,s,s]", "object", "null", "string", "boolean"));
  set(schema, "pattern", json_string("^(on|required|off|true|false)$"));
}

/* ---- all of it ---------------------------------------------------------- */

static json_t *whole_schema(const char *const *folders) {
  json_t *root =
      have_made(mapping_schema(settings_tables_top[0].options, NULL));
  json_t *defs = have_made(json_object());
  set(root, "type", json_string("object"));
  set(root, "$schema",
      json_string("https://json-schema.org/draft/2020-12/schema"));
  set(root, "title", json_string("sluice.yaml"));
  add_sections(root);
  confine_schema(of(of(root, "server"), "confine"));
  add(of(root, "server"), "admin", admin_schema());
  add(of(root, "server"), "headers", map_schema("of every answer"));
  add(of(root, "server"), "ready",
      json_pack("{s:[o, {s:s, s:o}], s:s}", "anyOf", have_made(text_schema()),
                "type", "array", "items", have_made(text_schema()),
                "description", "backends that /readyz asks; all"));
  add(of(root, "uploads"), "types", map_schema("extension: media type"));
  add_plugins(defs, folders);
  add(root, "backends",
      json_pack("{s:s, s:i, s:i, s:{s:s}, s:s}", "type", "object",
                "minProperties", 1, "maxProperties", SETTINGS_BACKENDS_MAX,
                "additionalProperties", "$ref", "#/$defs/backend",
                "description", "storages, by name"));
  add(root, "hooks", hooks_schema("in this order, of every route"));
  add(root, "routes", routes_schema());
  set(root, "required", json_pack("[s,s]", "backends", "routes"));
  set(root, "$defs", defs);
  return root;
}

static int schema_run(const struct tool_line *line) {
  static const char *const installed[] = {SLUICE_PLUGINDIR, NULL};
  struct settings *settings = NULL;
  struct errmsg err;
  if (line->named &&
      (settings = settings_load(line->file, SLUICE_PLUGINDIR, &err)) == NULL) {
    log_plain("sluice: %s", err.text);
    return TOOL_CANT;
  }
  json_t *schema =
      whole_schema(settings != NULL ? settings->plugin_path : installed);
  int status =
      json_dumpf(schema, stdout, JSON_INDENT(2)) == 0 ? TOOL_OK : TOOL_CANT;
  putchar('\n');
  json_decref(schema);
  settings_free(settings);
  return status;
}

const struct tool tool_schema = {
    .name = "schema",
    .synopsis = "[-c FILE]",
    .summary = "Prints the JSON Schema of configurations; with -c, also of "
               "its own plugins.",
    .run = schema_run,
};
