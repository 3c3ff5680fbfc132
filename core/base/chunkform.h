/* SPDX-License-Identifier: MIT
 *
 * Forms that are one chunk of a file.  Upload widgets for browsers cut files
 * in protocols of their own; what one of them sends isn't the file.
 */
#ifndef BASE_CHUNKFORM_H
#define BASE_CHUNKFORM_H

#include <stdint.h>

struct chunkform { /* begins zeroed */
  uint32_t seen;
};

/* A field of this name is in the form.  The widget whose chunk the form is, by
 * all names so far; NULL: it is none's. */
const char *chunkform_see(struct chunkform *, const char *name);

#endif
