/* SPDX-License-Identifier: MIT
 *
 * A table of words, each with the function that reads its values.
 */
#include "stagerecord.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "must.h"

#define HEAD "sluice stage 1\n"

void stagerecord_fini(struct stagerecord *record) {
  free(record->runs);
  record->runs = NULL;
  record->run_count = 0;
}

/* ---- what it has -------------------------------------------------------- */

uint32_t stagerecord_segments(const struct stagerecord *record) {
  uint32_t count = 0;
  for (size_t i = 0; i < record->run_count; i++)
    count += record->runs[i].count;
  return count;
}

uint64_t stagerecord_tail(const struct stagerecord *record) {
  uint64_t size = 0;
  for (size_t i = 0; i < record->piece_count; i++)
    size += record->pieces[i].size;
  return size;
}

uint64_t stagerecord_offset(const struct stagerecord *record) {
  return stagerecord_segments(record) * record->part_size +
         stagerecord_tail(record);
}

void stagerecord_add(struct stagerecord *record, uint64_t session,
                     uint32_t count) {
  size_t n = record->run_count;
  if (count == 0)
    return;
  if (n > 0 && record->runs[n - 1].session == session) {
    record->runs[n - 1].count += count;
    return;
  }
  struct stagerun *runs = realloc(record->runs, (n + 1) * sizeof *runs);
  must_have(runs); /* at most STAGERECORD_SEGMENTS, which are charged */
  runs[n] = (struct stagerun){session, count};
  record->runs = runs;
  record->run_count = n + 1;
}

uint64_t stagerecord_session(const struct stagerecord *record,
                             uint32_t index) {
  size_t i = 0;
  while (index >= record->runs[i].count)
    index -= record->runs[i++].count;
  return record->runs[i].session;
}

uint64_t stagerecord_merge(struct stagerecord *record, uint64_t size) {
  uint64_t taken = 0;
  while (record->piece_count > 0) {
    const struct stagepiece *last = &record->pieces[record->piece_count - 1];
    if (last->size / 2 >= size + taken &&
        record->piece_count < STAGERECORD_PIECES)
      break;
    taken += last->size;
    record->piece_count--;
  }
  return taken;
}

/* ---- written ------------------------------------------------------------ */

static void write_state(struct buf *out, const char *word,
                        const struct stagestate *state) {
  char hex[2 * SLUICE_STAGE_STATE_MAX + 1];
  codec_hex(hex, state->bytes, state->size);
  buf_addf(out, "%s %s\n", word, hex);
}

bool stagerecord_write(struct buf *out, const struct stagerecord *record) {
  buf_addf(out, HEAD "part %" PRIu64 "\nexpires %" PRId64 "\n",
           record->part_size, record->expires_s);
  write_state(out, "state", &record->state);
  for (size_t i = 0; i < record->run_count; i++)
    buf_addf(out, "run %016" PRIx64 " %u\n", record->runs[i].session,
             record->runs[i].count);
  for (size_t i = 0; i < record->piece_count; i++)
    buf_addf(out, "piece %016" PRIx64 " %u %" PRIu64 "\n",
             record->pieces[i].session, record->pieces[i].number,
             record->pieces[i].size);
  return !out->overflown;
}

bool stagerecord_write_commit(struct buf *out,
                              const struct stagerecord *record) {
  buf_addf(out, "commit %" PRIu64 " %" PRId64 "\n", record->length,
           record->done_expires_s);
  write_state(out, "done", &record->done_state);
  buf_adds(out, "key ");
  codec_percent(out, record->key, strlen(record->key), CODEC_PATH);
  buf_addc(out, '\n');
  return !out->overflown;
}

/* ---- read --------------------------------------------------------------- */

/* A number to the next space, or to the end; moves behind it. */
static bool stagerecord_read_number(const char **at, int base, uint64_t most,
                                    uint64_t *number) {
  const char *digits = base == 16 ? "0123456789abcdef" : "0123456789";
  size_t len = strspn(*at, digits);
  if (len == 0 || len > 19 || ((*at)[len] != ' ' && (*at)[len] != '\0'))
    return false;
  *number = strtoull(*at, NULL, base);
  *at += len;
  if (**at == ' ')
    (*at)++;
  return *number <= most;
}

static bool read_part(struct stagerecord *record, const char *at) {
  return stagerecord_read_number(&at, 10, INT64_MAX / STAGERECORD_SEGMENTS,
                                 &record->part_size) &&
         *at == '\0' && record->part_size > 0;
}

static bool read_expires(struct stagerecord *record, const char *at) {
  uint64_t number;
  if (!stagerecord_read_number(&at, 10, INT64_MAX, &number) || *at != '\0')
    return false;
  record->expires_s = (int64_t)number;
  return true;
}

static bool read_bytes(struct stagestate *state, const char *at) {
  size_t len = strlen(at);
  if (len % 2 != 0 || len > 2 * sizeof state->bytes)
    return false;
  state->size = len / 2;
  return codec_unhex(state->bytes, state->size, at);
}

static bool read_state(struct stagerecord *record, const char *at) {
  return read_bytes(&record->state, at);
}

static bool read_done(struct stagerecord *record, const char *at) {
  return read_bytes(&record->done_state, at);
}

static bool read_run(struct stagerecord *record, const char *at) {
  uint64_t session, count;
  if (!stagerecord_read_number(&at, 16, UINT64_MAX, &session) ||
      !stagerecord_read_number(&at, 10, STAGERECORD_SEGMENTS, &count) ||
      *at != '\0' || count == 0 ||
      stagerecord_segments(record) + count > STAGERECORD_SEGMENTS)
    return false;
  stagerecord_add(record, session, (uint32_t)count);
  return true;
}

static bool read_piece(struct stagerecord *record, const char *at) {
  uint64_t session, number, size;
  if (record->piece_count == STAGERECORD_PIECES ||
      !stagerecord_read_number(&at, 16, UINT64_MAX, &session) ||
      !stagerecord_read_number(&at, 10, UINT32_MAX, &number) ||
      !stagerecord_read_number(&at, 10, INT64_MAX / STAGERECORD_SEGMENTS,
                               &size) ||
      *at != '\0' || size == 0)
    return false;
  record->pieces[record->piece_count++] =
      (struct stagepiece){session, (uint32_t)number, size};
  return true;
}

static bool read_commit(struct stagerecord *record, const char *at) {
  uint64_t expires;
  if (!stagerecord_read_number(&at, 10, INT64_MAX, &record->length) ||
      !stagerecord_read_number(&at, 10, INT64_MAX, &expires) || *at != '\0')
    return false;
  record->done_expires_s = (int64_t)expires;
  return true;
}

static bool stagerecord_read_key(struct stagerecord *record, const char *at) {
  struct buf key;
  buf_init(&key, KEY_MAX);
  bool ok = codec_unpercent(&key, at, strlen(at), false) && key.len > 0;
  if (ok)
    memcpy(record->key, key.data, key.len + 1);
  buf_fini(&key);
  record->committing = ok;
  return ok;
}

static bool stagerecord_read_line(struct stagerecord *record, char *line) {
  static const struct {
    const char *word;
    bool (*read)(struct stagerecord *, const char *);
  } words[] = {{"part", read_part},   {"expires", read_expires},
               {"state", read_state}, {"run", read_run},
               {"piece", read_piece}, {"commit", read_commit},
               {"done", read_done},   {"key", stagerecord_read_key}};
  char *space = strchr(line, ' ');
  if (space == NULL)
    return false;
  *space = '\0';
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(line, words[i].word) == 0)
      return words[i].read(record, space + 1);
  return false;
}

bool stagerecord_read(struct stagerecord *record, const char *text) {
  *record = (struct stagerecord){0};
  if (strncmp(text, HEAD, sizeof HEAD - 1) != 0)
    return false;
  char *copy = strdup(text + sizeof HEAD - 1);
  must_have(copy); /* at most STAGERECORD_MAX */
  bool ok = true;
  char *next = copy;
  for (char *end; ok && (end = strchr(next, '\n')) != NULL; next = end + 1) {
    *end = '\0';
    ok = stagerecord_read_line(record, next);
  }
  ok = ok && *next == '\0' && record->part_size > 0 &&
       stagerecord_tail(record) < record->part_size;
  free(copy);
  if (!ok)
    stagerecord_fini(record);
  return ok;
}
