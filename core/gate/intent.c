/* SPDX-License-Identifier: MIT
 *
 * Each intent is checked when it is made, so that what was taken can be done.
 */
#include "intent.h"

#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "must.h"

static size_t pair_count(const struct sluice_pair *pairs) {
  size_t count = 0;
  while (pairs[count].name != NULL)
    count++;
  return count;
}

void intent_tell(struct intent *intent, const struct sluice_upload *known,
                 struct sluice_pair *user) {
  must(pair_count(user) < INTENT_PAIRS);
  intent->told = *known;
  intent->user = user;
  intent->told.user = user;
  if (intent->type[0] != '\0')
    intent->told.type = intent->type;
  intent->told.prefix_is_open =
      known->prefix_is_open && intent->has_prefix == INTENT_NO_PREFIX;
}

bool intent_type(struct intent *intent, const char *type) {
  struct buf clean;
  buf_init(&clean, MIME_MAX);
  bool ok = mime_valid(type) && mime_clean(&clean, type);
  if (ok) {
    memcpy(intent->type, clean.data, clean.len + 1);
    intent->told.type = intent->type;
  }
  buf_fini(&clean);
  return ok;
}

/* ---- metadata ----------------------------------------------------------- */

static bool intent_is_name(const char *name) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
  static const char own[] = "sluice-";
  size_t len = strspn(name, letters);
  return len > 0 && len <= SLUICE_UPLOAD_NAME_MAX && name[len] == '\0' &&
         strncmp(name, own, sizeof own - 1) != 0;
}

/* One that the gateway gives in some requests is its own in all. */
static bool is_taken(const struct intent *intent, const char *name) {
  static const char *const own[] = {"original-filename", "md5", "uploaded-by"};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if (strcmp(own[i], name) == 0)
      return true;
  for (const struct sluice_pair *pair = intent->pairs; pair->name; pair++)
    if (strcmp(pair->name, name) == 0)
      return true;
  return false;
}

static bool intent_is_value(const char *value) {
  if (!codec_utf8_valid(value, strlen(value)))
    return false;
  for (const char *at = value; *at != '\0';)
    if (codec_control(codec_utf8_next(&at)))
      return false;
  return true;
}

static const char *keep(struct intent *intent, const char *text) {
  size_t size = strlen(text) + 1;
  char *kept = intent->text + intent->used;
  memcpy(kept, text, size);
  intent->used += size;
  return kept;
}

bool intent_meta(struct intent *intent, const char *name, const char *value) {
  if (intent->count == SLUICE_UPLOAD_PAIRS_MAX || !intent_is_name(name) ||
      is_taken(intent, name) || strlen(value) >= SLUICE_UPLOAD_META_MAX ||
      !intent_is_value(value) ||
      strlen(name) + strlen(value) + 2 > sizeof intent->text - intent->used)
    return false;
  const char *kept = keep(intent, name);
  struct sluice_pair pair = {kept, keep(intent, value)};
  size_t all = pair_count(intent->user);
  intent->pairs[intent->count++] = pair;
  intent->user[all] = pair;
  intent->user[all + 1] = (struct sluice_pair){NULL, NULL};
  return true;
}

/* ---- the key ------------------------------------------------------------ */

bool intent_prefix(struct intent *intent, const char *prefix) {
  char clean[KEY_MAX + 1];
  if (!intent->told.prefix_is_open || strlen(prefix) > KEY_MAX ||
      strspn(prefix, "/") == strlen(prefix) ||
      key_prefix(clean, prefix, strlen(prefix), "") != NULL)
    return false;
  snprintf(intent->prefix, sizeof intent->prefix, "%s", clean);
  intent->has_prefix = INTENT_PREFIX_NEW;
  intent->told.prefix_is_open = false;
  return true;
}
