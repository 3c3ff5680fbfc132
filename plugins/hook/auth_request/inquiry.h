/* SPDX-License-Identifier: MIT
 *
 * The service is told of a request in header lines; with them goes a keyed
 * digest of all that its answer may depend on.
 */
#ifndef AUTH_INQUIRY_H
#define AUTH_INQUIRY_H

#include <sluice/plugin.h>

#include "buf.h"
#include "digest.h"

#define INQUIRY_NAMES_MAX 32 /* headers of the client's that go */
#define INQUIRY_MAX 98304    /* bytes of all lines */

struct inquiry {
  struct buf text; /* lines, each with its NUL; wiped at the end */
  const char *lines[INQUIRY_NAMES_MAX + 10];
  unsigned char digest[DIGEST_SHA256_LEN];
};

/* False: a value has a control character, or all are too long together;
 * inquiry_fini() in any case.  `names`: at most INQUIRY_NAMES_MAX, NULL at the
 * end; `key`: NULL while it isn't asked about. */
bool inquiry_init(struct inquiry *, const struct sluice_request *,
                  const char *const *names, const char *key,
                  const struct digest_key *salt);
void inquiry_fini(struct inquiry *);

/* Is it one of the names that are never the client's? */
bool inquiry_is_ours(const char *name);

#endif
