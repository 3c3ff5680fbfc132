/* SPDX-License-Identifier: MIT
 *
 * The text of a stage's record: all that a gateway needs to go on with it.
 * Lines of a word and its values; what a commit will do is written behind what
 * was there before, which counts as long as there is no object.
 */
#ifndef S3_STAGERECORD_H
#define S3_STAGERECORD_H

#include <sluice/plugin.h>

#include "buf.h"
#include "key.h"

#define STAGERECORD_MAX (1u << 20) /* bytes of the text */
#define STAGERECORD_PIECES 40      /* each is twice as long as the next */
#define STAGERECORD_SEGMENTS 10000

struct stagerun { /* segments that one session made */
  uint64_t session;
  uint32_t count;
};

struct stagepiece {
  uint64_t session;
  uint32_t number;
  uint64_t size;
};

struct stagestate { /* the gateway's */
  unsigned char bytes[SLUICE_STAGE_STATE_MAX];
  size_t size;
};

struct stagerecord {
  uint64_t part_size;
  struct stagerun *runs; /* owned */
  size_t run_count;
  struct stagepiece pieces[STAGERECORD_PIECES];
  size_t piece_count;
  int64_t expires_s;
  struct stagestate state;
  bool committing;
  /* Of the commit. */
  char key[KEY_MAX + 1];
  uint64_t length;
  int64_t done_expires_s;
  struct stagestate done_state;
};

void stagerecord_fini(struct stagerecord *);
/* Segments, all of them; and the bytes that they and the pieces have. */
uint32_t stagerecord_segments(const struct stagerecord *);
uint64_t stagerecord_tail(const struct stagerecord *);
uint64_t stagerecord_offset(const struct stagerecord *);
/* The session has made so many more. */
void stagerecord_add(struct stagerecord *, uint64_t session, uint32_t count);
/* The session that made a segment. */
uint64_t stagerecord_session(const struct stagerecord *, uint32_t index);
/* Takes off the pieces that are to be written again, together with so many
 * bytes behind them: those that aren't twice as long.  How many bytes. */
uint64_t stagerecord_merge(struct stagerecord *, uint64_t size);

bool stagerecord_write(struct buf *, const struct stagerecord *);
bool stagerecord_write_commit(struct buf *, const struct stagerecord *);
/* False: it is no record, or of another version; nothing is to be freed. */
bool stagerecord_read(struct stagerecord *, const char *text);

#endif
