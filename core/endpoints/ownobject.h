/* SPDX-License-Identifier: MIT
 *
 * A small object of the gateway's own, below .sluice/: read as a text, or
 * written, perhaps only where it is as it was read.  One thing at a time; the
 * loop doesn't end before it has.
 */
#ifndef ENDPOINTS_OWNOBJECT_H
#define ENDPOINTS_OWNOBJECT_H

#include "digest.h"
#include "op.h"

#define OWNOBJECT_MAX 256 /* bytes of one */
#define OWNOBJECT_KEY_SIZE 96
#define OWNOBJECT_ETAG_MAX 255

enum ownobject_writing {
  OWNOBJECT_ANYHOW,
  OWNOBJECT_NEW,    /* where nothing is: SLUICE_EEXIST */
  OWNOBJECT_AS_READ /* over what was read: SLUICE_EPRECOND */
};

struct ownobject {
  struct op_backend *backend;
  struct sluice_op *op; /* NULL: nothing is under way */
  char key[OWNOBJECT_KEY_SIZE];
  char text[OWNOBJECT_MAX + 1], etag[OWNOBJECT_ETAG_MAX + 1];
  size_t length; /* of the text; more than OWNOBJECT_MAX: of the object */
  bool whole;    /* all of it is in `text` */
  int fd;        /* of a chunk */
  uint64_t offset;
  bool told; /* the plugin has the chunk: then it wants the commit */
  char md5[2 * DIGEST_MD5_LEN + 1];
  struct sluice_object object;
  void (*then)(void *arg, enum sluice_status, const char *why);
  void *arg;
};

void ownobject_init(struct ownobject *, struct op_backend *,
                    void (*then)(void *arg, enum sluice_status,
                                 const char *why),
                    void *arg);
/* Each ends in one then(); what isn't such a text is SLUICE_EUPSTREAM. */
void ownobject_read(struct ownobject *, const char *key);
void ownobject_write(struct ownobject *, const char *key, const char *text,
                     enum ownobject_writing);
void ownobject_remove(struct ownobject *, const char *key);

#endif
