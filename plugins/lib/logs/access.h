/* SPDX-License-Identifier: MIT
 *
 * The parts of a request that an access log may say.  A log is read by more
 * people than a request, so what would let them in is left out here, for all
 * formats.
 */
#ifndef LOGS_ACCESS_H
#define LOGS_ACCESS_H

#include <sluice/plugin.h>

#define ACCESS_REDACTED "redacted"

/* The query; NULL: none.  A signed link's holds its signature, so that is
 * redacted, as is that of a request whose operation isn't known: it may be a
 * link that was tried with the wrong method. */
const char *access_query(const struct sluice_request *);

/* The Referer without its query, which may be a signed link's; NULL: none.
 * It lies in `out`, cut to its size, when there is one. */
const char *access_referer(const struct sluice_request *, char *out,
                           size_t size);

#endif
