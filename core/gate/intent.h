/* SPDX-License-Identifier: MIT
 *
 * An object that is about to be made, as hooks see it, and what they intent of
 * it: <sluice/upload.h>.  The endpoint that makes it fills in what is known,
 * has it in the request while hooks are asked, and does what was wished.
 */
#ifndef GATE_INTENT_H
#define GATE_INTENT_H

#include <sluice/plugin.h>

#include "key.h"
#include "mime.h"

/* The gateway's own pairs come before theirs. */
#define INTENT_OWN_PAIRS 5
#define INTENT_PAIRS (INTENT_OWN_PAIRS + SLUICE_UPLOAD_PAIRS_MAX + 1)

enum intent_prefix {
  INTENT_NO_PREFIX,
  INTENT_PREFIX_NEW,  /* a key is to be made of it */
  INTENT_PREFIX_TAKEN /* one was */
};

struct intent {
  struct sluice_upload told;
  enum intent_prefix has_prefix;
  char prefix[KEY_MAX + 1], type[MIME_MAX + 1];
  size_t count; /* of their pairs */
  size_t used;  /* bytes of `text` */
  struct sluice_pair pairs[SLUICE_UPLOAD_PAIRS_MAX + 1];
  struct sluice_pair *user; /* all pairs, with room for all of theirs */
  char said_prefix[KEY_MAX + 1], said_type[MIME_MAX + 1]; /* without hooks */
  char text[SLUICE_UPLOAD_META_MAX];
};

/* This much is known from now on; `user` are all pairs, theirs last, with room
 * for INTENT_PAIRS, and the intent adds to them. */
void intent_tell(struct intent *, const struct sluice_upload *known,
                 struct sluice_pair *user);

/* False: it can't be. */
bool intent_type(struct intent *, const char *type);
bool intent_meta(struct intent *, const char *name, const char *value);
bool intent_prefix(struct intent *, const char *prefix);

#endif
