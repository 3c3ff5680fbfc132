/* SPDX-License-Identifier: MIT
 *
 * One operation of a backend at a time, each waited for: what `sluice doctor`
 * does to a storage.
 */
#ifndef TOOLS_ACT_H
#define TOOLS_ACT_H

#include "stand.h"

#define ACT_PATIENCE_MS 90000

struct act_bytes {
  const char *data;
  size_t length;
  const char *md5; /* 32 hex digits */
};

struct act {
  struct stand *stand;
  struct op_backend *backend;
  struct sluice_op *op;
  bool over, held; /* held: at the end of a phase of a stage */
  enum sluice_status status;
  char why[512];

  /* Of a put or a stage. */
  const struct act_bytes *bytes;
  struct sluice_object object;
  bool lent; /* all of it */
  char id[SLUICE_STAGE_ID_MAX + 1];

  /* The answers. */
  uint64_t length;
  char etag[256];
  uint64_t first, count; /* of a get */
  char *got;             /* `count` bytes at most */
  size_t got_len;
  const char *sought; /* in a list */
  bool found;
  char url[OP_TEXT_MAX + 1]; /* presign */
};

void act_init(struct act *, struct stand *, size_t backend);
void act_fini(struct act *);
/* Each gives how it ended; act->why says more. */
enum sluice_status act_put(struct act *, const char *key,
                           const struct act_bytes *, bool exclusive,
                           const char *if_match);
/* By a stage: made, filled, saved, committed, removed. */
enum sluice_status act_stage(struct act *, const char *key,
                             const struct act_bytes *);
enum sluice_status act_head(struct act *, const char *key);
enum sluice_status act_get(struct act *, const char *key, uint64_t first,
                           uint64_t count);
enum sluice_status act_list(struct act *, const char *prefix,
                            const char *sought);
enum sluice_status act_copy(struct act *, const char *from, const char *to);
enum sluice_status act_remove(struct act *, const char *key);
enum sluice_status act_remove_if(struct act *, const char *key,
                                 const char *if_match);
enum sluice_status act_remove_many(struct act *, const char *const *keys,
                                   size_t count);
enum sluice_status act_presign(struct act *, const char *key,
                               uint32_t seconds);

#endif
