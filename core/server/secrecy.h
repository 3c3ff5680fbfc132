/* SPDX-License-Identifier: MIT
 *
 * The process's memory is nobody else's: no dump of it is written, and no
 * other process of the same user reads it, unless server.core_dumps is true.
 */
#ifndef SERVER_SECRECY_H
#define SERVER_SECRECY_H

#include "settings.h"

void secrecy_begin(const struct settings *);

#endif
