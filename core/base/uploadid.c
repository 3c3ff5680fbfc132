/* SPDX-License-Identifier: MIT
 *
 * Ids: a version, flags, and the texts, each up to its NUL.
 */
#include "uploadid.h"

#include <stdlib.h>
#include <string.h>

#include "seal.h"

#define VERSION 1
#define FLAG_TUS 1
#define FLAG_PARTIAL 2
#define FLAGS (FLAG_TUS | FLAG_PARTIAL)
#define PLAIN_MAX UPLOADID_MAX

bool uploadid_write(struct buf *out, const struct digest_key *key,
                    const struct uploadid *id) {
  struct buf plain;
  size_t before = out->len;
  buf_init(&plain, PLAIN_MAX);
  buf_addc(&plain, VERSION);
  buf_addc(&plain, (char)((id->way == UPLOADID_TUS ? FLAG_TUS : 0) |
                          (id->partial ? FLAG_PARTIAL : 0)));
  for (size_t i = 0; i < UPLOADID_TEXTS; i++)
    buf_add(&plain, id->texts[i], strlen(id->texts[i]) + 1);
  bool ok = !plain.overflown && seal_close(out, key, plain.data, plain.len) &&
            out->len - before <= UPLOADID_MAX;
  buf_fini(&plain);
  return ok;
}

/* The sealed bytes were written here; still nothing is taken for granted. */
static bool uploadid_cut(struct uploadid *id, char *data, size_t len) {
  if (len < 2 || data[0] != VERSION || (data[1] & ~FLAGS) != 0)
    return false;
  id->way = (data[1] & FLAG_TUS) != 0 ? UPLOADID_TUS : UPLOADID_DRAFT;
  id->partial = (data[1] & FLAG_PARTIAL) != 0;
  char *at = data + 2, *end = data + len;
  for (size_t i = 0; i < UPLOADID_TEXTS; i++) {
    char *nul = memchr(at, '\0', (size_t)(end - at));
    if (nul == NULL)
      return false;
    id->texts[i] = at;
    at = nul + 1;
  }
  return at == end;
}

bool uploadid_read(struct uploadid *id, const struct digest_key *key,
                   const char *text) {
  struct buf plain;
  size_t len = strnlen(text, UPLOADID_MAX + 1);
  *id = (struct uploadid){.room = NULL};
  buf_init(&plain, PLAIN_MAX);
  bool ok = len <= UPLOADID_MAX && seal_open(&plain, key, text, len);
  size_t size = plain.len;
  if (ok)
    id->room = buf_take(&plain);
  buf_fini(&plain);
  if (id->room != NULL && uploadid_cut(id, id->room, size))
    return true;
  uploadid_fini(id);
  return false;
}

void uploadid_fini(struct uploadid *id) {
  free(id->room);
  id->room = NULL;
}
