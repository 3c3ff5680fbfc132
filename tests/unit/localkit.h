/* SPDX-License-Identifier: MIT
 *
 * A host for the backend `local`: one loop, a pool, and calls that wait for
 * their end, for the tests of that backend.
 */
#ifndef TESTS_LOCALKIT_H
#define TESTS_LOCALKIT_H

#include "local.h"
#include "loop.h"
#include "op.h"
#include "work.h"

struct kit {
  char dir[128]; /* of the backend */
  struct local_conf conf;
  unsigned threads;            /* of the pool; 0: 4 */
  int hold[2];                 /* a pipe, of kit_hold() */
  struct sluice_handed handed; /* kit_join() */
  struct work_pool *pool;
  struct loop *loop;
  struct sluice_host host; /* of the instance; `failure` tells why not */
  struct op_backend backend;
  struct local *local;
};

/* A new directory; the backend isn't started. */
void kit_init(struct kit *, uint64_t inline_max);
void kit_fini(struct kit *); /* and removes the directory */
bool kit_start(struct kit *);
/* Starts one that takes over the directory of another, which stays; needs no
 * kit_init() and no kit_fini(). */
bool kit_join(struct kit *, struct kit *first);
void kit_stop(struct kit *);

/* Keeps the only thread of the pool busy, so that jobs collect. */
void kit_hold(struct kit *);
void kit_release(struct kit *);

enum call_leave { CALL_STAYS, CALL_LEAVES_BEFORE, CALL_LEAVES_AFTER };

/* One operation: fill what is asked for, start it, wait. */
struct call {
  struct kit *kit;
  const char *key;
  const char *data;     /* put */
  size_t length, piece; /* piece: bytes a chunk; 0: all at once */
  int64_t hint;
  const char *type, *md5; /* md5 NULL: the right one */
  const struct sluice_pair *user;
  size_t claim; /* the length that commit claims; 0: the right one */
  bool exclusive;
  uint64_t first, count;   /* get; count 0: to the end */
  const char *const *keys; /* remove many; so many, and their ends */
  size_t key_count;
  enum sluice_status *each;
  enum call_leave leave; /* at turn number `turn`, from 0: the start */
  int turn;

  struct sluice_op *op;
  size_t sent;
  int turns;
  bool last_sent, done, left;
  enum sluice_status status;
  char why[1024];
  struct buf body; /* get */
  int fd;          /* get: of the chunk, -1: memory */
  struct row row;  /* what meta said; `user` as pairs with NULs */
  char etag[64], type_said[64];
};

void call_put(struct call *);
void call_get(struct call *);
void call_head(struct call *);
void call_remove(struct call *);
void call_remove_many(struct call *);
void call_ping(struct call *);
void call_wait(struct call *);
/* Until it has taken so many turns: a put in one chunk has 3. */
void call_wait_turns(struct call *, int turns);
void call_fini(struct call *);

/* The short way. */
enum sluice_status kit_put(struct kit *, const char *key, const char *data,
                           size_t length);
enum sluice_status kit_remove(struct kit *, const char *key);
/* How many are still there; `each` may be NULL. */
size_t kit_remove_many(struct kit *, const char *const *keys, size_t count,
                       enum sluice_status *each);
/* Is it there with just these bytes? */
bool kit_has(struct kit *, const char *key, const char *data, size_t length);
enum sluice_status kit_head(struct kit *, const char *key);

enum sluice_status kit_ping(struct kit *, char why[ERRMSG_MAX]);

/* A page, as lines: "k key\n", "p prefix\n", "t token\n"; status is the
 * operation's. */
enum sluice_status kit_list(struct kit *, const struct sluice_list *,
                            struct buf *page);

/* From the first call on the gateway's log is kept, and not seen. */
void kit_log_keep(void);
void kit_log_forget(void);
int kit_log_count(const char *words); /* how often they are in it */

/* `length` bytes that depend on seed; freed by the caller. */
char *kit_bytes(uint64_t seed, size_t length);
uint64_t kit_noise(uint64_t *state);                     /* pseudo-random */
size_t kit_files(const struct kit *, const char *below); /* regular ones */
/* Cuts a blob at that offset, or overwrites what is there. */
void kit_change_blob(const struct kit *, uint64_t number, off_t at,
                     const char *data, size_t length);
size_t kit_fds(void);
/* A connection of one's own to the index: for sqlite3_close(). */
sqlite3 *kit_index(const struct kit *);
/* Runs SQL on the index that no backend is writing to. */
bool kit_sql(const struct kit *, const char *sql);
int64_t kit_number(const struct kit *, const char *sql);

#endif
