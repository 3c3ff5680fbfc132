/* SPDX-License-Identifier: MIT
 *
 * What pages of other origins may do (Fetch Standard, section 3.2, "CORS
 * protocol"): preflights are answered here, and every answer says whether a
 * page may read it.
 */
#ifndef HTTP_CORS_H
#define HTTP_CORS_H

#include "exchange.h"
#include "settings.h"

bool cors_is_on(const struct settings *);
/* A preflight, where CORS is configured: OPTIONS with Origin and
 * Access-Control-Request-Method. */
bool cors_is_preflight(const struct exchange *);
/* Answers 204, for a path that is known.  Whom nothing is allowed gets it
 * without a header that allows anything. */
void cors_preflight(struct exchange *);
/* Sent by a page of another site that isn't allowed, and to change something.
 * Browsers add a user's cookies and passwords to forms of any page, without a
 * preflight. */
bool cors_is_foreign(const struct exchange *);
/* The headers of any answer that is about to go. */
void cors_answer(struct exchange *);

#endif
