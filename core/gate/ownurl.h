/* SPDX-License-Identifier: MIT
 *
 * The gateway's place for its clients: what every URL of its own begins with,
 * in Location, in links, and in answers.
 */
#ifndef GATE_OWNURL_H
#define GATE_OWNURL_H

#include "exchange.h"

/* "https://host/prefix" and the path: server.public_url; else what a trusted
 * proxy says, or the request, with a host that server.hosts allows.  Without
 * any, the path alone. */
bool ownurl_add(struct exchange *, struct buf *, const char *path);
/* The same for Location, without scheme and host unless the configuration has
 * them: the client knows whom it asked. */
bool ownurl_location(struct exchange *, struct buf *, const char *path);
/* Is this Origin the gateway's own?  Schemes aren't compared, as TLS may end
 * before it. */
bool ownurl_is(struct exchange *, const char *origin);

#endif
