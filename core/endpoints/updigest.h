/* SPDX-License-Identifier: MIT
 *
 * The digests of an upload that its client says, or wants (RFC 9530), and what
 * is made of its bytes for them.  An upload of which nobody asks for any has
 * none of this.
 */
#ifndef ENDPOINTS_UPDIGEST_H
#define ENDPOINTS_UPDIGEST_H

#include "digestfield.h"
#include "exchange.h"

#define UPDIGEST_META "sluice-sha256" /* of an object: 64 hex digits */
#define UPDIGEST_HEX (2 * SHA2_256_LEN)

struct bodysum;

struct updigest {
  struct digestfield content, repr; /* as the head says */
  struct digestfield field;         /* as a form's field says */
  struct sums file;                 /* of the bytes that become the object */
  struct bodysum *body;             /* of a form, as it comes; or NULL */
  bool keeps;                       /* SHA-256 stays with the object */
  char sha256[UPDIGEST_HEX + 1];    /* of the object, in hex; "": unknown */
};

/* The upload's, made (and charged) where there is none yet; NULL: answered. */
struct updigest *updigest_need(struct exchange *, struct updigest **);
/* The exchange is gone; for both, NULL is nothing. */
void updigest_leave(struct updigest *);
void updigest_free(struct updigest *);

/* Reads Content-Digest alone; false: answered. */
bool updigest_read_content(struct exchange *, struct digestfield *);
/* Reads what a request that makes an object says, into *updigest, which stays
 * NULL where that is nothing; false: answered. */
bool updigest_read(struct exchange *, struct updigest **);
/* Of a body that is the file: both digests of the head are the file's. */
void updigest_of_file(struct updigest *);
/* Of a form: they are of its body, and of its file its own field. */
bool updigest_of_form(struct exchange *, struct updigest *,
                      void (*go_on)(struct exchange *));
/* The field is that text; false: it is no SHA-256 in hex. */
bool updigest_read_field(struct updigest *, const char *text, size_t len);

/* The bytes are all there: NULL, or the name of what doesn't fit them. */
const char *updigest_misfit(const struct updigest *);
/* Makes `sha256`; for both, NULL is nothing. */
void updigest_sum(struct updigest *);
/* Both; false: one doesn't fit, and it was answered. */
bool updigest_check(struct exchange *, struct updigest *);
void updigest_refuse(struct exchange *, const char *field);

/* Adds Repr-Digest to the answer, of a SHA-256 in hex, where it is one. */
void updigest_say(struct exchange *, const char *sha256);
/* The SHA-256 that an object's metadata has; NULL: none. */
const char *updigest_kept(const struct sluice_pair *user);

#endif
