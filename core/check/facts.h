/* SPDX-License-Identifier: MIT
 *
 * What this process holds.
 */
#ifndef CHECK_FACTS_H
#define CHECK_FACTS_H

#include <stddef.h>

unsigned facts_files(void); /* open descriptors */
unsigned facts_threads(void);
size_t facts_memory(void); /* bytes of malloc() in use; 0: not known here */

#endif
