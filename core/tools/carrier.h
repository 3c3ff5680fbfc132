/* SPDX-License-Identifier: MIT
 *
 * Carries objects from one backend to another, one at a time; there are
 * several of them.  An object that the other has already, of the same length
 * and MD5, isn't carried again.
 */
#ifndef TOOLS_CARRIER_H
#define TOOLS_CARRIER_H

#include "digest.h"
#include "errmsg.h"
#include "op.h"
#include "work.h"

#define CARRIER_PIECE ((size_t)256 << 10)

enum carrier_end {
  CARRIER_CARRIED,
  CARRIER_THERE,  /* already */
  CARRIER_GONE,   /* from the source, meanwhile */
  CARRIER_FAILED, /* `why` says it */
  CARRIER_ENDS
};

struct carrier {
  struct op_backend *from, *to;
  struct loop *loop;
  struct work_share *share;
  bool dry, read; /* only look; read back what was written */
  bool missing;   /* replace nothing, however it differs */
  /* The last call for an object: carrier_start() may follow in it. */
  void (*done)(struct carrier *, enum carrier_end);
  void *arg;

  /* ---- private ---- */

  char *key;
  struct sluice_op *get, *put;
  char buffer[CARRIER_PIECE];
  /* The object, as the source tells it. */
  uint64_t length;
  char digest[2 * DIGEST_MD5_LEN + 1], *type; /* "": none is known */
  struct sluice_pair user[OP_USER_MAX + 1];
  struct buf texts;                   /* of them */
  char lost[200];                     /* headers that can't be kept */
  int64_t expires_s, there_expires_s; /* when it ends; 0: never */
  uint64_t there_length;
  char there_digest[2 * DIGEST_MD5_LEN + 1];
  struct digest *md5;
  char sum[2 * DIGEST_MD5_LEN + 1];
  struct sluice_chunk chunk; /* of the source */
  uint64_t taken, sent;      /* bytes of the chunk, and of all */
  size_t piece;              /* bytes in the buffer */
  bool has_chunk, asked, filling, ending, verifying;
  bool stored; /* and the source is to end before it is read back */
  int error;   /* of reading the chunk's file */
  enum carrier_end end;
  struct errmsg why;
};

/* Caller's storage, zeroed but for the first part.  False: no memory. */
bool carrier_init(struct carrier *);
void carrier_fini(struct carrier *);
void carrier_start(struct carrier *, const char *key);

#endif
