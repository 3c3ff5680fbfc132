/* SPDX-License-Identifier: MIT
 *
 * The words that come with raw bytes: name, prefix and type.
 */
#ifndef ENDPOINTS_UPLOADS_NAMES_H
#define ENDPOINTS_UPLOADS_NAMES_H

#include "exchange.h"

/* Into the upload that is the exchange's work; of a Content-Disposition, the
 * query, and `metadata` (Upload-Metadata of tus, or NULL: the request's, which
 * then counts last).  False when it was answered. */
bool uploads_names_read(struct exchange *, const char *metadata);

#endif
