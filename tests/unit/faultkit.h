/* SPDX-License-Identifier: MIT
 *
 * A disk that fails when told to, for tests of the backend `local`: the calls
 * below are this program's own, also for SQLite.  They note what they are
 * called for, and fail with an errno of the test's choice.
 *
 * A file's kind is a letter.  w: the WAL, d: the database, b: a blob, l e B:
 * its folder, that one's, and all blobs', t: anything else.
 */
#ifndef TESTS_FAULTKIT_H
#define TESTS_FAULTKIT_H

#include <stddef.h>

enum fault_call {
  FAULT_NONE,
  FAULT_SYNC, /* fsync, fdatasync */
  FAULT_WRITE,
  FAULT_WRITE_BACK, /* sync_file_range */
  FAULT_ALLOCATE,
  FAULT_CREATE, /* of a file without a name, in B */
  FAULT_LINK,   /* to the folder of all blobs, as the next two */
  FAULT_MAKE,   /* mkdir */
  FAULT_UNLINK
};

/* From now on; forgets what was seen. */
void fault_set(enum fault_call, char kind, int error);
void fault_clear(void); /* none fails any more */
/* The kinds of files that were synced since, in order. */
const char *fault_syncs(void);
/* All calls since that would have changed something below that folder. */
size_t fault_changes(void);
void fault_watch(const char *folder);

#endif
