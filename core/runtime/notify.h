/* SPDX-License-Identifier: MIT
 *
 * Tells the service manager how the process is doing, as in sd_notify(3): a
 * datagram to the socket that $NOTIFY_SOCKET names.  Without it, nothing.
 */
#ifndef RUNTIME_NOTIFY_H
#define RUNTIME_NOTIFY_H

#include <stdbool.h>

/* "READY=1", "STOPPING=1"; false: nobody was told.  Never waits. */
bool notify_say(const char *state);
/* The same, with what Type=notify-reload wants to know. */
bool notify_reloading(void);

#endif
