/* SPDX-License-Identifier: MIT
 *
 * Links to objects, and to where objects will be: of the storage, where it
 * keeps all that is asked for, or of the gateway, which then serves them
 * itself.
 */
#ifndef ENDPOINTS_PRESIGN_H
#define ENDPOINTS_PRESIGN_H

#include "exchange.h"
#include "ownlink.h"
#include "linksecret.h"
#include "revocations.h"

struct presigned { /* lent until then() returns */
  enum sluice_status status;
  const char *why;
  const char *url;  /* NULL unless SLUICE_OK */
  const char *id;   /* NULL: it isn't the gateway's */
  uint32_t seconds; /* how long it is good */
};

enum presign_via { PRESIGN_ANY, PRESIGN_GATEWAY, PRESIGN_STORAGE };

/* A link that is asked for; a part of the exchange's work. */
struct presign_ask {
  struct exchange *ex;
  struct ownlink link; /* all but its id, end and number */
  enum presign_via via;
  uint32_t seconds;
  bool fresh; /* it carries what is revoked now, and not some seconds ago */
  void (*then)(struct exchange *, const struct presigned *);
  const struct digest_key *key;
  struct linksecret_waiter secret;
  struct revocations_waiter known;
};

/* Asks for a link to ex->key, to be saved as it was stored; `filename` is
 * that name, NULL: there is none.  `by` and `established`: as in a link. */
void presign_link(struct exchange *, struct presign_ask *,
                  const char *filename, uint32_t seconds, const char *by,
                  void (*then)(struct exchange *, const struct presigned *));
/* The same of a link as it is in the ask; `stored` is the name that it was
 * stored with, or NULL. */
void presign_make(struct presign_ask *, const char *stored);
/* NULL, or why such a link can't be made. */
const char *presign_fault(const struct presign_ask *);
/* Before the ask's memory goes. */
void presign_leave(struct presign_ask *);

/* The metadata "original-filename"; NULL: there is none. */
const char *presign_filename(const struct sluice_meta *);

#endif
