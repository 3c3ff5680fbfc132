/* SPDX-License-Identifier: MIT
 *
 * The format of a compressed object (docs/compressed-objects.md): frames of
 * zstd, each of the same number of plain bytes but for the last one, and the
 * table of the zstd seekable format behind them.  Pure functions; what they
 * read was written by anybody.
 */
#ifndef COMPRESS_SEEKABLE_H
#define COMPRESS_SEEKABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEEKABLE_FRAME_MIN 4096
#define SEEKABLE_FRAME_MAX (8 << 20)
#define SEEKABLE_FRAMES_MAX 0x8000000u
/* The name of the mark in the metadata, and of one that came from above, of
 * another such layer, as long as it is below. */
#define SEEKABLE_MARK "sluice-zstd"
#define SEEKABLE_ABOVE "sluice-zstd-above"
#define SEEKABLE_MD5 32       /* hex digits */
#define SEEKABLE_MARK_SIZE 72 /* bytes of its text */
#define SEEKABLE_ENTRY 8      /* bytes of a frame in the table */
#define SEEKABLE_FOOT 9
/* Bytes of a table of that many frames. */
#define SEEKABLE_TABLE(frames) \
  (SEEKABLE_ENTRY + SEEKABLE_ENTRY * (uint64_t)(frames) + SEEKABLE_FOOT)

/* The mark says the first two, and the third follows from them. */
struct seekable {
  uint64_t plain;             /* bytes of the object, 1 at least */
  uint32_t frame;             /* plain bytes of each frame but the last one */
  uint32_t count;             /* frames */
  char md5[SEEKABLE_MD5 + 1]; /* of the plain bytes */
};

/* "PLAIN/FRAME/MD5"; false: it isn't that, or outside of the limits. */
bool seekable_read_mark(struct seekable *, const char *text);
void seekable_write_mark(const struct seekable *,
                         char out[SEEKABLE_MARK_SIZE]);
/* The counts for so many plain bytes; false: too many. */
bool seekable_init(struct seekable *, uint64_t plain, uint32_t frame);

/* Plain bytes of that frame. */
uint32_t seekable_frame(const struct seekable *, uint32_t index);
/* Most bytes that so many plain ones become as a frame. */
size_t seekable_bound(size_t plain);
/* Bytes of all frames of an object that is stored as so many; false: it is
 * too short for its table, or too long. */
bool seekable_frames(const struct seekable *, uint64_t stored,
                     uint64_t *frames);

/* Writes units of the table, of which unit 0 is its head, the next `count` its
 * frames, and the last one its foot: as many as there is room for, from
 * *unit on.  The bytes written. */
size_t seekable_write_table(const struct seekable *, const uint32_t *sizes,
                            uint32_t *unit, unsigned char *out, size_t room);

/* Reads a table as it comes, for the frames [first, last]. */
struct seekable_table {
  struct seekable shape;
  uint64_t frames; /* bytes of all of them, which has to be their sum */
  uint32_t first, last;
  uint32_t unit;            /* that comes next */
  size_t have;              /* bytes of it */
  uint64_t sum, begin, end; /* begin, end: where the wanted frames lie */
  unsigned char bytes[SEEKABLE_FOOT];
};

/* False: it isn't the table of that object. */
bool seekable_take(struct seekable_table *, const void *data, size_t len);
bool seekable_whole(const struct seekable_table *); /* all of it came */

/* Whether `have` bytes begin with a whole frame, whose length is *len. */
enum seekable_look { SEEKABLE_MORE, SEEKABLE_FRAME, SEEKABLE_BROKEN };
enum seekable_look seekable_look(const void *data, size_t have, size_t *len);

#endif
