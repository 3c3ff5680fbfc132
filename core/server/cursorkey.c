/* SPDX-License-Identifier: MIT
 *
 * Keys of cursors (docs/decisions/0025).  Called at the start, once for each
 * backend.
 */
#include "cursorkey.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"

#define MATERIAL_MAX (1024 * 1024)
#define MACHINE_FILE "/etc/machine-id" /* machine-id(5): not for outsiders */
#define MACHINE_MIN 32                 /* characters of a whole one */

/* A use of its own for each secret, so that no two keys are alike. */
static void add_text(struct buf *out, const char *text) {
  buf_add(out, text, strlen(text) + 1);
}

/* NULL: it isn't set. */
static const char *secret_of(const struct sluice_option *option,
                             const void *conf) {
  const char *value;
  if (option->type != SLUICE_SECRET)
    return NULL;
  memcpy(&value, (const char *)conf + option->offset, sizeof value);
  return value == NULL || *value == '\0' ? NULL : value;
}

bool cursorkey_has(const struct plugin *plugin, const void *conf,
                   const char *name) {
  const struct sluice_option *option = plugin_options(plugin);
  for (; option->name != NULL; option++)
    if ((name == NULL || strcmp(option->name, name) == 0) &&
        secret_of(option, conf) != NULL)
      return true;
  return false;
}

/* Adds what is secret of the backend's options; false: nothing is. */
static bool add_secrets(struct buf *out, const struct plugin *plugin,
                        const void *conf) {
  const struct sluice_option *option = plugin_options(plugin);
  for (; option->name != NULL; option++) {
    const char *value = secret_of(option, conf);
    if (value == NULL)
      continue;
    add_text(out, option->name);
    add_text(out, value);
  }
  return cursorkey_has(plugin, conf, NULL);
}

/* Adds what this machine alone knows; false: it has no such thing. */
static bool add_machine(struct buf *out) {
  char id[64] = "";
  FILE *file = fopen(MACHINE_FILE, "re");
  bool read = file != NULL && fgets(id, sizeof id, file) != NULL;
  if (file != NULL)
    fclose(file);
  id[strcspn(id, "\n")] = '\0';
  if (!read || strlen(id) < MACHINE_MIN)
    return false;
  add_text(out, id);
  digest_wipe(id, sizeof id);
  return true;
}

struct digest_key *cursorkey_new(const char *secret, const char *backend,
                                 const struct plugin *plugin, const void *conf,
                                 const char *spare, bool *lonely) {
  struct buf material;
  unsigned char key[DIGEST_SHA256_LEN];
  struct digest_key *made = NULL;
  buf_init(&material, MATERIAL_MAX);
  add_text(&material, "cursor");
  add_text(&material, backend);
  add_text(&material, plugin->name);
  *lonely = false;
  if (*secret != '\0')
    add_text(&material, secret);
  else
    *lonely = !add_secrets(&material, plugin, conf);
  if (*lonely && !add_machine(&material))
    add_text(&material, spare);
  if (!material.overflown) {
    digest_sha256(key, material.data, material.len);
    made = digest_key_new(key, sizeof key);
    digest_wipe(key, sizeof key);
  }
  digest_wipe(material.data, material.len);
  buf_fini(&material);
  return made;
}
