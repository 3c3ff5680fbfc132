/* SPDX-License-Identifier: MIT
 *
 * The operations, in one list: their names and what each does to an object.
 * Routes, settings and hooks take both from here, so that a new operation is
 * one row.
 */
#ifndef BASE_OPERATION_H
#define BASE_OPERATION_H

#include <stdbool.h>

enum operation {
  OPERATION_UPLOAD,
  OPERATION_PRESIGN,
  OPERATION_DOWNLOAD,
  OPERATION_LIST,
  OPERATION_DELETE,
  OPERATION_REPLACE, /* an object by its name, be one there or not */
  OPERATION_COPY,    /* or move; its keys are asked about one by one */
  OPERATION_REVOKE,  /* links, also those that others made */
  /* Those before may be named in a route and granted to somebody. */
  OPERATION_SIGNED, /* something by a link, which is the right to it */
  OPERATION_NONE    /* no operation; also how many there are */
};

enum operation_effect { /* bits */
                        OPERATION_READS = 1,
                        OPERATION_ADDS = 2,
                        OPERATION_REPLACES = 4,
                        OPERATION_REMOVES = 8,
                        OPERATION_LISTS = 16,
                        OPERATION_LINKS = 32,
                        /* The effects after which a storage isn't as before.
                         */
                        OPERATION_CHANGES = OPERATION_ADDS |
                                            OPERATION_REPLACES |
                                            OPERATION_REMOVES
};

#define OPERATION_BIT(operation) (1u << (operation))
#define OPERATION_WORDS (OPERATION_NONE + 2)

/* "upload", ...; NULL of OPERATION_NONE. */
const char *operation_name(enum operation);
/* OPERATION_NONE for NULL and for any other text. */
enum operation operation_find(const char *name);
/* Bits of enum operation_effect; 0 for OPERATION_NONE. */
unsigned operation_effects(enum operation);
/* Has it any of these effects? */
bool operation_does(enum operation, unsigned effects);

/* The names of those before OPERATION_SIGNED, then `more` unless it is NULL,
 * then NULL: as words_nearest() and words_join() take them. */
void operation_words(const char *words[OPERATION_WORDS], const char *more);

#endif
