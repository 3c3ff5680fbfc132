/* SPDX-License-Identifier: MIT
 *
 * The part of hooks in an upload: they see its bytes before the backend does,
 * are asked about its key, and what they intent is done.
 */
#ifndef ENDPOINTS_UPLOAD_HOOKS_H
#define ENDPOINTS_UPLOAD_HOOKS_H

#include "upload.h"

/* Asks about upload->key, as this operation, then goes on; where a hook chose
 * a prefix, make_key() makes upload->key anew, and they are asked about that
 * one.  NULL: it stays. */
void upload_hooks_ask(struct exchange *, enum operation,
                      bool (*make_key)(struct exchange *),
                      void (*then)(struct exchange *));
/* The request has what is known of the object; false: no memory, and
 * answered. */
bool upload_hooks_tell(struct exchange *);

/* Is the buffer that is filled to be shown first? */
bool upload_hooks_due(const struct exchange *);
/* Shows it, then has it lent, and goes on. */
void upload_hooks_show(struct exchange *, void (*lend)(struct exchange *));

/* These would be, without hooks. */
const char *upload_hooks_said_prefix(const struct upload *);
const char *upload_hooks_said_type(const struct upload *);
/* The exchange is gone. */
void upload_hooks_leave(struct upload *);

#endif
