/* SPDX-License-Identifier: MIT
 *
 * Cuts a form into its parts.  Called for each piece of a body.  What might
 * be a delimiter's beginning at the end of a piece is remembered as a length
 * alone: should it turn out to be data, the delimiter's own text is lent in
 * its place.
 */
#include "formdata.h"

#include "must.h"
#include "partheader.h"

#include <stdlib.h>
#include <string.h>

enum state { PREAMBLE, HEADERS, DATA, FINISHED, BROKEN };

/* The state behind a delimiter that is there in full. */
enum tail { NOTHING, DASH, CR, PADDING, PADDING_CR };

enum tail_end {
  TAIL_MORE,
  TAIL_PART, /* its line is over: a part follows */
  TAIL_LAST, /* it was the last one */
  TAIL_DATA, /* it was none, the byte isn't consumed */
  TAIL_BAD
};

struct formdata {
  enum state state;
  const char *fault;

  char mark[4 + BOUNDARY_MAX + 1]; /* CRLF -- boundary, and room */
  size_t mark_len;
  size_t matched; /* of the mark, at the end of what is consumed */
  size_t unsent;  /* of `matched`: what isn't data even if it is no mark */
  enum tail tail; /* once all of it is matched */

  size_t preamble, parts;
  struct buf headers; /* the lines of the current part's */
  size_t line;        /* where the last of them begins */
  struct partheader partheader;
  struct formdata_part part;

  const char *data;
  size_t data_len;
};

/* A part's data, or the whole form, may begin with a delimiter whose CRLF is
 * the one before it, or none at all. */
static void begin_line(struct formdata *f, enum state state) {
  f->state = state;
  f->matched = f->unsent = 2;
}

struct formdata *formdata_new(const char *boundary) {
  if (boundary_fault(boundary) != NULL)
    return NULL;
  size_t len = strlen(boundary);
  struct formdata *f = calloc(1, sizeof *f);
  if (!f)
    return NULL;
  memcpy(f->mark, "\r\n--", 4);
  memcpy(f->mark + 4, boundary, len);
  f->mark_len = 4 + len;
  /* The empty line after the headers isn't one of them. */
  buf_init(&f->headers, FORMDATA_HEADERS_MAX + 2);
  partheader_init(&f->partheader);
  begin_line(f, PREAMBLE);
  return f;
}

void formdata_free(struct formdata *f) {
  if (!f)
    return;
  buf_fini(&f->headers);
  partheader_fini(&f->partheader);
  free(f);
}

static enum formdata_event fail(struct formdata *f, const char *fault) {
  f->state = BROKEN;
  f->fault = fault;
  return FORMDATA_BAD;
}

/* ---- headers ------------------------------------------------------------ */

static enum formdata_event begin_part(struct formdata *f) {
  const char *fault =
      partheader_parse(&f->partheader, f->headers.data, f->line, &f->part);
  if (fault)
    return fail(f, fault);
  f->parts++;
  begin_line(f, DATA);
  return FORMDATA_PART;
}

static bool add_headers(struct formdata *f, const char *in, size_t len) {
  if (len > f->headers.max - f->headers.len)
    fail(f, "A part's headers are longer than 16 KiB");
  else if (!buf_add(&f->headers, in, len))
    fail(f, "There is no memory for a part's headers");
  return f->state != BROKEN;
}

static enum formdata_event read_headers(struct formdata *f, const char *in,
                                        size_t len, size_t *used) {
  const char *at = in, *end = in + len, *lf;
  while ((lf = memchr(at, '\n', (size_t)(end - at)))) {
    if (!add_headers(f, at, (size_t)(lf + 1 - at)))
      return FORMDATA_BAD;
    at = lf + 1;
    const char *line = f->headers.data + f->line;
    size_t line_len = f->headers.len - f->line;
    if (line_len < 2 || memchr(line, '\r', line_len) != line + line_len - 2)
      return fail(f, "A part's header has a CR or LF alone: lines end in "
                     "CRLF");
    if (line_len == 2) {
      *used += (size_t)(at - in);
      return begin_part(f);
    }
    f->line = f->headers.len;
  }
  if (!add_headers(f, at, (size_t)(end - at)))
    return FORMDATA_BAD;
  *used += len;
  return FORMDATA_MORE;
}

/* ---- delimiters --------------------------------------------------------- */

/* The place in in[0..len) where a mark, or as much of one as fits, begins;
 * len: there is none.  A mark has one CR, so no byte is compared with it
 * twice. */
static size_t find_mark(const struct formdata *f, const char *in, size_t len) {
  const char *at = in, *end = in + len;
  while ((at = memchr(at, '\r', (size_t)(end - at)))) {
    size_t left = (size_t)(end - at);
    if (!memcmp(at, f->mark, left < f->mark_len ? left : f->mark_len))
      return (size_t)(at - in);
    at++;
  }
  return len;
}

static enum tail_end at_tail(struct formdata *f, char c) {
  bool padding = c == ' ' || c == '\t';
  switch (f->tail) {
  case NOTHING:
    if (c != '-' && c != '\r' && !padding)
      return c == '\n' ? TAIL_BAD : TAIL_DATA;
    f->tail = c == '-' ? DASH : c == '\r' ? CR : PADDING;
    return TAIL_MORE;
  case DASH:
    return c == '-' ? TAIL_LAST : TAIL_DATA;
  case CR:
    return c == '\n' ? TAIL_PART : TAIL_DATA;
  case PADDING:
    if (c == '\r')
      f->tail = PADDING_CR;
    return padding || c == '\r' ? TAIL_MORE : TAIL_BAD;
  case PADDING_CR:
    return c == '\n' ? TAIL_PART : TAIL_BAD;
  }
  return TAIL_BAD;
}

/* Bytes that are no delimiter: lent in a part, counted before the first.
 * MORE: go on. */
static enum formdata_event pass(struct formdata *f, const char *data,
                                size_t len) {
  if (!len)
    return FORMDATA_MORE;
  if (f->state == DATA) {
    f->data = data;
    f->data_len = len;
    return FORMDATA_DATA;
  }
  if (len > FORMDATA_PREAMBLE_MAX - f->preamble)
    return fail(f, "The form's first boundary isn't in its first 64 KiB: is "
                   "it the one that Content-Type names?");
  f->preamble += len;
  return FORMDATA_MORE;
}

/* The bytes that were matched are data after all. */
static enum formdata_event pass_mark(struct formdata *f) {
  size_t from = f->unsent, len = f->matched;
  if (f->tail != NOTHING)
    f->mark[len++] = f->tail == DASH ? '-' : '\r';
  f->matched = f->unsent = 0;
  f->tail = NOTHING;
  return pass(f, f->mark + from, len - from);
}

static enum formdata_event end_part(struct formdata *f, enum state next) {
  bool ended = f->state == DATA;
  f->state = next;
  f->matched = f->unsent = 0;
  f->tail = NOTHING;
  buf_clear(&f->headers);
  f->line = 0;
  return ended ? FORMDATA_END : FORMDATA_MORE;
}

static enum formdata_event read_tail(struct formdata *f, const char *in,
                                     size_t *used) {
  switch (at_tail(f, *in)) {
  case TAIL_MORE:
    ++*used;
    return FORMDATA_MORE;
  case TAIL_PART:
    ++*used;
    return end_part(f, HEADERS);
  case TAIL_LAST:
    ++*used;
    return end_part(f, FINISHED);
  case TAIL_DATA:
    if (f->state == DATA)
      return pass_mark(f);
    break;
  case TAIL_BAD:
    break;
  }
  return fail(f, "A boundary must be followed by CRLF, or by two dashes");
}

/* Goes on with a mark whose beginning was matched before. */
static enum formdata_event read_mark(struct formdata *f, const char *in,
                                     size_t len, size_t *used) {
  size_t rest = f->mark_len - f->matched;
  if (rest > len)
    rest = len;
  if (memcmp(in, f->mark + f->matched, rest) != 0)
    return pass_mark(f);
  f->matched += rest;
  *used += rest;
  return FORMDATA_MORE;
}

static enum formdata_event read_body(struct formdata *f, const char *in,
                                     size_t len, size_t *used) {
  if (f->matched == f->mark_len)
    return read_tail(f, in, used);
  size_t data = f->matched ? 0 : find_mark(f, in, len);
  if (!data)
    return read_mark(f, in, len, used);
  *used += data;
  return pass(f, in, data);
}

/* ---- all ---------------------------------------------------------------- */

static enum formdata_event formdata_step(struct formdata *f, const char *in,
                                         size_t len, size_t *used) {
  switch (f->state) {
  case PREAMBLE:
  case DATA:
    return len ? read_body(f, in, len, used) : FORMDATA_MORE;
  case HEADERS:
    if (f->parts == FORMDATA_PARTS_MAX)
      return fail(f, "The form has more than 64 parts");
    return len ? read_headers(f, in, len, used) : FORMDATA_MORE;
  case FINISHED:
    *used += len;
    return FORMDATA_DONE;
  case BROKEN:
    break;
  }
  return FORMDATA_BAD;
}

enum formdata_event formdata_next(struct formdata *f, const char *in,
                                  size_t len, size_t *used) {
  enum formdata_event event;
  *used = 0;
  if (!len)
    in = ""; /* may be NULL */
  do
    event = formdata_step(f, in + *used, len - *used, used);
  while (event == FORMDATA_MORE && (*used < len || f->state == FINISHED));
  return event;
}

const struct formdata_part *formdata_part(const struct formdata *f) {
  return &f->part;
}

const char *formdata_data(const struct formdata *f, size_t *len) {
  *len = f->data_len;
  return f->data;
}

const char *formdata_fault(const struct formdata *f) {
  must(f->state == BROKEN);
  return f->fault;
}
