/* SPDX-License-Identifier: MIT
 *
 * Reads of files that don't wait for a disk.
 */
#ifndef BASE_PAGECACHE_H
#define BASE_PAGECACHE_H

#include <stddef.h>
#include <stdint.h>

/* Reads what memory holds of the file: the number of bytes, 0 at its end, or
 * -1 and errno: EAGAIN where it would wait, EOPNOTSUPP where neither the
 * kernel nor the filesystem can say. */
int64_t pagecache_read(int fd, void *to, size_t room, uint64_t offset);

#endif
