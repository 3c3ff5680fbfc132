/* SPDX-License-Identifier: MIT
 *
 * An upload that is to be made once, however often it is sent: what a storage
 * keeps of it, as text, and under which key.
 */
#ifndef BASE_ONCERECORD_H
#define BASE_ONCERECORD_H

#include "buf.h"
#include "key.h"
#include "mime.h"

#define ONCERECORD_PREFIX KEY_OWN "/once/"
#define ONCERECORD_KEY_SIZE (sizeof ONCERECORD_PREFIX + 64)
#define ONCERECORD_MAX 4096 /* bytes of text */
#define ONCERECORD_OWNER_LEN 32
#define ONCERECORD_MD5_LEN 32    /* hex digits */
#define ONCERECORD_SHA256_LEN 64 /* so, too */

enum oncerecord_state {
  ONCERECORD_CLAIMED,    /* its bytes are on their way */
  ONCERECORD_COMMITTING, /* it is stored, or about to be, as `key` */
  ONCERECORD_DONE        /* it was stored as `key` */
};

struct oncerecord {
  enum oncerecord_state state;
  uint64_t at_ms;    /* it is of that time, in milliseconds since 1970 */
  uint64_t until_ms; /* until then its owner is alive, unless it is done */
  char owner[ONCERECORD_OWNER_LEN + 1];
  /* Also of a claim that took over one which was about to store this: the
   * same names get the same key. */
  char key[KEY_MAX + 1];
  char prefix[KEY_MAX + 1], filename[KEY_NAME_MAX + 1], type[MIME_MAX + 1];
  uint64_t size;
  char md5[ONCERECORD_MD5_LEN + 1];
  char sha256[ONCERECORD_SHA256_LEN + 1]; /* "": not known */
  uint64_t keeps;                         /* 1: SHA-256 is the object's, too */
};

/* The key of what one identity names so on one route. */
void oncerecord_key(char out[ONCERECORD_KEY_SIZE], const char *identity,
                    const char *route, const char *name);

/* False: a text of it has a line break, or it is too long. */
bool oncerecord_write(struct buf *, const struct oncerecord *);
/* False: it isn't one. */
bool oncerecord_read(struct oncerecord *, const char *text, size_t len);

#endif
