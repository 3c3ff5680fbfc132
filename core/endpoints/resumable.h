/* SPDX-License-Identifier: MIT
 *
 * An upload that may take several requests, in the memory of one of them.  One
 * engine for all ways in: resumable.c opens a stage and ends a request,
 * resumable_body.c brings its bytes there.  A dialect reads heads into it, and
 * writes those of answers.
 */
#ifndef ENDPOINTS_RESUMABLE_H
#define ENDPOINTS_RESUMABLE_H

#include "checksum.h"
#include "upload.h"
#include "uploadhead.h"
#include "uploadid.h"

struct resumable;

enum resumable_act { /* what a request wants of its upload */
                     RESUMABLE_CREATE,
                     RESUMABLE_APPEND,
                     RESUMABLE_LOOK
};

struct resumable_dialect {
  enum uploadid_way way;
  const char *append_type; /* of the content of a PATCH */
  /* Reads the head of a creation, or of an append; false when it was
   * answered. */
  bool (*read_create)(struct exchange *);
  bool (*read_append)(struct exchange *);
  /* An append to an upload that is complete: answers it. */
  void (*repeat)(struct exchange *);
  /* Is it complete with these bytes, at the end of a request? */
  bool (*ends)(const struct resumable *);
  /* Adds the fields of any answer about it. */
  void (*describe)(struct exchange *);
  /* The request is over, and the upload is not: answers it. */
  void (*go_on)(struct exchange *);
  /* The object is stored by it: answers with its JSON, which is taken; NULL
   * to a dialect whose answers have no content. */
  void (*stored)(struct exchange *, json_t *);
  bool bodiless;
};

/* Bytes that come from elsewhere than the request's body. */
struct resumable_source {
  void (*start)(struct exchange *);
  /* The backend takes more. */
  void (*go_on)(struct exchange *);
  void (*free)(void *from);
};

enum resumable_wait { /* what goes on after the stage was saved */
                      RESUMABLE_BODY,
                      RESUMABLE_ANSWER,
                      RESUMABLE_BROKEN,
                      RESUMABLE_SHORT,
                      RESUMABLE_SHOWN
};

enum resumable_stage {
  RESUMABLE_OPENING,   /* the backend has to tell what is there */
  RESUMABLE_WANTS,     /* it waits for a call */
  RESUMABLE_BORROWS,   /* it has a buffer */
  RESUMABLE_SAVING,    /* it makes durable what it has */
  RESUMABLE_SHOWING,   /* it waits until hooks have seen what it has */
  RESUMABLE_COMMITTING /* it is asked to, once hooks have let the key pass */
};

enum resumable_body {
  RESUMABLE_BODY_COMES,
  RESUMABLE_BODY_ENDED, /* all of it came */
  RESUMABLE_BODY_BROKEN /* no more of it comes */
};

struct resumable {
  struct upload upload; /* first: names, buffers, and the answer's words.  Its
                           size counts all bytes that have come */
  struct exchange *ex;  /* NULL: gone */
  struct gate *gate;
  struct op_backend *backend;
  const struct resumable_dialect *dialect;
  const struct resumable_source *source; /* NULL: the request's body */
  void *from;                            /* it has this to give */
  enum resumable_act act;
  unsigned interop; /* the version of interim answers; 0: none are wanted */

  /* The address. */
  struct uploadid id;
  char *address;                /* the id as text */
  const struct digest_key *key; /* NULL: not known yet */
  struct linksecret_waiter waiter;
  void (*known)(struct exchange *); /* goes on then */
  struct buf metadata, concat;      /* of tus, as sent */

  /* The head says this. */
  int64_t at;   /* Upload-Offset */
  int64_t said; /* Upload-Length; -1: nothing */
  struct uploadhead_checksum checksum;
  struct checksum sum;
  struct digestfield content; /* Content-Digest */
  struct sums content_sums;

  /* The stage. */
  struct sluice_op *op;
  struct resumable_show *show; /* of its bytes to hooks; NULL: none is */
  int64_t length;              /* of the whole upload; -1: unknown */
  uint64_t sent;               /* bytes that the backend has */
  uint64_t saved;              /* that are durable */
  int64_t expires_s;
  void (*killed)(struct exchange *); /* goes on once the stage is removed */
  struct event tick;
  const char *fault; /* of the body */
  enum resumable_stage state;
  enum resumable_wait wait; /* while it is saved */
  enum resumable_body body;
  char stage[SLUICE_STAGE_ID_MAX + 1];

  bool waits;      /* for the key */
  bool last;       /* the content is the upload's end */
  bool summed;     /* its content counts whole or not at all */
  bool checked;    /* by Upload-Checksum */
  bool length_new; /* since it was saved */
  bool complete;
  bool told;    /* the client knows the address */
  bool flush;   /* what is there shall go at once */
  bool due;     /* to be saved, as a second has passed */
  bool leaving; /* it is saved though its client left */
};

/* The exchange's work; false, and answered: no memory. */
struct resumable *resumable_new(struct exchange *, enum resumable_act,
                                const struct resumable_dialect *);
static inline struct resumable *resumable_of(struct exchange *ex) {
  return ex->work;
}

/* Starts a creation, once its dialect has read the head.  Without stages it is
 * refused there, and needs no key. */
void resumable_create(struct exchange *);
/* Goes on with the upload of an address that was read: looks at it, or appends
 * to it. */
void resumable_open(struct exchange *);
void resumable_delete(struct exchange *);

/* Answers with a fault of a number of bytes that the head proves, at the
 * offset where the content begins; true: there is none.  Notes a length that
 * is new. */
bool resumable_check_lengths(struct exchange *, uint64_t at);
/* The Location: the path of its address. */
void resumable_say_location(struct exchange *);
void resumable_add_location(struct exchange *, struct buf *);
/* 404, as for an address that never was. */
void resumable_unknown(struct exchange *);
/* Has the key of addresses, then goes on; needed before any of the next. */
void resumable_ask_key(struct exchange *, void (*then)(struct exchange *));
void resumable_leave_key(struct resumable *);
/* Makes the address; false: it would be too long. */
bool resumable_seal(struct exchange *);
/* Reads that of the path; false when it was answered. */
bool resumable_read_address(struct exchange *);
/* The object that it became, by upload.answer(). */
void resumable_tell_object(struct exchange *);
/* The JSON of GET, or an answer without. */
void resumable_tell(struct exchange *);
/* A word of the backend to a request that waits for it. */
void resumable_failed(struct exchange *, enum sluice_status, const char *why);

/* ---- resumable_state.c -------------------------------------------------- */

/* All that is to be saved: `state` is filled.  Digests that nobody asks for
 * take no room. */
#define RESUMABLE_STATE_BARE (1 + 8 + MD5_SAVED)
#define RESUMABLE_STATE                                         \
  (RESUMABLE_STATE_BARE + 1 + SHA2_256_SAVED + SHA2_512_SAVED + \
   SHA2_KINDS * SHA2_MAX + 8)
_Static_assert(RESUMABLE_STATE <= SLUICE_STAGE_STATE_MAX,
               "backends promise to save it");
struct sluice_save resumable_state(const struct resumable *,
                                   unsigned char state[RESUMABLE_STATE]);
/* The length that a stage's state knows; -1: none. */
int64_t resumable_length(const struct sluice_staged *);
/* Takes over what was saved; false: it makes no sense. */
bool resumable_load(struct resumable *, const struct sluice_staged *);

/* ---- resumable_digest.c --------------------------------------------------
 */

/* Reads what the head of a creation says of digests, or of an append; false:
 * answered. */
bool resumable_read_digests(struct exchange *);
/* Does its content fit what the head says of it?  False: answered. */
bool resumable_check_content(struct exchange *);

/* ---- resumable_end.c ---------------------------------------------------- */

/* Has it committed, then answered; or removed, where it isn't what its
 * creation said. */
void resumable_commit(struct exchange *);
/* Removes the stage, then goes on. */
void resumable_kill(struct exchange *, void (*then)(struct exchange *));
/* The digests of all bytes so far, as text. */
void resumable_read_sums(struct resumable *);

/* ---- resumable_show.c --------------------------------------------------- */

/* Hooks that want to see the bytes, all of which are durable then, do; goes
 * on. */
void resumable_show(struct exchange *, void (*then)(struct exchange *));
/* The exchange is gone. */
void resumable_show_leave(struct resumable *);

/* ---- resumable_body.c --------------------------------------------------- */

/* Asks for the body. */
void resumable_body_start(struct exchange *);
/* Events of the stage's operation. */
void resumable_on_next(void *);
void resumable_on_saved(struct resumable *);
/* Lends, saves or ends, where the backend waits. */
void resumable_push(struct resumable *);
/* Saves, then goes on so. */
void resumable_save(struct resumable *, enum resumable_wait);
/* The exchange is gone: what came is saved, where that is worth it, then it is
 * freed. */
void resumable_leave(struct resumable *);
/* The interim answer, with the address where `location`. */
void resumable_interim(struct resumable *, bool location, bool offset);

extern const struct resumable_dialect uploads_draft, uploads_tus;
/* Is the request one of it?  (tus also: answered, as of another version.) */
bool uploads_is_tus(const struct exchange *);
bool uploads_tus_refuses_version(struct exchange *);
void uploads_draft_limits(struct exchange *, const struct resumable *);

#endif
