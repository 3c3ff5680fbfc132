/* SPDX-License-Identifier: MIT
 *
 * The files of the console, which the build turns into C.
 */
#ifndef ENDPOINTS_CONSOLE_H
#define ENDPOINTS_CONSOLE_H

#include "exchange.h"

/* With the page, as it is filled in. */
#define CONSOLE_COST (EXCHANGE_COST + 16384)

struct console_bytes {
  const unsigned char *data;
  size_t length;
};

struct console_file {
  const char *name, *type;
  struct console_bytes plain, packed; /* the latter by gzip */
};

extern const struct console_file console_files[]; /* to a NULL name */
extern const char console_version[]; /* of the contents of all of them */

/* GET /console/VERSION/NAME */
void console_asset_start(struct exchange *);

#endif
