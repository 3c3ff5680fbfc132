/* SPDX-License-Identifier: MIT
 *
 * A file of users, as htpasswd(1) writes it: a line "name:hash" for each.
 * The table that is made of it doesn't change any more.
 */
#ifndef AUTH_BASIC_HTPASSWD_H
#define AUTH_BASIC_HTPASSWD_H

#include "errmsg.h"

#define HTPASSWD_USERS_MAX 10000
#define HTPASSWD_FILE_MAX (4u << 20) /* bytes */
#define HTPASSWD_NAME_MAX 256

struct htpasswd_user {
  char *name; /* UTF-8 without control characters */
  char *hash; /* of a kind that is good enough (hash.h) */
  unsigned line;
};

struct htpasswd {
  struct htpasswd_user *users; /* sorted by name, none twice */
  size_t count;
};

/* Empty lines, and such that begin with #, say nothing.  `data` ends in NUL;
 * messages begin with file:line. */
struct htpasswd *htpasswd_parse(const char *file, const char *data, size_t len,
                                struct errmsg *);
void htpasswd_free(struct htpasswd *);
const struct htpasswd_user *htpasswd_find(const struct htpasswd *,
                                          const char *name);

#endif
