/* SPDX-License-Identifier: MIT
 *
 * The last segment of an upload resource's address: all that its creation has
 * fixed, sealed, so that any gateway with the key can go on with it, and
 * nobody without makes one.
 */
#ifndef BASE_UPLOADID_H
#define BASE_UPLOADID_H

#include "buf.h"
#include "digest.h"

#define UPLOADID_MAX 12288 /* characters */

enum uploadid_way { UPLOADID_DRAFT, UPLOADID_TUS };

enum uploadid_text {
  UPLOADID_STAGE, /* as the backend named it */
  UPLOADID_KEY,   /* of the object; "": it will be none */
  UPLOADID_FILENAME,
  UPLOADID_TYPE,
  UPLOADID_UPLOADER, /* who made it */
  UPLOADID_METADATA, /* of tus, as it was sent; "": none */
  UPLOADID_CONCAT,   /* so too */
  UPLOADID_TEXTS
};

struct uploadid {
  enum uploadid_way way;
  bool partial;                      /* its bytes are for others */
  const char *texts[UPLOADID_TEXTS]; /* each with its NUL */
  char *room;                        /* what they point into; NULL: others' */
};

/* Adds its text; false: it would be too long. */
bool uploadid_write(struct buf *, const struct digest_key *,
                    const struct uploadid *);
/* False: it isn't one. */
bool uploadid_read(struct uploadid *, const struct digest_key *,
                   const char *text);
void uploadid_fini(struct uploadid *);

#endif
