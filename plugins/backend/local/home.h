/* SPDX-License-Identifier: MIT
 *
 * The directory that a local backend lives in: made when it isn't there,
 * locked while a gateway uses it, and the keeper of the key that links are
 * signed with.
 */
#ifndef LOCAL_HOME_H
#define LOCAL_HOME_H

#include "errmsg.h"

#define HOME_KEY_LEN 32

struct home {
  char *path; /* absolute */
  int dir;    /* -1: closed, as lock */
  int lock;
};

#define HOME_CLOSED \
  { .dir = -1, .lock = -1 }

/* False and why; home_close() is needed in any case. */
bool home_open(struct home *, const char *directory, struct errmsg *);
void home_close(struct home *);
/* Reads <directory>/signing.key, which is made when it isn't there. */
bool home_key(const struct home *, unsigned char key[HOME_KEY_LEN],
              struct errmsg *);
/* Is the path still the directory that was opened? */
bool home_there(const struct home *);

#endif
