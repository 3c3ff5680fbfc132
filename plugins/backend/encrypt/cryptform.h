/* SPDX-License-Identifier: MIT
 *
 * The format of an encrypted object (docs/encrypted-objects.md): sizes, its
 * header, and its pieces one by one.  Pure functions over OpenSSL's
 * AES-256-GCM.
 */
#ifndef ENCRYPT_CRYPTFORM_H
#define ENCRYPT_CRYPTFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRYPT_KEY_LEN 32
#define CRYPT_ID_LEN 8
#define CRYPT_PIECE 65536 /* plain bytes of all pieces but the last */
#define CRYPT_TAG 16
#define CRYPT_SEALED (CRYPT_PIECE + CRYPT_TAG)
#define CRYPT_HEAD 76
#define CRYPT_KEYS_MAX 16

struct crypt_key {
  unsigned char id[CRYPT_ID_LEN], key[CRYPT_KEY_LEN];
};

struct crypt_keys { /* the first one seals, all of them open */
  struct crypt_key keys[CRYPT_KEYS_MAX];
  size_t count;
};

/* The id of a key, which tells nothing of it. */
void crypt_name(struct crypt_key *);

/* Bytes of the object that so many plain ones become; false: too many. */
bool crypt_sealed_length(uint64_t plain, uint64_t *sealed);
/* The reverse; false: no object of this format has that length. */
bool crypt_plain_length(uint64_t sealed, uint64_t *plain);

struct crypt; /* one object's data key */

/* A new data key, and the header that holds it; NULL: no memory. */
struct crypt *crypt_new(const struct crypt_keys *,
                        unsigned char head[CRYPT_HEAD]);
/* The data key of a header; NULL and why. */
struct crypt *crypt_open(const struct crypt_keys *,
                         const unsigned char head[CRYPT_HEAD],
                         const char **why);
void crypt_free(struct crypt *); /* wipes it; NULL: nothing */

/* The piece of that index, of 0..CRYPT_PIECE bytes; `out` has room for its tag
 * as well. */
void crypt_seal(struct crypt *, uint64_t index, bool last, const void *plain,
                size_t len, unsigned char *out);
/* `len` with its tag; false: it isn't what was sealed as that piece. */
bool crypt_unseal(struct crypt *, uint64_t index, bool last,
                  const unsigned char *sealed, size_t len,
                  unsigned char *plain);

#endif
