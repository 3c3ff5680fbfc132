/* SPDX-License-Identifier: MIT
 *
 * Bodies of files: one that is an entry is opened, one that is to be fetched
 * gets its head.  For the index, on its lane.
 */
#ifndef CACHE_CACHEOPEN_H
#define CACHE_CACHEOPEN_H

#include "cachebody.h"

/* So small a file is read when it is opened, and then kept in memory. */
#define CACHEOPEN_SMALL 16384

struct cachebody *cacheopen_new(void); /* ASKED; NULL: no memory */
void cacheopen_free(struct cachebody *);

enum cacheopen_found {
  CACHEOPEN_GOOD,
  CACHEOPEN_BAD,    /* it isn't an entry of that key, or its disk is bad */
  CACHEOPEN_UNKNOWN /* there is no memory, or no descriptor, to look at it */
};

/* Reads and checks all but a larger object's bytes: it is CHECKING then, or
 * WHOLE.  Takes the descriptor.  *body is set when it is GOOD. */
enum cacheopen_found cacheopen_file(struct cachebody **body, int fd,
                                    const char *key, bool checked);

/* An error of open(2) says nothing of the file where the gateway lacks
 * something or the directory fails. */
enum cacheopen_found cacheopen_failed(int error);

/* Fills a body's form in; false: it doesn't fit. */
bool cacheopen_describe(struct cachebody *, const char *key,
                        const struct sluice_meta *);
uint64_t cacheopen_size(const struct cachebody *); /* of its file, whole */

/* All of it, or false and errno. */
bool cacheopen_write(int fd, const void *data, size_t size, uint64_t at);

#endif
