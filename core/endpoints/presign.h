/* SPDX-License-Identifier: MIT
 *
 * Links to objects: of the backend, or, where it makes none, of the gateway,
 * which then serves them itself.
 */
#ifndef ENDPOINTS_PRESIGN_H
#define ENDPOINTS_PRESIGN_H

#include "exchange.h"
#include "linksecret.h"
#include "signedlink.h"

struct presigned { /* lent until then() returns */
  enum sluice_status status;
  const char *why;
  const char *url;  /* NULL unless SLUICE_OK */
  uint32_t seconds; /* how long it is good */
};

/* A link that was asked for; a part of the exchange's work. */
struct presign_ask {
  struct exchange *ex;
  uint32_t seconds;
  void (*then)(struct exchange *, const struct presigned *);
  struct linksecret_waiter waiter;
  bool waits;
};

/* Asks for a link to ex->key.  `filename`: what it saves under; NULL: as the
 * storage has it. */
void presign_link(struct exchange *, struct presign_ask *,
                  const char *filename, uint32_t seconds,
                  void (*then)(struct exchange *, const struct presigned *));
/* Before the ask's memory goes. */
void presign_leave(struct presign_ask *);

/* NULL and the grant of a link of the gateway, or why it isn't one; the grant
 * is initialised in any case. */
const char *presign_check(struct exchange *, const struct digest_key *,
                          struct signedlink_grant *);

/* The metadata "original-filename"; NULL: there is none. */
const char *presign_filename(const struct sluice_meta *);

#endif
