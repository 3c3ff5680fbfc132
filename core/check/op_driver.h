/* SPDX-License-Identifier: MIT
 *
 * Drives one operation as the gateway would, and keeps all that the plugin
 * said.  Anything that no operation may do (an empty chunk, bytes that nobody
 * stored, never an end) fails the check at once.
 */
#ifndef CHECK_OP_DRIVER_H
#define CHECK_OP_DRIVER_H

#include <sluice/plugin.h>

#include "fixture.h"
#include "sample.h"

#define OP_DRIVER_NEVER (-1)
#define OP_DRIVER_LENT_MAX (2 * OP_USER_MAX + 8)
#define OP_DRIVER_CHUNK \
  65536 /* bytes of a put's chunk, where nothing is said */

struct op_driver_entry {
  char *key;
  bool folded; /* a prefix: the rest is empty */
  uint64_t length;
  int64_t mtime_ms;
  char *etag;
};

struct op_driver_get {
  const char *key;
  uint64_t first, count; /* what will probably be read; count 0: to the end */
  bool leave;            /* after the meta, as for a HEAD or a 304 */
  bool other;            /* read something else than that: */
  uint64_t read_first, read_count;
  bool slow; /* keep each chunk for a moment, and look again */
  /* One of these it has to be, all of it; none: only the chunks count. */
  const struct sample *wanted;
  size_t wanted_count;
};

struct op_driver_put {
  const char *key;
  struct sample sample;
  size_t chunk;    /* 0: OP_DRIVER_CHUNK */
  bool empty_last; /* the last chunk brings nothing */
  bool hinted;     /* its length is told, and `slack` more than that */
  int64_t slack;
  const char *type;               /* NULL: application/octet-stream */
  const struct sluice_pair *user; /* NULL: none */
  bool exclusive;
  const char *if_match; /* NULL: whatever is there */
  bool hold;            /* the commit waits for op_driver_commit() */
  bool rereads;         /* all of it is read again before the commit */
  bool early;           /* its object is told before its bytes */
};

struct op_driver {
  struct fixture *fixture;
  struct sluice_op *op;
  char what[160]; /* for messages */
  bool over;      /* nothing comes any more */
  bool left;      /* by this side: over when the plugin is done, too */
  bool described; /* `meta` came */
  bool changing;  /* a commit or a remove is under way, or was */
  enum sluice_status status;
  char why[256];

  /* The gateway leaves: before its step of number leave_at / 2 when that is
   * even, right after it when it is odd. */
  int leave_at, step;
  int before;        /* of a commit or a copy */
  unsigned matching; /* get: a bit for each wanted sample */

  struct op_driver_entry meta;
  char *type, *encoding;
  char *names[OP_USER_MAX], *values[OP_USER_MAX];
  size_t user_count;
  struct op_driver_entry *entries;
  size_t entry_count;
  char *token, *texts[OP_TEXTS_MAX];
  size_t text_count;
  size_t many, failures; /* remove_many: keys, and those that are left */

  struct op_driver_get get;
  uint64_t want, got; /* bytes */
  uint64_t from;
  struct sluice_chunk chunk;

  struct op_driver_put put;
  uint64_t sent;
  char *buffers[2];
  struct digest *digest;
  char md5[33];
  bool last_sent, committed;
  bool reread; /* its bytes came back */
  bool ready;  /* for op_driver_commit(): all chunks came back; or over */
  unsigned filling;

  char *lent[OP_DRIVER_LENT_MAX];
  size_t lent_count;
};

/* Zeroes it; every driver is init'd and fini'd. */
void op_driver_init(struct op_driver *, struct fixture *);
void op_driver_fini(struct op_driver *);

/* Each starts one; op_driver_wait() runs the loop until it is over. */
void op_driver_head(struct op_driver *, const char *key);
void op_driver_remove(struct op_driver *, const char *key);
void op_driver_remove_if(struct op_driver *, const struct sluice_removal *);
/* The keys stay until it is over. */
void op_driver_remove_many(struct op_driver *, const char *const *keys,
                           size_t count);
void op_driver_copy(struct op_driver *, const struct sluice_copy *);
void op_driver_ping(struct op_driver *);
void op_driver_list(struct op_driver *, const struct sluice_list *);
void op_driver_presign(struct op_driver *, const struct sluice_link *);
void op_driver_verify(struct op_driver *, const struct sluice_claim *);
void op_driver_start_get(struct op_driver *, const struct op_driver_get *);
void op_driver_start_put(struct op_driver *, const struct op_driver_put *);
void op_driver_wait(struct op_driver *);
/* Of a put with `hold`: runs the loop until it is held; then its commit. */
void op_driver_hold(struct op_driver *);
void op_driver_commit(struct op_driver *);
/* The gateway leaves now. */
void op_driver_leave(struct op_driver *);

/* "SLUICE_OK" and so on. */
const char *op_driver_word(enum sluice_status);
/* Fails the check unless it ended so. */
void op_driver_expect(struct op_driver *, enum sluice_status);

/* ---- for op_driver_get.c and op_driver_put.c ---- */

/* A copy that is spoiled by op_driver_spoil(), where the fixture says so. */
const char *op_driver_lend(struct op_driver *, const char *text);
void op_driver_spoil(struct op_driver *);
/* Counts half a step; true: the gateway leaves there, and has. */
bool op_driver_step(struct op_driver *);
void op_driver_begin(struct op_driver *, const char *entry, const char *key);
void op_driver_begun(struct op_driver *, struct sluice_op *);
/* Every event begins with it. */
void op_driver_event(struct op_driver *, const char *event);
void op_driver_on_alive(void *driver);
void op_driver_on_head_meta(void *driver, const struct sluice_meta *);
void op_driver_on_meta(struct op_driver *, const struct sluice_meta *);
void op_driver_on_done(void *driver, enum sluice_status, const char *why);

#endif
