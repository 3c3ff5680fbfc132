/* SPDX-License-Identifier: MIT
 *
 * JSON of somebody who isn't known yet: of tokens before their signature was
 * verified, and of an issuer's key sets.
 */
#ifndef AUTH_JWT_JWTJSON_H
#define AUTH_JWT_JWTJSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define JWTJSON_DEPTH_MAX 8 /* objects and arrays within each other */

/* The caller owns the object.  NULL: it is none, or is followed by more, has
 * a name twice, a plain NUL, what isn't UTF-8, or is too deep.
 *
 * All numbers are reals: of those that no double holds, a value of 1e300 with
 * their sign.  Escapes that are no character (NUL, half a surrogate pair) read
 * as U+0001, which no claim that is looked at may have. */
json_t *jwtjson_read(const char *data, size_t len);

/* The text of a member; NULL: it isn't there, or is no text. */
const char *jwtjson_text(const json_t *object, const char *name);

#endif
