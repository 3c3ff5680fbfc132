/* SPDX-License-Identifier: MIT
 *
 * The options of the backend that is looked at.
 */
#include "doctor.h"

#include <string.h>

static struct instance *at_hand(const struct doctor *d) {
  return d->gateway->now->backends[d->backend];
}

const struct sluice_option *doctor_option(const struct doctor *d,
                                          const char *name) {
  const struct sluice_option *option = plugin_options(&at_hand(d)->plugin);
  while (option->name != NULL && strcmp(option->name, name) != 0)
    option++;
  return option->name == NULL ? NULL : option;
}

static char *field(const struct doctor *d, const char *name, int type) {
  const struct sluice_option *option = doctor_option(d, name);
  return option == NULL || option->type != type
             ? NULL
             : (char *)at_hand(d)->conf + option->offset;
}

const char *doctor_text(const struct doctor *d, const char *name) {
  const char *text = NULL;
  const char *at = field(d, name, SLUICE_STRING);
  if (at != NULL)
    memcpy(&text, at, sizeof text);
  return text;
}

bool doctor_bool(const struct doctor *d, const char *name, bool otherwise) {
  const char *at = field(d, name, SLUICE_BOOL);
  if (at != NULL)
    memcpy(&otherwise, at, sizeof otherwise);
  return otherwise;
}

void doctor_set_bool(struct doctor *d, const char *name, bool value) {
  char *at = field(d, name, SLUICE_BOOL);
  if (at != NULL)
    memcpy(at, &value, sizeof value);
}

void doctor_set_int(struct doctor *d, const char *name, int64_t value) {
  char *at = field(d, name, SLUICE_INT);
  if (at == NULL)
    at = field(d, name, SLUICE_TIME);
  if (at != NULL)
    memcpy(at, &value, sizeof value);
}
