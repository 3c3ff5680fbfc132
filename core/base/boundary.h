/* SPDX-License-Identifier: MIT
 *
 * The boundary of a form, as its Content-Type names it.  Clients write more
 * letters than RFC 2046 has, and write them without quotes; every server that
 * they were tried with takes that.
 */
#ifndef BASE_BOUNDARY_H
#define BASE_BOUNDARY_H

#define BOUNDARY_MAX 70 /* bytes, RFC 2046 */

/* NULL, and out filled with 1 to BOUNDARY_MAX printable characters that don't
 * end in a space; or what is wrong with it: a constant for the client.  Other
 * parameters may hold what they like. */
const char *boundary_read(char out[BOUNDARY_MAX + 1], const char *type);
/* The same of a boundary alone: NULL when it is fine. */
const char *boundary_fault(const char *boundary);

#endif
