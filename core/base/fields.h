/* SPDX-License-Identifier: MIT
 *
 * The header fields of an answer as they go over the wire: lines, "Name:
 * value" and CRLF, one behind the other in a buffer.
 */
#ifndef BASE_FIELDS_H
#define BASE_FIELDS_H

#include "buf.h"

#define FIELDS_MAX (1u << 20) /* bytes; what an operator or a hook may add */

void fields_init(struct buf *lines);
/* False, and nothing added: the name or the value has a CR or LF, or there is
 * no room left. */
bool fields_add(struct buf *lines, const char *name, const char *value);
/* The value of the first of that name, without case, which ends in CRLF.
 * NULL: there is none in the first `within` bytes.  Get. */
const char *fields_get(const struct buf *lines, size_t within,
                       const char *name);
/* Removes the first of that name; how many bytes there are less. */
size_t fields_remove(struct buf *lines, const char *name);

#endif
