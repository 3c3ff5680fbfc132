/* SPDX-License-Identifier: MIT
 *
 * A helper of the hook `sniff`: a process that knows libmagic's database,
 * gives up all but its socket, and says of which type bytes are.
 */
#ifndef SNIFF_LOOKER_H
#define SNIFF_LOOKER_H

/* Nothing that it writes comes into the gateway's log. */
void looker_silence(void);
/* With SNIFFWIRE_FD and SNIFFWIRE_DATABASE_FD; returns when the other side has
 * gone, or what it said made no sense. */
void looker_serve(void);

#endif
