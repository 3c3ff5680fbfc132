/* SPDX-License-Identifier: MIT
 *
 * This is what a form parser says, written as a text, so that two runs or a
 * run and an expectation can be compared:
 *   [name|filename|type]data;...DONE       "-" for what isn't there
 * and at the end DONE, MORE or "BAD: " and the fault.
 */
#ifndef TESTS_FORMLOG_H
#define TESTS_FORMLOG_H

#include "formdata.h"

/* Feeds `first` bytes and then `piece` bytes at a time, each piece in a block
 * of its own that is freed afterwards.  Caller owns the text. */
char *formlog(const char *boundary, const char *in, size_t len, size_t first,
              size_t piece);
/* The text, which is the same in one piece, cut in two anywhere, and byte by
 * byte; NULL when it isn't. */
char *formlog_any_cut(const char *boundary, const char *in, size_t len);
/* Is that text `want`?  Prints both when it isn't. */
bool formlog_is(const char *boundary, const char *in, size_t len,
                const char *want);

struct formlog_row {
  const char *name, *in, *want;
};
/* A test's assertion for each row, up to a NULL name. */
void formlog_check(const char *boundary, const struct formlog_row *rows);

#endif
