/* SPDX-License-Identifier: MIT
 *
 * Links that the gateway serves for `local`.
 */
#ifndef LOCAL_LINK_H
#define LOCAL_LINK_H

#include <sluice/plugin.h>

#include "signedlink.h"

#define LINK_MAX SIGNEDLINK_MAX

/* SLUICE_OK and the URL, or a status and why. */
enum sluice_status link_make(struct buf *url, const struct digest_key *,
                             const struct sluice_link *, const char **why);
/* SLUICE_OK, or SLUICE_EDENIED and why.  The grant is initialised in any
 * case. */
enum sluice_status link_check(struct signedlink_grant *,
                              const struct digest_key *,
                              const struct sluice_claim *, int64_t now_s,
                              const char **why);

#endif
