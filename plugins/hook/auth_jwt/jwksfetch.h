/* SPDX-License-Identifier: MIT
 *
 * Asks an issuer for its keys, once: by HTTP on the loop, and read by a thread
 * of the pool, as checking keys takes long.
 */
#ifndef AUTH_JWT_JWKSFETCH_H
#define AUTH_JWT_JWKSFETCH_H

#include <sluice/plugin.h>

#include "httpc.h"
#include "jwks.h"

struct jwksfetch;

/* done() comes later, once, on the loop: with keys, which it takes, or NULL
 * and why not.  The fetch is gone then.  NULL: no memory. */
struct jwksfetch *
jwksfetch_start(struct sluice_host *, struct httpc *, const char *url,
                void (*done)(void *arg, struct jwks *keys, const char *why),
                void *arg);
void jwksfetch_cancel(struct jwksfetch *); /* done() doesn't come */

#endif
