/* SPDX-License-Identifier: MIT
 *
 * Names of the objects that make up a stage.  All of it lies below one folder:
 *
 *   .sluice/stages/OWNER/ID/r/...   records: who has it, and how far it is
 *   .sluice/stages/OWNER/ID/s/...   segments, all of the part's size
 *   .sluice/stages/OWNER/ID/t/...   pieces of the tail behind them
 *
 * No name is ever written twice with other bytes, and the newest record comes
 * first in a list.
 */
#ifndef S3_STAGENAME_H
#define S3_STAGENAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "key.h"

#define STAGENAME_ROOT KEY_OWN "/stages/"
#define STAGENAME_OWNER_LEN 16 /* hexadecimal digits */
#define STAGENAME_ID_LEN 32
#define STAGENAME_TEXT_LEN (STAGENAME_OWNER_LEN + 1 + STAGENAME_ID_LEN)
#define STAGENAME_BASE_LEN (sizeof STAGENAME_ROOT - 1 + STAGENAME_TEXT_LEN + 1)
#define STAGENAME_MAX 160 /* NUL included */

/* A later turn is newer, and of one turn the smaller session, and then the
 * larger number.  The end of a stage is newer than all. */
#define STAGENAME_TURN_MAX UINT32_C(0xFFFFFFFC)
#define STAGENAME_TURN_GOING UINT32_C(0xFFFFFFFD)
#define STAGENAME_TURN_DONE UINT32_C(0xFFFFFFFE)
#define STAGENAME_TURN_GONE UINT32_C(0xFFFFFFFF)
#define STAGENAME_EXPIRES_MAX ((INT64_C(1) << 40) - 1)

enum stagename_kind {
  STAGENAME_TAKEN = 'c', /* a session begins: it has nothing to say yet */
  STAGENAME_OPEN = 'o',  /* so much is durable */
  STAGENAME_GOING = 'h', /* a sweep looks whether it has expired */
  STAGENAME_DONE = 'd',  /* it became an object */
  STAGENAME_GONE = 'g'   /* it was removed */
};

struct stagename_record {
  uint64_t session; /* random: nobody else's */
  int64_t expires_s;
  uint32_t turn;
  uint32_t number; /* in its session, from 0 */
  enum stagename_kind kind;
};

/* Of an owner and 16 random bytes: "OWNER/ID", as the gateway keeps it. */
void stagename_make(char out[STAGENAME_TEXT_LEN + 1], const char *owner,
                    const unsigned char random[16]);
/* The folder of such a text, with its slash; false: no stage has that name. */
bool stagename_base(char out[STAGENAME_BASE_LEN + 1], const char *text);
/* "ID" of a folder; no NUL follows it. */
const char *stagename_id(const char *base);
/* The folder of all of an owner's stages. */
void stagename_owner(char out[STAGENAME_MAX], const char *base);

void stagename_write(char out[STAGENAME_MAX], const char *base,
                     const struct stagename_record *);
/* False: the key isn't that of a record. */
bool stagename_read(struct stagename_record *, const char *key);
/* Is the key below a stage's folder?  Then that. */
bool stagename_folder(char out[STAGENAME_BASE_LEN + 1], const char *key);
void stagename_segment(char out[STAGENAME_MAX], const char *base,
                       uint32_t index, uint64_t session);
void stagename_piece(char out[STAGENAME_MAX], const char *base,
                     uint64_t session, uint32_t number);

/* All records of a stage together, as they come in a list. */
struct stagename_look {
  bool any, ended, has_open;
  struct stagename_record newest;
  struct stagename_record open; /* the newest of that kind */
};
void stagename_look(struct stagename_look *, const struct stagename_record *);
/* Does it take bytes, at this time? */
bool stagename_lives(const struct stagename_look *, int64_t now_s);

#endif
