/* SPDX-License-Identifier: MIT
 *
 * A new index in place of one that is lost or damaged.
 */
#ifndef LOCAL_SALVAGE_H
#define LOCAL_SALVAGE_H

#include "checker.h"

/* Moves what is there of the old one to lost+found, makes a new one in
 * checker->db, and takes over the rows that can be read. */
bool salvage(struct checker *, bool missing);

/* A repair was cut short, after it had begun to make the index anew: no start
 * before it is done. */
bool salvage_is_due(int dir);
/* The index that salvage() made is whole. */
bool salvage_end(struct checker *);

#endif
