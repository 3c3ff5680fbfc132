/* SPDX-License-Identifier: MIT
 *
 * The file of arrears: lines are added, and made durable together; when it has
 * grown long, a new one takes its place.  A write that fails is undone, and a
 * new one that can't be written leaves the old one; a file of which nobody
 * knows what is durable is broken until the next start.
 */
#ifndef MIRROR_ARREARS_FILE_H
#define MIRROR_ARREARS_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "arrears.h"

#define ARREARS_FILE_LONG (1 << 20) /* bytes beyond twice what is needed */

struct arrears_file;

struct arrears_file *arrears_file_open(const char *directory,
                                       const char *names, struct errmsg *err);
void arrears_file_close(struct arrears_file *); /* NULL: nothing */

enum arrears_file_end {
  ARREARS_FILE_READ,
  ARREARS_FILE_BAD,    /* err says why */
  ARREARS_FILE_REFUSED /* line() returned false */
};

/* Every whole line, in its order. */
enum arrears_file_end
arrears_file_load(struct arrears_file *,
                  bool (*line)(void *arg, const char *key, unsigned owed),
                  void *arg, struct arrears_read *, struct errmsg *err);
/* A line of the next sync; false: there is no memory. */
bool arrears_file_add(struct arrears_file *, const char *key, unsigned owed);
bool arrears_file_sync(struct arrears_file *);
/* Writes it without making it durable; nobody hears whether it could. */
void arrears_file_flush(struct arrears_file *);

bool arrears_file_is_long(const struct arrears_file *);
/* A new file has what is added from here on, and replaces the old one.  Where
 * one of these is false, arrears_file_keep() ends it, and the old one stays.
 */
bool arrears_file_begin(struct arrears_file *);
bool arrears_file_replace(struct arrears_file *);
void arrears_file_keep(struct arrears_file *);

bool arrears_file_is_broken(const struct arrears_file *);
const char *arrears_file_fault(const struct arrears_file *); /* the last one */

#endif
