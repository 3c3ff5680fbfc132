/* SPDX-License-Identifier: MIT
 *
 * A set of what a process may reach: paths, and ports of TCP.  It grows by
 * reach_*() and is compared as texts; it opens nothing.
 */
#ifndef SERVER_REACH_H
#define SERVER_REACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errmsg.h"

#define REACH_PATHS_MAX 4096
#define REACH_PORTS 65536

enum reach_kind {
  REACH_SYSTEM,  /* a tree that is read, and programs of it are started */
  REACH_READ,    /* a tree that is read */
  REACH_WRITE,   /* a tree that is read and changed */
  REACH_SOCKETS, /* a folder in which sockets are made */
  REACH_FILE,    /* one file that is read and written, but not replaced */
  REACH_KINDS
};

struct reach_path {
  char *path; /* absolute, and without links as far as it was there */
  enum reach_kind kind;
};

struct reach {
  struct reach_path *paths;
  size_t count;
  unsigned char bind[REACH_PORTS / 8], connect[REACH_PORTS / 8];
  bool anywhere; /* connects to all ports */
  bool present;  /* files that aren't there are passed over */
  bool failed;   /* there was no memory, or too many paths */
};

struct reach *reach_new(void); /* NULL: no memory */
void reach_free(struct reach *);

/* The path is made absolute; one that is there already isn't added again. */
void reach_add(struct reach *, const char *path, enum reach_kind);
/* May that be made, changed and removed? */
bool reach_writes(const struct reach *, const char *path);
/* A file that is read: all that is in its folder, and in that of the file
 * that a link means.  Of a folder that holds what is others', the file alone.
 */
void reach_file(struct reach *, const char *path);
/* A file that is written, with others beside it, and beside the one that a
 * link means. */
void reach_written(struct reach *, const char *path);
void reach_bind(struct reach *, const char *address);
/* http(s)://host[:port][/...], host:port, [v6]:port; else nothing. */
void reach_address(struct reach *, const char *text);
/* The same, of a proxy: without a port, those that clients take for one. */
void reach_proxy(struct reach *, const char *text);
void reach_port(unsigned char *ports, unsigned port);
bool reach_has_port(const unsigned char *ports, unsigned port);

/* Does it hold all of the other one?  False and why: the first that isn't. */
bool reach_covers(const struct reach *, const struct reach *wanted,
                  struct errmsg *);

#endif
