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

/* Reads and checks all but a larger object's bytes: it is CHECKING then, or
 * WHOLE.  Takes the descriptor.  NULL: it isn't an entry of that key, or can't
 * be read. */
struct cachebody *cacheopen_file(int fd, const char *key, bool checked);

/* Fills a body's form in; false: it doesn't fit. */
bool cacheopen_describe(struct cachebody *, const char *key,
                        const struct sluice_meta *);
uint64_t cacheopen_size(const struct cachebody *); /* of its file, whole */

/* All of it, or false and errno. */
bool cacheopen_write(int fd, const void *data, size_t size, uint64_t at);

#endif
