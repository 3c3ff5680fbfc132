/* SPDX-License-Identifier: MIT
 *
 * Drives a form parser through all its events and writes them down.  For the
 * tests of formdata.
 */
#include "formlog.h"

#include "unit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_MAX (4 << 20)

static void log_part(struct buf *log, const struct formdata_part *part) {
  buf_addf(log, "[%s|", part->name);
  if (part->filename)
    buf_add(log, part->filename, part->filename_len);
  else
    buf_addc(log, '-');
  buf_addf(log, "|%s]", part->type ? part->type : "-");
}

static void log_event(struct buf *log, const struct formdata *form,
                      enum formdata_event event) {
  size_t len;
  const char *data;
  switch (event) {
  case FORMDATA_MORE:
    break;
  case FORMDATA_PART:
    log_part(log, formdata_part(form));
    break;
  case FORMDATA_DATA:
    data = formdata_data(form, &len);
    assert(len > 0);
    buf_add(log, data, len);
    break;
  case FORMDATA_END:
    buf_addc(log, ';');
    break;
  case FORMDATA_DONE:
    buf_adds(log, "DONE");
    break;
  case FORMDATA_BAD:
    buf_addf(log, "BAD: %s", formdata_fault(form));
    break;
  }
}

/* MORE when all of the piece was used. */
static enum formdata_event feed(struct formdata *form, const char *in,
                                size_t len, struct buf *log) {
  char *piece = malloc(len ? len : 1);
  size_t at = 0, used;
  enum formdata_event event;
  assert(piece);
  memcpy(piece, in, len);
  do {
    event = formdata_next(form, piece + at, len - at, &used);
    assert(used <= len - at);
    at += used;
    log_event(log, form, event);
  } while (event != FORMDATA_MORE && event != FORMDATA_DONE &&
           event != FORMDATA_BAD);
  assert(event == FORMDATA_BAD || at == len);
  free(piece);
  return event;
}

char *formlog(const char *boundary, const char *in, size_t len, size_t first,
              size_t piece) {
  struct formdata *form = formdata_new(boundary);
  struct buf log;
  enum formdata_event event = FORMDATA_MORE;
  assert(form);
  buf_init(&log, LOG_MAX);
  for (size_t at = 0, n = first; event == FORMDATA_MORE && at < len;
       at += n, n = piece) {
    if (n > len - at)
      n = len - at;
    event = feed(form, in + at, n, &log);
  }
  if (event == FORMDATA_MORE)
    buf_adds(&log, "MORE");
  formdata_free(form);
  char *text = buf_take(&log);
  assert(text);
  return text;
}

char *formlog_any_cut(const char *boundary, const char *in, size_t len) {
  char *whole = formlog(boundary, in, len, len, len);
  char *bytes = formlog(boundary, in, len, 1, 1);
  bool same = !strcmp(whole, bytes);
  free(bytes);
  for (size_t cut = 1; same && cut < len; cut++) {
    char *halves = formlog(boundary, in, len, cut, len);
    same = !strcmp(whole, halves);
    free(halves);
  }
  if (!same) {
    free(whole);
    whole = NULL;
  }
  return whole;
}

bool formlog_is(const char *boundary, const char *in, size_t len,
                const char *want) {
  char *log = formlog_any_cut(boundary, in, len);
  bool same = log && !strcmp(log, want);
  if (!same)
    printf("%s\n expected %s\n came %s\n", in, want,
           log ? log : "different logs for different cuts");
  free(log);
  return same;
}

void formlog_check(const char *boundary, const struct formlog_row *rows) {
  for (; rows->name; rows++)
    CU_assertImplementation(
        formlog_is(boundary, rows->in, strlen(rows->in), rows->want), __LINE__,
        rows->name, __FILE__, "", CU_FALSE);
}
