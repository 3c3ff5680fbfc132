/* SPDX-License-Identifier: MIT
 *
 * A download of the layer `compress`: what its loop and the thread that works
 * for it share.  Only one of both has it at a time.
 */
#ifndef COMPRESS_COMPRESS_GET_H
#define COMPRESS_COMPRESS_GET_H

#include <zstd.h>

#include "compress.h"

enum get_phase {
  PHASE_META,   /* the storage has to describe it */
  PHASE_AS_IS,  /* it passes */
  PHASE_WAIT,   /* for read() */
  PHASE_GATHER, /* stored bytes come */
  PHASE_THREAD, /* one reads or opens them */
  PHASE_AGAIN,  /* the table was read: the storage has to end, */
  PHASE_SAME,   /* and to describe the same object again */
  PHASE_LENT,   /* the gateway has plain bytes */
  PHASE_CLOSING /* all is sent, or it failed: the storage has to end */
};

enum find { FIND_MORE, FIND_FRAME, FIND_TABLE, FIND_BROKEN, FIND_UNREAD };

struct compress_get {
  struct sluice_op *op;
  struct compress_handle *handle;
  struct sluice_ask *ask; /* NULL: it is over */
  enum get_phase phase;
  ZSTD_DCtx *opener;
  struct digest *md5; /* of a whole object's bytes; NULL: of a range */
  unsigned char *stored, *plain;
  size_t room, plain_room, taken_memory; /* bytes */
  char *key, *etag;
  struct seekable shape;
  uint64_t length; /* of the stored object */
  struct seekable_table table;
  bool reads_table;     /* and frames come later */
  bool exact;           /* the frames that were asked for are all that comes */
  uint32_t index;       /* of the frame that is gathered */
  uint64_t first, left; /* of the plain range */
  uint64_t from, count; /* of the stored one */
  size_t have, frame;   /* bytes in `stored`; of the frame in front of them */
  struct sluice_chunk chunk; /* what is left of what the storage lent */
  bool lent, last;           /* it is to be given back; it is the last one */
  bool canceled;             /* while a thread was at work */
  enum find find;
  enum sluice_status status;
  char why[128];
};

/* On a thread: reads on in the chunk's file, where it is one, and opens the
 * frame that is in front, or takes what came of the table. */
void compress_search(void *get);

#endif
