/* SPDX-License-Identifier: MIT
 *
 * The rights of pages of other origins (Fetch Standard, section 3.2, "CORS
 * protocol"): from a head and the settings to the headers of an answer.
 */
#ifndef GATE_CORS_H
#define GATE_CORS_H

#include "fields.h"
#include "head.h"
#include "settings.h"

bool cors_is_on(const struct settings_cors *);
/* OPTIONS with Origin and Access-Control-Request-Method. */
bool cors_is_preflight(const struct head *);
/* The headers of a preflight's answer, for a path that has the methods
 * `allow` and whose requests have fields of their own (NULL: none). Whom
 * nothing is allowed gets none that allows anything. */
void cors_preflight(const struct settings_cors *, const struct head *,
                    const char *allow, const char *fields, struct buf *answer);
/* Sent by a page of another origin that isn't allowed, and to change
 * something.  Browsers add a user's cookies and passwords to forms of any
 * page, without a preflight.  `own`: its Origin is the gateway's. */
bool cors_is_foreign(const struct settings_cors *, const struct head *,
                     bool own);
/* The headers of any answer that is about to go, where CORS is on; `fields`
 * are its own that scripts may read, or NULL; `timed`: it has Server-Timing,
 * which they may read as well. */
void cors_answer(const struct settings_cors *, const struct head *,
                 const char *fields, bool timed, struct buf *answer);

#endif
