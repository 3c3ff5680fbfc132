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
#define SCHEMA_VERSION 3

/* Makes the tables in a database without any. */
bool schema_make(sqlite3 *);
/* Brings the tables of an earlier version up to this one. */
bool schema_upgrade(sqlite3 *);

#endif
