/* SPDX-License-Identifier: MIT
 *
 * Streams that are cut anywhere, their whole blocks brought into lanes: as
 * many blocks are run at once as the shortest of the lanes has, then what is
 * done makes room for what waits.
 */
#include "md5.h"

#include <endian.h>
#include <string.h>

#define LENGTH_AT 56 /* in the last block: the length in bits */

void md5_init(struct md5 *md5) {
  md5->state =
      (struct md5_state){{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
  md5->length = 0;
}

static void advance(struct md5_piece *piece, size_t bytes) {
  piece->data = (const unsigned char *)piece->data + bytes;
  piece->len -= bytes;
  piece->md5->length += bytes;
}

/* Takes less than a block, or completes one. */
static void add_rest(struct md5_piece *piece) {
  struct md5 *md5 = piece->md5;
  size_t used = md5->length % MD5_BLOCK;
  size_t len = MD5_BLOCK - used < piece->len ? MD5_BLOCK - used : piece->len;
  if (len == 0)
    return;
  memcpy(md5->rest + used, piece->data, len);
  advance(piece, len);
  if (used + len == MD5_BLOCK)
    md5_blocks(&md5->state, md5->rest, 1);
}

static bool is_split(const struct md5_piece *piece) {
  return piece->md5->length % MD5_BLOCK != 0;
}

static void run_alone(struct md5_piece *piece) {
  size_t blocks = piece->len / MD5_BLOCK;
  md5_blocks(&piece->md5->state, piece->data, blocks);
  advance(piece, blocks * MD5_BLOCK);
}

static void run_lanes(const struct md5_lanes *lanes,
                      struct md5_piece *const *pieces, size_t count) {
  struct md5_states states;
  const unsigned char *data[MD5_LANES];
  size_t blocks = pieces[0]->len / MD5_BLOCK;
  for (size_t i = 0; i < MD5_LANES; i++) {
    /* A lane that isn't used does what the first one does. */
    const struct md5_piece *piece = pieces[i < count ? i : 0];
    data[i] = piece->data;
    for (size_t word = 0; word < 4; word++)
      states.word[word][i] = piece->md5->state.word[word];
    if (piece->len / MD5_BLOCK < blocks)
      blocks = piece->len / MD5_BLOCK;
  }
  lanes->run(&states, data, blocks);
  for (size_t i = 0; i < count; i++) {
    for (size_t word = 0; word < 4; word++)
      pieces[i]->md5->state.word[word] = states.word[word][i];
    advance(pieces[i], blocks * MD5_BLOCK);
  }
}

void md5_add_by(const struct md5_lanes *lanes, struct md5_piece *pieces,
                size_t count) {
  struct md5_piece *running[MD5_LANES];
  size_t n = 0;
  for (size_t next = 0;;) {
    for (; n < MD5_LANES && next < count; next++) {
      if (is_split(&pieces[next]))
        add_rest(&pieces[next]);
      running[n++] = &pieces[next];
    }
    /* A piece without a whole block leaves. */
    for (size_t i = 0; i < n;) {
      if (running[i]->len >= MD5_BLOCK) {
        i++;
        continue;
      }
      add_rest(running[i]);
      running[i] = running[--n];
    }
    if (n == 0 && next == count)
      return;
    if (n >= lanes->least)
      run_lanes(lanes, running, n);
    else if (next == count)
      for (size_t i = 0; i < n; i++)
        run_alone(running[i]);
  }
}

void md5_add(struct md5_piece *pieces, size_t count) {
  const struct md5_lanes *lanes = md5_lanes;
  while (!lanes->works())
    lanes++;
  md5_add_by(lanes, pieces, count);
}

void md5_final(struct md5 *md5, unsigned char out[MD5_LEN]) {
  uint64_t bits = htole64(md5->length * 8);
  size_t used = md5->length % MD5_BLOCK;
  md5->rest[used++] = 0x80;
  if (used > LENGTH_AT) {
    memset(md5->rest + used, 0, MD5_BLOCK - used);
    md5_blocks(&md5->state, md5->rest, 1);
    used = 0;
  }
  memset(md5->rest + used, 0, LENGTH_AT - used);
  memcpy(md5->rest + LENGTH_AT, &bits, sizeof bits);
  md5_blocks(&md5->state, md5->rest, 1);
  for (size_t i = 0; i < 4; i++) {
    uint32_t word = htole32(md5->state.word[i]);
    memcpy(out + 4 * i, &word, sizeof word);
  }
}

/* The words and the length are little-endian; of `rest`, what isn't used is
 * zeros. */
void md5_save(const struct md5 *md5, unsigned char out[MD5_SAVED]) {
  uint64_t length = htole64(md5->length);
  memset(out, 0, MD5_SAVED);
  for (size_t i = 0; i < 4; i++) {
    uint32_t word = htole32(md5->state.word[i]);
    memcpy(out + 4 * i, &word, sizeof word);
  }
  memcpy(out + MD5_LEN, &length, sizeof length);
  memcpy(out + MD5_LEN + sizeof length, md5->rest, md5->length % MD5_BLOCK);
}

void md5_load(struct md5 *md5, const unsigned char in[MD5_SAVED]) {
  uint64_t length;
  for (size_t i = 0; i < 4; i++) {
    uint32_t word;
    memcpy(&word, in + 4 * i, sizeof word);
    md5->state.word[i] = le32toh(word);
  }
  memcpy(&length, in + MD5_LEN, sizeof length);
  md5->length = le64toh(length);
  memcpy(md5->rest, in + MD5_LEN + sizeof length, MD5_BLOCK);
}
