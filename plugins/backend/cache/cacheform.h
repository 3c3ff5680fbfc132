/* SPDX-License-Identifier: MIT
 *
 * The form of an entry's file in the directory of the layer `cache`: a head
 * that describes the object, its bytes, and a tail with their MD5.  Pure
 * functions; what is read may be anything, as a disk may have cut or changed
 * it.
 */
#ifndef CACHE_CACHEFORM_H
#define CACHE_CACHEFORM_H

#include <sluice/plugin.h>

#include "digest.h"

#define CACHEFORM_HEAD_MIN 64
#define CACHEFORM_HEAD_MAX 65536 /* bytes of a head */
#define CACHEFORM_TAIL (8 + DIGEST_MD5_LEN)
#define CACHEFORM_PAIRS_MAX 64
#define CACHEFORM_ID_LEN DIGEST_SHA256_LEN

/* A head that was read.  All strings lie in the bytes that it was read of. */
struct cacheform {
  size_t head; /* bytes of it: the object's begin behind */
  const char *key;
  struct sluice_meta meta; /* its user is `pairs`, or NULL */
  struct sluice_pair pairs[CACHEFORM_PAIRS_MAX + 1];
};

/* Writes a head; 0: it doesn't fit in CACHEFORM_HEAD_MAX bytes. */
size_t cacheform_write(unsigned char head[CACHEFORM_HEAD_MAX], const char *key,
                       const struct sluice_meta *);
/* Bytes of the head that begins so; 0: it is none. */
size_t cacheform_length(const unsigned char first[CACHEFORM_HEAD_MIN]);
/* False: it isn't a head, or not as it was written.  The struct may not be
 * copied, as its meta points into it. */
bool cacheform_read(struct cacheform *, const unsigned char *head,
                    size_t size);

void cacheform_tail(unsigned char tail[CACHEFORM_TAIL],
                    const unsigned char md5[DIGEST_MD5_LEN]);
/* The MD5 in it; NULL: it isn't one. */
const unsigned char *
cacheform_tail_md5(const unsigned char tail[CACHEFORM_TAIL]);

/* The name of a key's entry. */
void cacheform_id(unsigned char id[CACHEFORM_ID_LEN], const char *key);
/* Are these the same version of an object? */
bool cacheform_same(const struct sluice_meta *, const struct sluice_meta *);

#endif
