/* SPDX-License-Identifier: MIT
 *
 * A spool's inside, for its own files: spool.c appends and frees, spool_read.c
 * reads and sums, spool_file.c makes the calls that may block, spool_cache.c
 * keeps files for the next spools.
 *
 * An invariant: memory, file and length change on the loop's thread
 * only, and while a job uses them they don't; the last job of a freed spool
 * gives its file away.
 */
#ifndef LIB_SPOOL_PRIVATE_H
#define LIB_SPOOL_PRIVATE_H

#include <sluice/plugin.h>
#include <sys/queue.h>

#include "spool.h"

/* Bytes that a thread of the pool read, for who couldn't wait for them. */
struct spool_fetch {
  LIST_ENTRY(spool_fetch) link;
  struct spool *spool;
  int fd;
  uint64_t offset;
  size_t room, cost; /* cost: taken from the host's memory */
  int64_t got;       /* the thread's, until it is over; -2: it can't be read */
  bool over;
  void (*ready)(void *arg);
  void *arg;
  char data[];
};

LIST_HEAD(spool_fetches, spool_fetch);

#define SPOOL_BOUND (-1) /* beyond settings->max */

struct spool_add {
  const void *data;
  size_t len;
  struct spool_file file; /* as the job leaves it */
  int error;              /* errno, or SPOOL_BOUND */
  bool failed;            /* a call did, though it may have helped to retry */
  bool busy;
  enum sluice_status status;
  void (*added)(void *arg, enum sluice_status, const char *why);
  void *arg;
};

struct spool {
  struct sluice_host *host;
  struct spool_settings *settings;
  struct event *later; /* says added() and released() */
  char *memory;        /* all of it, while there is no file */
  size_t most;         /* of it */
  size_t room;
  struct spool_file file; /* may have another's bytes after `length` */
  uint64_t length;
  uint64_t expected; /* at most; 0: unknown */
  unsigned jobs;     /* of the pool's, that use this */
  unsigned sums;     /* of those */
  bool freed;
  bool spoiled; /* a call on the file failed: it isn't kept */
  struct digest *digest;
  struct spool_add add;
  struct spool_fetches fetches;
  void (*released)(void *arg);
  void *released_arg;
  char why[512];
};

/* The fetch goes out of its spool's list. */
void spool_fetch_free(struct spool_fetch *);

/* A job is over; true: the spool was freed meanwhile, say nothing. */
bool spool_job_over(struct spool *);

/* ---- calls that may block: on a thread of the pool ---------------------- */

/* An unlinked file; -1 and errno. */
int spool_file_open(const char *directory);
bool spool_file_write(int fd, const void *data, size_t len, uint64_t offset);
/* Bytes read, less than room only at the file's end; -1 and errno. */
int64_t spool_file_read(int fd, void *to, size_t room, uint64_t offset);
/* This one never waits for a disk: -1 and EAGAIN instead. */
int64_t spool_file_peek(int fd, void *to, size_t room, uint64_t offset);

#endif
