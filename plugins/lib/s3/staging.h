/* SPDX-License-Identifier: MIT
 *
 * A stage that is open, from the inside: staging.c opens it, staging_bytes.c
 * takes its bytes, staging_save.c makes them durable and staging_commit.c an
 * object.
 *
 * Whoever opens a stage writes a record first and reads afterwards; whoever
 * has it writes a record first, and looks afterwards whether a newer one is
 * there.  So of two at once one sees the other, by a list alone, which every
 * service keeps true; nobody overwrites an object, and no lock is held.
 */
#ifndef S3_STAGING_H
#define S3_STAGING_H

#include <sluice/plugin.h>

#include "listing.h"
#include "put.h"
#include "stagefetch.h"
#include "stagename.h"
#include "stageread.h"
#include "stagerecord.h"
#include "stagewrite.h"

#define STAGING_FLIGHT 2 /* segments on their way at once, at most */
#define STAGING_BUFFER                                   \
  65536 /* of a tail that is read; as much as curl gives \
           at once */

#define STAGING_BUSY "the upload is completed just now; ask again"

struct staging;
struct staging_segment;

typedef void staging_step(struct staging *);
typedef void staging_sent(struct staging *, struct staging_segment *);

/* Bytes in a spool, and their way to an object. */
struct staging_segment {
  struct staging *staging;
  struct spool *spool;
  struct spool_sum sum;
  struct s3_call *call; /* NULL: none is under way */
  struct s3_request request;
  char key[STAGENAME_MAX], md5[32], sha256[65];
  staging_sent *sent;
};

enum staging_fate { /* how it ends */
                    STAGING_LIVES,
                    STAGING_STORES, /* with its put */
                    STAGING_STORED, /* the object is there, whatever comes */
                    STAGING_WAITS   /* when nothing borrows any more */
};

struct staging {
  struct s3_loop *loop;
  struct sluice_op *op;
  size_t cost; /* taken from the host's memory */

  /* The session that has it, by its newest record. */
  struct stagename_record mine;
  struct s3_listing listing;
  struct stagename_look look; /* of a list */
  struct stagewrite writing;
  staging_step *recorded; /* goes on then */

  /* The newest record is in reading.record, and its text beside it. */
  struct stageread reading;
  struct s3_call *call;
  struct s3_request request;
  staging_step *absent; /* goes on when no object is there */

  /* Of a new one. */
  uint64_t owner_max, owned;

  /* Bytes. */
  struct stagefetch fetch;
  staging_step *loaded_then;
  char *buffer;
  struct staging_segment *filling; /* NULL: nothing is behind the last one */
  struct staging_segment *flying[STAGING_FLIGHT];
  struct sluice_chunk chunk;
  uint64_t used;        /* bytes of it */
  staging_step *landed; /* goes on when nothing flies any more */

  /* Of a commit. */
  struct put *put;
  struct put_joined joined;

  /* Objects that aren't needed any more once the next record is there. */
  char needless[STAGERECORD_PIECES + 4][STAGENAME_MAX];
  size_t needless_count;

  enum staging_fate fate;
  enum sluice_status failure;
  uint32_t segments; /* that were begun; those of the record among them */
  uint32_t named;    /* of them, those that a record may name */
  int64_t begun_s;   /* a commit */
  bool untold;       /* a new one, whose id nobody knows yet */
  bool made;         /* the object is there, and nobody was told so */
  bool busy;         /* its commit is known to this process */
  bool again;        /* it is looked for once more */
  bool sweeping;     /* unfinished parts of its key are given up */
  bool loaded;       /* the tail is in the spool */
  bool adding;       /* a spool borrows */
  char base[STAGENAME_BASE_LEN + 1];
  char counted[STAGENAME_BASE_LEN + 1]; /* the stage that is counted */
  char prefix[STAGENAME_MAX];           /* of a list */
  char etag[PUT_ETAG_MAX];              /* of what was made */
  char why[256];
};

/* Ends the operation, and frees it, perhaps a little later. */
void staging_end(struct staging *, enum sluice_status, const char *why);
/* Does it go on?  Asked by what comes from elsewhere. */
bool staging_lives(const struct staging *);
void staging_tell(struct staging *);
/* Writes writing.text as the next record and looks whether the stage is still
 * this session's; then goes on, or ends. */
void staging_record(struct staging *, enum stagename_kind, int64_t expires_s,
                    staging_step *then);
/* Lists the newest record, then goes on: is it this session's? */
void staging_look(struct staging *, void (*done)(void *arg, enum sluice_status,
                                                 const char *why));
bool staging_is_mine(const struct staging *);
int64_t staging_now_s(void);
void staging_needless(struct staging *, const char *key);
void staging_erase_needless(struct staging *);

/* ---- staging_bytes.c ---------------------------------------------------- */

void staging_data(void *work, const struct sluice_chunk *);
/* Goes on when the tail is in the spool. */
void staging_load(struct staging *, staging_step *then);
/* Goes on when all full segments are stored. */
void staging_land(struct staging *, staging_step *then);
/* Stores a range of a spool under segment->key, then says so. */
void staging_send(struct staging_segment *, uint64_t first, uint64_t count,
                  staging_sent *sent);
/* Ends what is under way; the spools go in the background. */
void staging_drop_bytes(struct staging *);
void staging_segment_free(struct staging_segment *);

/* ---- staging_commit.c --------------------------------------------------- */

/* A put that wasn't started. */
void staging_drop_put(struct staging *);
/* A commit was begun: where its object is there, the stage is told to have all
 * bytes, so that the gateway commits again and tells whom it concerns; else it
 * goes on. */
void staging_find_object(struct staging *, staging_step *absent);

#endif
