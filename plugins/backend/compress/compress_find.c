/* SPDX-License-Identifier: MIT
 *
 * The part of a download that a thread does: it reads files, opens frames and
 * compares sums.
 */
#include <string.h>
#include <unistd.h>

#include "codec.h"
#include "compress_get.h"
#include "digest.h"

static bool read_chunk(struct compress_get *get) {
  size_t room = get->room - get->have;
  size_t count = get->chunk.length < room ? (size_t)get->chunk.length : room;
  ssize_t was_read = count == 0 ? 0
                                : pread(get->chunk.fd, get->stored + get->have,
                                        count, (off_t)get->chunk.offset);
  if (was_read < 0 || (was_read == 0 && count > 0))
    return false;
  get->have += (size_t)was_read;
  get->chunk.offset += (uint64_t)was_read;
  get->chunk.length -= (uint64_t)was_read;
  return true;
}

/* After the last frame: whether they are, all together, what was stored. */
static bool is_whole(struct compress_get *get) {
  unsigned char md5[DIGEST_MD5_LEN];
  char hex[2 * DIGEST_MD5_LEN + 1];
  digest_final(get->md5, md5);
  codec_hex(hex, md5, sizeof md5);
  return strcmp(hex, get->shape.md5) == 0;
}

static enum find open_frame(struct compress_get *get) {
  size_t plain = seekable_frame(&get->shape, get->index);
  if (ZSTD_getFrameContentSize(get->stored, get->frame) != plain ||
      ZSTD_decompressDCtx(get->opener, get->plain, get->plain_room,
                          get->stored, get->frame) != plain)
    return FIND_BROKEN;
  if (get->md5 == NULL)
    return FIND_FRAME;
  digest_update(get->md5, get->plain, plain);
  bool ends = get->index + 1 == get->shape.count;
  return !ends || is_whole(get) ? FIND_FRAME : FIND_BROKEN;
}

static enum find find_frame(struct compress_get *get) {
  switch (seekable_look(get->stored, get->have, &get->frame)) {
  case SEEKABLE_FRAME:
    return open_frame(get);
  case SEEKABLE_MORE: /* no frame of this object is longer than the room */
    return get->have == get->room ? FIND_BROKEN : FIND_MORE;
  case SEEKABLE_BROKEN:
    break;
  }
  return FIND_BROKEN;
}

static enum find find_table(struct compress_get *get) {
  bool good = seekable_take(&get->table, get->stored, get->have);
  get->have = 0;
  if (!good)
    return FIND_BROKEN;
  return seekable_whole(&get->table) ? FIND_TABLE : FIND_MORE;
}

void compress_search(void *arg) {
  struct compress_get *get = arg;
  do {
    if (get->chunk.fd != -1 && !read_chunk(get)) {
      get->find = FIND_UNREAD;
      return;
    }
    get->find = get->reads_table ? find_table(get) : find_frame(get);
  } while (get->find == FIND_MORE && get->chunk.fd != -1 &&
           get->chunk.length > 0);
}
