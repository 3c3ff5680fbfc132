/* SPDX-License-Identifier: MIT
 *
 * Reads STS's answers in XML: credentials, or an error's code.
 */
#ifndef S3_CREDENTIALS_STS_H
#define S3_CREDENTIALS_STS_H

#include "buf.h"

enum sts_field {
  STS_ACCESS_KEY,
  STS_SECRET_KEY,
  STS_TOKEN,
  STS_EXPIRATION,
  STS_CODE,
  STS_NONE
};

struct sts {
  bool good; /* it is a whole document */
  struct buf texts[STS_NONE];
};

/* To be fini'd in any case: the texts are "" where they aren't there. */
void sts_read(struct sts *, const char *data, size_t len);
void sts_fini(struct sts *); /* wipes them */

#endif
