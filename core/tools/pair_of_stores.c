/* SPDX-License-Identifier: MIT
 *
 * Both, on one stand.
 */
#include "pair_of_stores.h"

#include <string.h>

static bool find_backend(const struct gateway *gateway, const char *name,
                         size_t *index, struct errmsg *err) {
  const struct settings *settings = gateway->now->settings;
  for (*index = 0; *index < settings->backend_count; ++*index)
    if (strcmp(settings->backends[*index].name, name) == 0)
      return true;
  return errmsg_set(err, "'%s' is no backend of %s; name one of its backends",
                    name, settings->config->file);
}

static bool open_store(struct pair_of_stores *pair, const char *name,
                       struct op_backend **out, struct errmsg *err) {
  size_t index;
  if (!find_backend(pair->gateway, name, &index, err) ||
      !stand_backend(&pair->stand, index, err))
    return false;
  *out = &pair->stand.backends[index];
  return true;
}

bool pair_of_stores_init(struct pair_of_stores *pair, const char *file,
                         const char *from, const char *to,
                         struct errmsg *err) {
  size_t index;
  *pair = (struct pair_of_stores){.gateway = NULL};
  pair->gateway = gateway_new(file, SLUICE_PLUGINDIR, err);
  if (pair->gateway == NULL ||
      !find_backend(pair->gateway, from, &index, err) ||
      !find_backend(pair->gateway, to, &index, err))
    return false;
  if (strcmp(from, to) == 0)
    return errmsg_set(err, "'%s' is both; name two backends", from);
  pair->stands = true;
  return stand_init(&pair->stand, pair->gateway, err) &&
         open_store(pair, from, &pair->from, err) &&
         open_store(pair, to, &pair->to, err);
}

void pair_of_stores_fini(struct pair_of_stores *pair) {
  if (pair->stands)
    stand_fini(&pair->stand);
  gateway_free(pair->gateway);
}
