/* SPDX-License-Identifier: MIT
 *
 * ${NAME} and ${NAME:-default} in a text, replaced from the environment.
 */
#ifndef YAML_EXPAND_H
#define YAML_EXPAND_H

#include "errmsg.h"

/* Fills out[0..max] and adds a NUL; `out` has max + 1 bytes.  As in the shell,
 * :- counts an empty variable as unset.  $${ writes ${, any other $ stays.
 * *literal: there is no variable in it.
 * False and why, without the text itself: it may hold a secret. */
bool expand_text(char *out, size_t max, const char *in, size_t len,
                 bool *literal, struct errmsg *);

#endif
