/* SPDX-License-Identifier: MIT
 *
 * Libraries have from this program: libevent its log, it, jansson and OpenSSL
 * memory that never lacks.  Where libevent gets none it answers a valid
 * request with 400, or follows a pointer that it didn't look at, as OpenSSL
 * does when it begins; objects of jansson lack members.  So the process ends
 * before, by a line.
 */
#ifndef RUNTIME_LIBRARIES_H
#define RUNTIME_LIBRARIES_H

/* Before anything else is asked of them. */
void libraries_begin(void);

#endif
