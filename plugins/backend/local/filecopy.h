/* SPDX-License-Identifier: MIT
 *
 * Whole files, copied within the kernel where it can.
 */
#ifndef LOCAL_FILECOPY_H
#define LOCAL_FILECOPY_H

#include <stdbool.h>

/* All bytes of `from`, from its beginning to where it ends by then, to the
 * beginning of `to`.  False, errno. */
bool filecopy_bytes(int from, int to);
/* The file `name` of one folder to the same name in another, where it isn't
 * there yet: mode 0600, synced.  False, errno. */
bool filecopy_named(int from, int to, const char *name);

#endif
