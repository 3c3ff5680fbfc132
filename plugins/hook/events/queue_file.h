/* SPDX-License-Identifier: MIT
 *
 * The queue's database: its connection and its statements.
 */
#ifndef EVENTS_QUEUE_FILE_H
#define EVENTS_QUEUE_FILE_H

#include "event_queue.h"

#include <sqlite3.h>

struct queue {
  sqlite3 *db;
  sqlite3_stmt *begin, *commit, *rollback;
  sqlite3_stmt *put;   /* id, key, created, body */
  sqlite3_stmt *next;  /* number: of its key, the next is ready */
  sqlite3_stmt *erase; /* number */
  sqlite3_stmt *again; /* number, due, attempts */
  sqlite3_stmt *ready; /* all that are, by due */
};

#endif
