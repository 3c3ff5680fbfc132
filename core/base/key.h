/* SPDX-License-Identifier: MIT
 *
 * Object keys: what one may look like, and how an upload's is made from its
 * prefix and file name (docs/http.md, "upload").
 */
#ifndef BASE_KEY_H
#define BASE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_MAX 1024      /* bytes of UTF-8, as S3 has it */
#define KEY_OWN ".sluice" /* the first segment of the gateway's own keys */
#define KEY_USER "{user}" /* in a configured prefix: whose upload it is */
#define KEY_NAME_MAX 246  /* of a file name: "12345678-" and it make 255 */

/* Why a key or prefix of an upload is refused: a constant for the client, NULL
 * when it is fine.  Refused are: bytes that aren't UTF-8, control characters
 * (C0, DEL, C1), what XML 1.0 has no place for (U+FFFE, U+FFFF), as S3 lists
 * keys in it, more than KEY_MAX bytes, segments "." and "..". */
const char *key_fault(const char *key, size_t len);

/* And of one that a client names for an object to be made: it has no empty
 * segment, as some storages take /x, x and a//b for others. */
const char *key_made_fault(const char *key, size_t len);

/* So too of one that is asked for, which others than the gateway may have
 * made: refused are bytes that aren't UTF-8, NUL, more than KEY_MAX bytes, and
 * segments "." and "..", as a storage might climb by them. */
const char *key_found_fault(const char *key, size_t len);
/* Is it ".sluice", or below it, whatever slashes it begins with, as some
 * storages take /x for x?  That is the gateway's own, and refused by all of
 * these. */
bool key_reserved(const char *key, size_t len);
/* And of one to remove: here those segments pass, and key_climbs() tells who
 * has to see first that there is such a key, to the letter. */
const char *key_removed_fault(const char *key, size_t len);
/* Has it a segment "." or ".."? */
bool key_climbs(const char *key, size_t len);

/* An upload's prefix: outer slashes dropped; empty after that: `fallback`.
 * NULL and out filled, or why it is refused: as above, or an empty segment. */
const char *key_prefix(char out[KEY_MAX + 1], const char *in, size_t len,
                       const char *fallback);

/* Why a configured prefix can't be used: "{user}" is in it more than once.  A
 * constant, or NULL. */
const char *key_user_fault(const char *prefix);
/* Such a prefix with "{user}" replaced.  NULL and out filled, or why not: an
 * identity that is empty, "." or "..", has a slash or what no key may have, or
 * makes the prefix longer than KEY_MAX. */
const char *key_user(char out[KEY_MAX + 1], const char *prefix,
                     const char *identity);

/* A client's file name: the last segment after / or \, control characters,
 * U+FFFE, U+FFFF and what isn't UTF-8 removed, cut at a character to
 * KEY_NAME_MAX bytes; empty,
 * "." or "..": "unnamed". */
void key_filename(char out[KEY_NAME_MAX + 1], const char *in, size_t len);

/* <prefix>/<YYYY>/<MM>/<DD>/<8 hex>-<filename, spaces as _>; false when that
 * is longer than KEY_MAX. */
bool key_make(char out[KEY_MAX + 1], const char *prefix, int64_t seconds,
              uint32_t random, const char *filename);

/* Has it the form of such a key, whose random digits nobody else draws? */
bool key_is_made(const char *key);

/* The last segment that isn't empty, so that the marker of a folder has a
 * name, too; "unnamed" where all are. */
void key_name(char out[KEY_MAX + 1], const char *key);

#endif
