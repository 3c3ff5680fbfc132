/* SPDX-License-Identifier: MIT
 *
 * A body that is the file, in place of a form that has one.
 */
#ifndef ENDPOINTS_RAWBODY_H
#define ENDPOINTS_RAWBODY_H

#include "exchange.h"

/* These answer what a head proves wrong of such a body, and say false then:
 * that it is a part of an object (400); */
bool rawbody_check_part(struct exchange *);
/* neither length nor chunks (411), a coding (415), too many bytes (413). */
bool rawbody_check(struct exchange *);
bool rawbody_check_coding(struct exchange *); /* 415 alone */
/* Would the last three say nothing? */
bool rawbody_fits(const struct exchange *);
/* An upload that is to be of the body. */
struct upload *rawbody_new(struct exchange *);
/* Receives it: into the backend, and to the commit. */
void rawbody_start(struct exchange *);

#endif
