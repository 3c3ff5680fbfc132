/* SPDX-License-Identifier: MIT
 *
 * Media types of files: by the extension of their name, and which of them a
 * browser would run.  One table, and beside it the operator's own.
 */
#ifndef BASE_FILETYPE_H
#define BASE_FILETYPE_H

#include <stdbool.h>

#include "pair.h"

#define FILETYPE_UNKNOWN "application/octet-stream"
#define FILETYPE_EXTENSION_MAX 15 /* bytes */

/* The type for the extension after the last dot, in any case; NULL: it isn't
 * known.  `own` comes first: pairs of an extension, in lower case, and a type,
 * that end with a NULL name; NULL: none. */
const char *filetype_by_name(const char *filename, const struct pair *own);
/* HTML, XHTML, any XML, SVG, PDF: content that can hold scripts.  So does what
 * isn't a valid type: a browser makes of it what it likes. */
bool filetype_active(const char *type);

#endif
