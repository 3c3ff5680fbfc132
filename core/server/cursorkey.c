/* SPDX-License-Identifier: MIT
 *
 * Keys of cursors (docs/decisions/0025).  Called at the start, once for each
 * backend.
 */
#include "cursorkey.h"

#include <string.h>

#include "buf.h"

#define MATERIAL_MAX (1024 * 1024)

/* A use of its own for each secret, so that no two keys are alike. */
static void add_text(struct buf *out, const char *text) {
  buf_add(out, text, strlen(text) + 1);
}

/* Adds what is secret of the backend's options; false: nothing is. */
static bool add_secrets(struct buf *out, const struct plugin *plugin,
                        const void *conf) {
  bool any = false;
  const struct sluice_option *option = plugin_options(plugin);
  for (; option->name != NULL; option++) {
    const char *value;
    if (option->type != SLUICE_SECRET)
      continue;
    memcpy(&value, (const char *)conf + option->offset, sizeof value);
    if (value == NULL || *value == '\0')
      continue;
    add_text(out, option->name);
    add_text(out, value);
    any = true;
  }
  return any;
}

struct digest_key *cursorkey_new(const char *secret, const char *backend,
                                 const struct plugin *plugin, const void *conf,
                                 bool *lonely) {
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
  if (*lonely)
    made = digest_key_random();
  else if (!material.overflown) {
    digest_sha256(key, material.data, material.len);
    made = digest_key_new(key, sizeof key);
    digest_wipe(key, sizeof key);
  }
  digest_wipe(material.data, material.len);
  buf_fini(&material);
  return made;
}
