/* SPDX-License-Identifier: MIT
 *
 * A place where operators ask: an address of server.admin, which clients don't
 * reach.  It is served by the main thread, which has nothing else to do, so
 * that it answers also while loops are busy or full; one request a connection.
 */
#ifndef SERVER_ADMIN_H
#define SERVER_ADMIN_H

#include "listen.h"

#define ADMIN_CONNECTIONS_MAX 16 /* open at once; others wait */
#define ADMIN_HEAD_MAX 8192
#define ADMIN_LIFE_S 20 /* for a request, its answer, and what is short */

struct gateway;
struct admin;

/* Listens at that address, and answers from now on; NULL and why. */
struct admin *admin_new(struct gateway *, const char *entry, struct errmsg *);
const char *admin_url(const struct admin *);
/* The socket that it listens with. */
int admin_socket(const struct admin *);
/* Another gateway has the socket: nobody is accepted any more. */
void admin_retire(struct admin *);
void admin_own(struct admin *); /* it is this one's alone */
void admin_free(struct admin *);

#endif
