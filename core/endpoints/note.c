/* SPDX-License-Identifier: MIT
 *
 * Operations of a backend on an object of some hundred bytes.
 */
#include "note.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec.h"
#include "work.h"

static void end(struct note *note, enum sluice_status status,
                const char *why) {
  note->op = NULL;
  note->then(note->arg, status, why);
}

static void take_etag(struct note *note, const struct sluice_meta *meta) {
  note->etag[0] = '\0';
  if (meta->etag != NULL && strlen(meta->etag) <= NOTE_ETAG_MAX)
    snprintf(note->etag, sizeof note->etag, "%s", meta->etag);
}

static void make_md5(char out[2 * DIGEST_MD5_LEN + 1], const char *text,
                     size_t len) {
  unsigned char md5[DIGEST_MD5_LEN];
  digest_md5(md5, text, len);
  codec_hex(out, md5, sizeof md5);
}

/* ---- reading ------------------------------------------------------------ */

static void on_meta(void *arg, const struct sluice_meta *meta) {
  struct note *note = arg;
  take_etag(note, meta);
  note->nonsense = meta->length == 0 || meta->length > sizeof note->text;
  if (note->nonsense)
    op_cancel(note->op);
  else
    op_read(note->op, 0, meta->length);
}

static void read_file(void *arg) {
  struct note *note = arg;
  note->got = pread(note->chunk.fd, note->text + note->len,
                    (size_t)note->chunk.length, (off_t)note->chunk.offset);
}

static void take_chunk(struct note *note) {
  note->len += (size_t)note->chunk.length;
  op_more(note->op);
}

static void file_read(void *arg) {
  struct note *note = arg;
  if (note->got != (ssize_t)note->chunk.length)
    note->nonsense = true;
  take_chunk(note);
}

static void on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct note *note = arg;
  note->chunk = *chunk;
  if (chunk->length > sizeof note->text - note->len) {
    note->nonsense = true;
    op_cancel(note->op);
    return;
  }
  if (chunk->fd >= 0) {
    work_submit(note->backend->host.share, note->gate->loop, read_file,
                file_read, note);
    return;
  }
  memcpy(note->text + note->len, chunk->data, (size_t)chunk->length);
  take_chunk(note);
}

/* Somebody else's text, where this one should be: it was replaced meanwhile.
 */
static enum sluice_status verified(const struct note *note) {
  char md5[sizeof note->md5];
  make_md5(md5, note->text, note->len);
  return strcmp(md5, note->md5) == 0 ? SLUICE_OK : SLUICE_EPRECOND;
}

static void on_read(void *arg, enum sluice_status status, const char *why) {
  struct note *note = arg;
  if (note->nonsense) {
    status = SLUICE_EUPSTREAM;
    why = "an object below .sluice/once/ isn't what was put there; remove it";
  } else if (note->verifies && status == SLUICE_OK) {
    status = verified(note);
  } else if (note->verifies && status == SLUICE_ENOENT) {
    status = SLUICE_EPRECOND;
  }
  end(note, status, why);
}

static void start_read(struct note *note) {
  static const struct op_events events = {
      .meta = on_meta, .chunk = on_chunk, .done = on_read};
  note->len = 0;
  note->nonsense = false;
  note->op =
      op_get(note->backend,
             &(struct sluice_get){.key = note->key, .count = UINT64_MAX},
             &events, note);
}

void note_read(struct note *note) {
  note->verifies = false;
  start_read(note);
}

/* ---- writing ------------------------------------------------------------ */

static void on_next(void *arg) {
  struct note *note = arg;
  if (note->lent) {
    note->lent = false;
    op_commit(note->op, &note->object);
    return;
  }
  note->lent = true;
  op_data(note->op, &(struct sluice_chunk){.data = note->text,
                                           .length = note->len,
                                           .fd = -1,
                                           .last = true});
}

static void on_written_meta(void *arg, const struct sluice_meta *meta) {
  take_etag(arg, meta);
}

static void on_written(void *arg, enum sluice_status status, const char *why) {
  struct note *note = arg;
  if (status == SLUICE_OK && note->etag[0] == '\0') {
    note->verifies = true;
    start_read(note);
    return;
  }
  end(note, status, why);
}

void note_write(struct note *note, const char *if_match) {
  static const struct sluice_pair none[] = {{NULL, NULL}};
  static const struct op_events events = {
      .meta = on_written_meta, .next = on_next, .done = on_written};
  make_md5(note->md5, note->text, note->len);
  note->object = (struct sluice_object){.key = note->key,
                                        .type = "text/plain",
                                        .length = note->len,
                                        .md5 = note->md5,
                                        .user = none,
                                        .exclusive = if_match == NULL,
                                        .if_match = if_match};
  note->etag[0] = '\0';
  note->lent = false;
  note->op =
      op_put(note->backend, &(struct sluice_put){.length = (int64_t)note->len},
             &events, note);
}

/* ---- removing ----------------------------------------------------------- */

static void on_removed(void *arg, enum sluice_status status, const char *why) {
  end(arg, status, why);
}

void note_remove(struct note *note, const char *if_match) {
  static const struct op_events events = {.done = on_removed};
  if (note->backend->abilities & SLUICE_CAN_REMOVE)
    note->op = op_remove_if(
        note->backend,
        &(struct sluice_removal){.key = note->key, .if_match = if_match},
        &events, note);
  else
    note->op = op_remove(note->backend, note->key, &events, note);
}
