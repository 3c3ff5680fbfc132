/* SPDX-License-Identifier: MIT
 *
 * Parses request heads that are string literals.  For the tests of head.
 */
#ifndef TESTS_HEADSTATUS_H
#define TESTS_HEADSTATUS_H

#include "head.h"

/* head_parse() of a copy.  The text ends in CRLF CRLF. */
bool headstatus_parse(struct head *, const char *text, size_t len,
                      struct head_refusal *);
/* 0: it is understood; else the status of the refusal. */
int headstatus_bytes(const char *text, size_t len);
int headstatus(const char *text);

#endif
