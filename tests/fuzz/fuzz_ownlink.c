/* SPDX-License-Identifier: MIT
 *
 * Links as clients send them.  The text is read as it is, which no link of
 * this key is; then as if this key had signed it, so that what is behind the
 * signature is reached: what reads as good is made again, and must read as the
 * same.
 */
#include "ownlink.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct digest_key *key;

static bool same(const char *a, const char *b) {
  return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void make_again(struct ownlink *link) {
  struct ownlink again;
  struct buf url;
  buf_init(&url, 2 * OWNLINK_MAX);
  if (ownlink_make(&url, link, key, "")) {
    assert(ownlink_read(&again, key, "", url.data, 0) == OWNLINK_GOOD);
    assert(same(again.name, link->name) && same(again.types, link->types) &&
           same(again.filename, link->filename) && same(again.by, link->by) &&
           again.uses == link->uses && again.max_bytes == link->max_bytes &&
           again.method == link->method && again.replace == link->replace &&
           same(again.backend, link->backend));
    char *backend = ownlink_backend(url.data); /* before it was verified */
    assert(same(backend, link->backend));
    free(backend);
    ownlink_fini(&again);
  }
  buf_fini(&url);
}

static void read_signed(const char *text) {
  unsigned char mac[DIGEST_SHA256_LEN];
  char hex[2 * DIGEST_SHA256_LEN + 1];
  struct ownlink link;
  struct buf query;
  buf_init(&query, 2 * OWNLINK_MAX);
  digest_key_sum(key, mac, text, strlen(text));
  codec_hex(hex, mac, sizeof mac);
  buf_addf(&query, "%s&signature=%s", text, hex);
  if (ownlink_read(&link, key, "", query.data, 0) == OWNLINK_GOOD) {
    assert(link.name != NULL && link.uses <= OWNLINK_USES_MAX);
    ownlink_takes(&link, "image/png; a=b");
    make_again(&link);
  }
  ownlink_fini(&link);
  buf_fini(&query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = strndup((const char *)data, size);
  struct ownlink link;
  if (key == NULL)
    key = digest_key_new("key", 3);
  if (text == NULL)
    return 0;
  assert(ownlink_read(&link, key, "scope", text, 0) != OWNLINK_GOOD);
  ownlink_fini(&link);
  ownlink_type_valid(text);
  read_signed(text);
  free(text);
  return 0;
}
