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
#define ACCESS_ID_SIZE 64
#define ACCESS_TRACE_SIZE 33
#define ACCESS_SPAN_SIZE 17

/* The query; NULL: none.  A signed link's holds its signature, so nothing of
 * it is said but the link's id, which lies in `out` then; nor of that of a
 * request whose operation isn't known: it may be a link that was tried at
 * another path. */
const char *access_query(const struct sluice_request *,
                         char out[ACCESS_ID_SIZE]);

/* The Referer without its query, which may be a signed link's; NULL: none.
 * It lies in `out`, cut to its size, when there is one. */
const char *access_referer(const struct sluice_request *, char *out,
                           size_t size);

/* The ids of a request's trace, and of its span there, in `out`. */
const char *access_trace(const struct sluice_request *,
                         char out[ACCESS_TRACE_SIZE]);
const char *access_span(const struct sluice_request *,
                        char out[ACCESS_SPAN_SIZE]);

#endif
