/* SPDX-License-Identifier: MIT
 *
 * The body of POST /files/presign: the link that somebody wishes.
 */
#ifndef ENDPOINTS_PRESIGN_WISH_H
#define ENDPOINTS_PRESIGN_WISH_H

#include <jansson.h>

#include "presign.h"

/* Into the link, `via` and `seconds` of the ask.  False when it was answered
 * with 400: nothing that is asked for is ignored. */
bool presign_wish(struct exchange *, json_t *, struct presign_ask *);

#endif
