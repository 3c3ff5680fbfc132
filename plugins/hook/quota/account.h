/* SPDX-License-Identifier: MIT
 *
 * The account that a quota is kept by, in a file of SQLite: which objects
 * there are, whose they are, and what is about to be stored.  One thread at a
 * time uses it, a batch of tasks by one transaction.
 */
#ifndef QUOTA_ACCOUNT_H
#define QUOTA_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errmsg.h"

#define ACCOUNT_KEY_MAX 1024 /* bytes of a key, or of whose it is */
#define ACCOUNT_NAME_MAX 255 /* of a backend */
/* Bytes of an object: its backend's name, a tab, and its key. */
#define ACCOUNT_OBJECT_MAX (ACCOUNT_NAME_MAX + 1 + ACCOUNT_KEY_MAX)

enum account_act {
  ACCOUNT_LOOK,    /* would it fit? */
  ACCOUNT_RESERVE, /* if it fits, it counts from now on */
  ACCOUNT_CONFIRM, /* it is stored: what was there at its key is not */
  ACCOUNT_RELEASE, /* it wasn't stored */
  ACCOUNT_REMOVE   /* the object is gone */
};

struct account_task {
  enum account_act act;
  char object[ACCOUNT_OBJECT_MAX + 1], owner[ACCOUNT_KEY_MAX + 1];
  char source[ACCOUNT_OBJECT_MAX + 1]; /* of a copy: its size counts; "": none
                                        */
  bool moves;                          /* and the source goes */
  int64_t bytes;
  int64_t reserved; /* its number: given by RESERVE, which takes back the one
                       that was given before; 0: none */
  /* The answer. */
  bool done; /* false: the file failed */
  bool fits;
  int64_t used_bytes, used_objects;
};

struct account;

/* Opening counts as stored whatever a process that ended had reserved.  NULL,
 * and why: the file can't be used, or another gateway uses it. */
struct account *account_open(const char *path, int64_t bytes, int64_t objects,
                             struct errmsg *);
void account_close(struct account *);
/* All of them are durable, or none is done. */
void account_run(struct account *, struct account_task *const *, size_t count);
/* The last failure, as text for the log. */
const char *account_trouble(const struct account *);

#endif
