/* SPDX-License-Identifier: MIT
 *
 * The tables of the index, and how those of earlier versions become them.
 */
#ifndef LOCAL_SCHEMA_H
#define LOCAL_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#define SCHEMA_APPLICATION 0x534c5549 /* "SLUI" */
#define SCHEMA_VERSION 2

/* In a database without tables. */
bool schema_make(sqlite3 *);
/* From an earlier version; with the current one nothing. */
bool schema_upgrade(sqlite3 *);

#endif
