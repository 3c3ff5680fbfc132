/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a file of keys, and as what a storage has under an encrypted
 * object's key: its header and one piece.  What a storage changes in an object
 * that was written is noticed, whatever it changes.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char plain[] = "what was stored";

#define SEALED (sizeof plain + CRYPT_TAG)

static void check_keyfile(const uint8_t *data, size_t size) {
  static char path[64];
  static int fd = -1;
  struct crypt_keys keys = {.count = 0};
  struct errmsg err = {""};
  if (fd < 0) {
    fd = memfd_create("keys", MFD_CLOEXEC);
    fchmod(fd, S_IRUSR | S_IWUSR);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  }
  int failed = ftruncate(fd, 0);
  ssize_t written = pwrite(fd, data, size, 0);
  assert(failed == 0 && written == (ssize_t)size);
  if (keyfile_read(&keys, path, &err))
    assert(keys.count > 0 && keys.count <= CRYPT_KEYS_MAX);
  else
    assert(err.text[0] != '\0' && strchr(err.text, '\n') == NULL);
}

static void check_lengths(uint64_t length) {
  uint64_t sealed, back;
  if (crypt_sealed_length(length, &sealed))
    assert(crypt_plain_length(sealed, &back) && back == length);
  if (crypt_plain_length(length, &back))
    assert(crypt_sealed_length(back, &sealed) && sealed == length);
}

/* An object as it was written, with the input's bytes laid over it. */
static void check_changed(const struct crypt_keys *keys, const uint8_t *data,
                          size_t size) {
  unsigned char object[CRYPT_HEAD + SEALED], seen[CRYPT_HEAD + SEALED];
  unsigned char out[SEALED];
  const char *why = NULL;
  struct crypt *crypt = crypt_new(keys, object);
  assert(crypt != NULL);
  crypt_seal(crypt, 0, true, plain, sizeof plain, object + CRYPT_HEAD);
  crypt_free(crypt);
  memcpy(seen, object, sizeof seen);
  for (size_t i = 0; i < size && i < sizeof seen; i++)
    seen[i] ^= data[i];
  bool same = memcmp(seen, object, sizeof seen) == 0;
  crypt = crypt_open(keys, seen, &why);
  assert(crypt != NULL || why != NULL);
  bool read = crypt != NULL &&
              crypt_unseal(crypt, 0, true, seen + CRYPT_HEAD, SEALED, out);
  assert(read == same);
  assert(!read || memcmp(out, plain, sizeof plain) == 0);
  crypt_free(crypt);
}

/* A header that nobody wrote. */
static void check_alien(const struct crypt_keys *keys, const uint8_t *data,
                        size_t size) {
  const char *why = NULL;
  if (size < CRYPT_HEAD)
    return;
  struct crypt *crypt = crypt_open(keys, data, &why);
  assert(crypt == NULL && why != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct crypt_keys keys = {.count = 1};
  uint64_t length = 0;
  memset(keys.keys[0].key, 7, sizeof keys.keys[0].key);
  crypt_name(&keys.keys[0]);
  if (size > 0)
    memcpy(&length, data, size < sizeof length ? size : sizeof length);
  check_keyfile(data, size);
  check_lengths(length);
  check_changed(&keys, data, size);
  check_alien(&keys, data, size);
  return 0;
}
