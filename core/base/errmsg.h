/* SPDX-License-Identifier: MIT
 *
 * A message for a person, made where the cause is known and carried beside a
 * result.  It says what is wrong and what to change.
 */
#ifndef BASE_ERRMSG_H
#define BASE_ERRMSG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "printflike.h"

#define ERRMSG_MAX 1024

struct errmsg {
  char text[ERRMSG_MAX]; /* one line; "": there is none; cut when too long */
};

/* Both return false, so that `return errmsg_set(...)` ends a function. */
bool errmsg_set(struct errmsg *, const char *fmt, ...) PRINTFLIKE(2, 3);
bool errmsg_vset(struct errmsg *, const char *fmt, va_list) PRINTFLIKE(2, 0);

#endif
