/* SPDX-License-Identifier: MIT
 *
 * One operation as the gateway would drive it, with all that the plugin said.
 * What no operation may do (an empty chunk, bytes that nobody stored, never
 * an end) fails the check at once.
 */
#ifndef CHECK_ACT_H
#define CHECK_ACT_H

#include <sluice/plugin.h>

#include "lab.h"
#include "sample.h"

#define ACT_NEVER (-1)
#define ACT_LENT_MAX (2 * OP_USER_MAX + 8)
#define ACT_CHUNK 65536 /* bytes of a put's chunk, where nothing is said */

struct act_entry {
  char *key;
  bool folded; /* a prefix: the rest is empty */
  uint64_t length;
  int64_t mtime_ms;
  char *etag;
};

struct act_get {
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

struct act_put {
  const char *key;
  struct sample sample;
  size_t chunk;    /* 0: ACT_CHUNK */
  bool empty_last; /* the last chunk brings nothing */
  bool hinted;     /* its length is told, and `slack` more than that */
  int64_t slack;
  const char *type;               /* NULL: application/octet-stream */
  const struct sluice_pair *user; /* NULL: none */
  bool exclusive;
  bool hold; /* the commit waits for act_commit() */
};

struct act {
  struct lab *lab;
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

  struct act_entry meta;
  char *type, *encoding;
  char *names[OP_USER_MAX], *values[OP_USER_MAX];
  size_t user_count;
  struct act_entry *entries;
  size_t entry_count;
  char *token, *texts[OP_TEXTS_MAX];
  size_t text_count;

  struct act_get get;
  uint64_t want, got; /* bytes */
  uint64_t from;
  unsigned matching; /* a bit for each wanted sample */
  struct sluice_chunk chunk;

  struct act_put put;
  uint64_t sent;
  char *buffers[2];
  struct digest *digest;
  char md5[33];
  bool last_sent, committed;
  bool held; /* all chunks came back, and there is no commit yet */
  unsigned filling;

  char *lent[ACT_LENT_MAX];
  size_t lent_count;
};

/* Zeroes it; every act is init'd and fini'd. */
void act_init(struct act *, struct lab *);
void act_fini(struct act *);

/* Each starts one; act_wait() runs the loop until it is over. */
void act_head(struct act *, const char *key);
void act_remove(struct act *, const char *key);
void act_ping(struct act *);
void act_list(struct act *, const struct sluice_list *);
void act_presign(struct act *, const struct sluice_link *);
void act_verify(struct act *, const struct sluice_claim *);
void act_start_get(struct act *, const struct act_get *);
void act_start_put(struct act *, const struct act_put *);
void act_wait(struct act *);
void act_commit(struct act *); /* of a put that is held */
/* The gateway leaves now. */
void act_leave(struct act *);

/* "SLUICE_OK" and so on. */
const char *act_word(enum sluice_status);
/* Fails the check unless it ended so. */
void act_expect(struct act *, enum sluice_status);

/* ---- for act_get.c and act_put.c ---- */

/* A copy that is spoiled by act_spoil(), where the lab says so. */
const char *act_lend(struct act *, const char *text);
void act_spoil(struct act *);
/* Counts half a step; true: the gateway leaves there, and has. */
bool act_step(struct act *);
void act_begin(struct act *, const char *entry, const char *key);
void act_begun(struct act *, struct sluice_op *);
/* What every event begins with. */
void act_event(struct act *, const char *event);
void act_on_meta(struct act *, const struct sluice_meta *);
void act_on_done(void *act, enum sluice_status, const char *why);

#endif
