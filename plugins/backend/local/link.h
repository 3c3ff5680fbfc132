/* SPDX-License-Identifier: MIT
 *
 * Links to objects, signed here and checked here.  What is signed is the
 * query itself, byte for byte as it was made: a link that verifies is one
 * that this key made, and there is no second reading of it.
 */
#ifndef LOCAL_LINK_H
#define LOCAL_LINK_H

#include <sluice/plugin.h>

#include "buf.h"
#include "digest.h"

#define LINK_MAX 16384 /* bytes of a URL */

/* The permission that a link gives. */
struct link_grant {
  struct buf key, disposition, type; /* the last two may be empty */
};

/* SLUICE_OK and the URL, or a status and why. */
enum sluice_status link_make(struct buf *url, const struct digest_key *,
                             const struct sluice_link *, const char **why);
/* SLUICE_OK, or SLUICE_EDENIED and why.  The grant is initialised in any
 * case. */
enum sluice_status link_check(struct link_grant *, const struct digest_key *,
                              const struct sluice_claim *, int64_t now_s,
                              const char **why);
void link_fini(struct link_grant *);

#endif
