/* SPDX-License-Identifier: MIT
 *
 * The kinds of sweeps, a file of its name each, and the backends they are for.
 */
#ifndef ENDPOINTS_SWEEPKINDS_H
#define ENDPOINTS_SWEEPKINDS_H

#include "gate.h"
#include "walk.h"

/* Stages of uploads that nobody went on with. */
extern const struct walk_kind stagesweep;
bool stagesweep_is_for(const struct gate *, size_t backend);
/* Records of uploads with an Idempotency-Key that nobody asks for any more. */
extern const struct walk_kind oncesweep;
bool oncesweep_is_for(const struct gate *, size_t backend);
/* Counts of uses, and revocations, of links that have expired. */
extern const struct walk_kind linksweep_uses, linksweep_revoked;
/* Objects whose moment has passed, by their notes, so that it costs what is
 * due and one list.  Several gateways of a storage may do it. */
extern const struct walk_kind expirysweep;
bool expirysweep_is_for(const struct gate *, size_t backend);

#endif
