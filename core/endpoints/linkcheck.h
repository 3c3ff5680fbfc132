/* SPDX-License-Identifier: MIT
 *
 * Checks of a link of the gateway, for all that it may allow.
 */
#ifndef ENDPOINTS_LINKCHECK_H
#define ENDPOINTS_LINKCHECK_H

#include "exchange.h"

/* The scope of links of this request's mount: they are good there alone. */
bool linkcheck_scope(const struct exchange *, struct buf *out);
/* Of revocations_ask(): false when it was answered, as nobody knows, or as the
 * link was taken back. */
bool linkcheck_known(struct exchange *, const struct ownlink *,
                     enum sluice_status, const char *why);
/* Answers what linkuses_ask() said, other than SLUICE_OK. */
void linkcheck_refuse_count(struct exchange *, enum sluice_status,
                            const char *why);

#endif
