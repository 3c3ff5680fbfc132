/* SPDX-License-Identifier: MIT
 *
 * Marks of revocations.  A revocation is of a link, a key, all keys below a
 * prefix, or an identity, and perhaps only of what one identity made; a mark
 * is a short name of that.  A link is revoked when one of its marks has a
 * greater number than the link.  A storage keeps each as the key of an empty
 * object, so that one list tells them all.
 */
#ifndef BASE_LINKMARK_H
#define BASE_LINKMARK_H

#include "ownlink.h"

#define LINKMARK_LEN 16
#define LINKMARK_OWNER_LEN 4 /* its end, of marks that have an owner */
#define LINKMARK_FOLDER ".sluice/revoked/"
#define LINKMARK_KEY_SIZE 80

enum linkmark_kind {
  LINKMARK_ID,
  LINKMARK_KEY,
  LINKMARK_PREFIX, /* without outer slashes */
  LINKMARK_IDENTITY
};

/* `owner`: only of what this identity made; NULL: of all. */
void linkmark_make(unsigned char out[LINKMARK_LEN], enum linkmark_kind,
                   const char *name, const char *owner);
/* Marks of this owner end in it, so that they can be counted. */
void linkmark_owner(unsigned char out[LINKMARK_OWNER_LEN], const char *owner);
/* Asks about each mark that the link has, until `test` says true. */
bool linkmark_any(const struct ownlink *,
                  bool (*test)(void *arg, const unsigned char *mark),
                  void *arg);

struct linkmark {
  unsigned char mark[LINKMARK_LEN];
  uint64_t number;
  int64_t expires_s; /* no link that it is about lives longer */
};

void linkmark_key(char out[LINKMARK_KEY_SIZE], const struct linkmark *);
bool linkmark_parse(struct linkmark *, const char *key); /* false: no such */
/* May it be forgotten?  `newest` is the greatest number of its mark, `top`
 * that of all, which stays: links that are made carry it. */
bool linkmark_is_over(const struct linkmark *, int64_t now_s, uint64_t newest,
                      uint64_t top);

#endif
