/* SPDX-License-Identifier: MIT
 *
 * The key that seals the cursors of one backend's lists.
 */
#ifndef SERVER_CURSORKEY_H
#define SERVER_CURSORKEY_H

#include "digest.h"
#include "plugin.h"

/* Do its options hold a secret, of this name unless that is NULL? */
bool cursorkey_has(const struct plugin *, const void *conf, const char *name);

/* Of links.secret; without one ("") of the backend's own secrets, which its
 * plugin's options in `conf` hold; else of this machine's id, or of `spare`
 * where it has none, and *lonely says that no gateway elsewhere has it.  NULL:
 * no memory. */
struct digest_key *cursorkey_new(const char *secret, const char *backend,
                                 const struct plugin *, const void *conf,
                                 const char *spare, bool *lonely);

#endif
