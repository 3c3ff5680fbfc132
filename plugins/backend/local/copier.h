/* SPDX-License-Identifier: MIT
 *
 * copy: an object's bytes, type and metadata under another key.
 */
#ifndef LOCAL_COPIER_H
#define LOCAL_COPIER_H

#include <sluice/plugin.h>

/* Entry of struct sluice_backend. */
void copier_copy(void *handle, struct sluice_op *, const struct sluice_copy *);

#endif
