/* SPDX-License-Identifier: MIT
 *
 * Counts the files, threads and memory that this process holds.
 */
#ifndef CHECK_RESOURCE_USE_H
#define CHECK_RESOURCE_USE_H

#include <stddef.h>

unsigned resource_use_files(void); /* open descriptors */
unsigned resource_use_threads(void);
size_t
resource_use_memory(void); /* bytes of malloc() in use; 0: not known here */

#endif
