/* SPDX-License-Identifier: MIT
 *
 * The types of options, and the check of a table.  A table may come from a
 * plugin, so nothing of it is trusted before options_check() has seen it.
 */
#include "options_type.h"
#include "quantity.h"
#include <stdalign.h>
#include <string.h>

static const struct options_type types[] = {
    [SLUICE_STRING] = {"string", "write a text", sizeof(const char *),
                       alignof(const char *)},
    [SLUICE_SECRET] = {"secret", "write a text", sizeof(const char *),
                       alignof(const char *)},
    [SLUICE_BOOL] = {"bool", "write true or false", sizeof(bool),
                     alignof(bool)},
    [SLUICE_INT] = {"int", "write a whole number, as in 12", sizeof(int64_t),
                    alignof(int64_t)},
    [SLUICE_SIZE] = {"size",
                     "write a size with its unit, as in 64KiB or 50MiB",
                     sizeof(uint64_t), alignof(uint64_t)},
    [SLUICE_TIME] = {"time",
                     "write a time with its unit, as in 250ms, 30s or "
                     "1h",
                     sizeof(int64_t), alignof(int64_t)},
    [SLUICE_LIST] = {"list", "write a list, as in [a, b]",
                     sizeof(const char *const *),
                     alignof(const char *const *)},
    [SLUICE_BACKEND_NAME] = {"backend", "write the name of a backend",
                             sizeof(const char *), alignof(const char *)},
    [SLUICE_BACKEND_NAMES] = {"backends",
                              "write a list of backends, as in [a, b]",
                              sizeof(const char *const *),
                              alignof(const char *const *)},
};

#define TYPES (sizeof types / sizeof *types)

const struct options_type *options_type_get(int type) {
  return type < 0 || (size_t)type >= TYPES ? NULL : &types[type];
}

const char *options_type(int type) {
  const struct options_type *info = options_type_get(type);
  return info == NULL ? NULL : info->name;
}

bool options_is_list(int type) {
  return type == SLUICE_LIST || type == SLUICE_BACKEND_NAMES;
}

static bool parse_bool(const char *text, bool *out) {
  *out = strcmp(text, "true") == 0;
  return *out || strcmp(text, "false") == 0;
}

bool options_type_parse(int type, const char *text, void *field) {
  switch ((enum sluice_type)type) {
  case SLUICE_STRING:
  case SLUICE_SECRET:
  case SLUICE_BACKEND_NAME:
    *(const char **)field = text;
    return true;
  case SLUICE_BOOL:
    return parse_bool(text, field);
  case SLUICE_INT:
    return quantity_int(text, field);
  case SLUICE_SIZE:
    return quantity_size(text, field);
  case SLUICE_TIME:
    return quantity_time(text, field);
  case SLUICE_LIST:
  case SLUICE_BACKEND_NAMES:
    break;
  }
  return false;
}

static bool is_option_name(const char *name) {
  size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
  return name[len] == '\0' && len >= 1 && len <= OPTIONS_NAME_MAX;
}

static bool check_entry(const struct sluice_option *option, size_t conf_size,
                        struct errmsg *err) {
  if (!is_option_name(option->name))
    return errmsg_set(err, "option '%.64s' has a bad name; use [a-z0-9_]",
                      option->name);
  if (options_type(option->type) == NULL)
    return errmsg_set(err,
                      "option '%s' has an unknown type; use one of enum "
                      "sluice_type",
                      option->name);
  if (option->help == NULL || *option->help == '\0')
    return errmsg_set(err, "option '%s' has no help; say in a line what it is",
                      option->name);
  size_t size = types[option->type].size;
  if (conf_size < size || option->offset > conf_size - size ||
      option->offset % types[option->type].align != 0)
    return errmsg_set(err,
                      "option '%s' lies outside of its struct; check "
                      "offset and conf_size",
                      option->name);
  return true;
}

static bool check_fallback(const struct sluice_option *option,
                           struct errmsg *err) {
  alignas(max_align_t) char field[sizeof(max_align_t)];
  const char *text = option->fallback;
  if (text == NULL)
    return true;
  if (options_is_list(option->type)
          ? *text == '\0' || (*text == '[' && text[strlen(text) - 1] == ']')
          : options_type_parse(option->type, text, field))
    return true;
  return errmsg_set(err, "option '%s' has a default that is no %s; %s",
                    option->name, types[option->type].name,
                    types[option->type].expected);
}

bool options_check(const struct sluice_option *table,
                   const char *const *others, size_t conf_size,
                   struct errmsg *err) {
  for (size_t i = 0; table[i].name != NULL; i++) {
    if (i == OPTIONS_MAX)
      return errmsg_set(err, "more than %u options; drop some", OPTIONS_MAX);
    if (!check_entry(&table[i], conf_size, err) ||
        !check_fallback(&table[i], err))
      return false;
    bool taken = others != NULL && words_has(others, table[i].name);
    for (size_t j = 0; j < i; j++)
      taken = taken || strcmp(table[j].name, table[i].name) == 0;
    if (taken)
      return errmsg_set(err, "option '%s' is taken; give it another name",
                        table[i].name);
  }
  return true;
}
