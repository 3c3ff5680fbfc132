/* SPDX-License-Identifier: MIT
 *
 * The file of keys.
 */
#ifndef ENCRYPT_KEYFILE_H
#define ENCRYPT_KEYFILE_H

#include "cryptform.h"
#include "errmsg.h"

#define KEYFILE_MAX 4096 /* bytes */

/* False, and what is wrong and what to change. */
bool keyfile_read(struct crypt_keys *, const char *path, struct errmsg *);

#endif
