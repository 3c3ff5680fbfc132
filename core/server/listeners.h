/* SPDX-License-Identifier: MIT
 *
 * The sockets that a loop listens on: served, paused where there is no room,
 * let go, closed.  Called by its worker, on its thread.
 */
#ifndef SERVER_LISTENERS_H
#define SERVER_LISTENERS_H

#include <event2/util.h>
#include <stdbool.h>

struct listen;
struct worker;

/* Takes the loop's part of these sockets.  False: errno. */
bool listeners_serve(struct worker *, struct listen *);
/* Nobody is accepted for a moment. */
void listeners_pause(struct worker *, const char *why);
void listeners_on_resume(evutil_socket_t, short, void *worker);
void listeners_on_refused(void *worker, int error);
/* Nobody is accepted any more.  False: another process may have copies of the
 * sockets, and the loop has to turn once before they are closed.  Then it is
 * true. */
bool listeners_let_go(struct worker *);
void listeners_close(struct worker *);

#endif
