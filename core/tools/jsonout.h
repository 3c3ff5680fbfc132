/* SPDX-License-Identifier: MIT
 *
 * JSON on the standard output, for --json.
 */
#ifndef TOOLS_JSONOUT_H
#define TOOLS_JSONOUT_H

/* A string with its quotes, of any bytes: those that aren't UTF-8 become
 * U+FFFD.  NULL: null. */
void jsonout_text(const char *);

#endif
