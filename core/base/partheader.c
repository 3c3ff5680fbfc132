/* SPDX-License-Identifier: MIT
 *
 * Reads a part's headers.  They come from clients of every kind and age, so
 * all their ways to write a file name are understood; but which line means
 * what is never guessed.
 */
#include "partheader.h"

#include "codec.h"
#include "mime.h"
#include "must.h"
#include "token.h"

#include <string.h>
#include <strings.h>

void partheader_init(struct partheader *h) {
  buf_init(&h->name, FORMDATA_NAME_MAX);
  buf_init(&h->filename, FORMDATA_HEADERS_MAX);
  buf_init(&h->extended, FORMDATA_HEADERS_MAX);
  buf_init(&h->decoded, FORMDATA_HEADERS_MAX);
}

void partheader_fini(struct partheader *h) {
  buf_fini(&h->name);
  buf_fini(&h->filename);
  buf_fini(&h->extended);
  buf_fini(&h->decoded);
}

/* ---- lines -------------------------------------------------------------- */

struct line {
  const char *name, *value;
};

/* Ends the name and the value, which loses its outer white space. */
static const char *cut_line(char *text, char *end, struct line *line) {
  char *colon = text;
  if (*text == ' ' || *text == '\t')
    return "A part's headers begin with a blank";
  while (token_char((unsigned char)*colon))
    colon++;
  if (colon == text || *colon != ':')
    return "A part's header must be a name, a colon right after it, and a "
           "value";
  *colon = '\0';
  line->name = text;
  line->value = colon + 1 + strspn(colon + 1, " \t");
  while (end > line->value && (end[-1] == ' ' || end[-1] == '\t'))
    end--;
  *end = '\0';
  return NULL;
}

struct found {
  const char *disposition, *type; /* NULL: not there */
};

static const char *heed_line(const struct line *line, struct found *found) {
  const char **into = NULL;
  if (!strcasecmp(line->name, "Content-Disposition"))
    into = &found->disposition;
  if (!strcasecmp(line->name, "Content-Type"))
    into = &found->type;
  if (into && *into)
    return "A part has two Content-Dispositions or two Content-Types";
  if (into)
    *into = line->value;
  return NULL;
}

/* A line that begins with a blank goes on with the one before (RFC 5322,
 * section 2.2.3). */
static void unfold(char *text, size_t len) {
  for (size_t i = 2; i < len; i++)
    if (text[i - 1] == '\n' && (text[i] == ' ' || text[i] == '\t'))
      text[i - 2] = text[i - 1] = ' ';
}

static const char *read_lines(char *text, size_t len, struct found *found) {
  if (memchr(text, '\0', len))
    return "A part's headers hold a NUL";
  unfold(text, len);
  for (char *end = text + len, *cr; text < end; text = cr + 2) {
    struct line line;
    cr = memchr(text, '\r', (size_t)(end - text));
    must(cr && cr + 1 < end && cr[1] == '\n');
    const char *fault = cut_line(text, cr, &line);
    if (!fault)
      fault = heed_line(&line, found);
    if (fault)
      return fault;
  }
  return NULL;
}

/* ---- the disposition ---------------------------------------------------- */

/* Browsers write these three bytes so (HTML, "multipart/form-data"), and no
 * others: the rest of a name is as it is, percent signs too. */
static void undo_browser(struct buf *name) {
  static const struct {
    char text[4], byte;
  } escapes[] = {{"%22", '"'}, {"%0D", '\r'}, {"%0A", '\n'}};
  size_t to = 0;
  for (size_t i = 0; i < name->len; i++, to++) {
    name->data[to] = name->data[i];
    if (name->data[i] != '%')
      continue;
    for (size_t k = 0; k < sizeof escapes / sizeof *escapes; k++)
      if (!strncasecmp(name->data + i, escapes[k].text, 3)) {
        name->data[to] = escapes[k].byte;
        i += 2;
        break;
      }
  }
  name->len = to;
  if (name->room)
    name->data[to] = '\0';
}

static const char *partheader_read_name(struct partheader *h,
                                        const char *disposition,
                                        struct formdata_part *part) {
  switch (mime_parameter(&h->name, disposition, "name")) {
  case MIME_NONE:
    return "A part has no name: add name=\"...\" to its Content-Disposition";
  case MIME_BAD:
    return h->name.overflown
               ? "A part's name is longer than 1024 bytes"
               : "A part's Content-Disposition is malformed: look for a "
                 "missing quote or semicolon, or a parameter there twice";
  case MIME_FOUND:
    break;
  }
  undo_browser(&h->name);
  if (!codec_utf8_valid(h->name.data, h->name.len))
    return "A part's name isn't UTF-8";
  part->name = h->name.data;
  return NULL;
}

static const char *partheader_read_filename(struct partheader *h,
                                            const char *disposition,
                                            struct formdata_part *part) {
  enum mime_parameter plain =
      mime_parameter(&h->filename, disposition, "filename");
  enum mime_parameter extended =
      mime_parameter(&h->extended, disposition, "filename*");
  const struct buf *name = &h->filename;
  if (plain == MIME_BAD)
    return "A part has two file names";
  if (plain == MIME_FOUND)
    undo_browser(&h->filename);
  if (extended == MIME_FOUND && mime_extended(&h->decoded, h->extended.data))
    name = &h->decoded;
  else if (plain == MIME_NONE)
    return extended == MIME_NONE
               ? NULL
               : "A part's filename* must be UTF-8'' and percent-encoded "
                 "UTF-8, once, or stand beside a filename";
  part->filename = name->data;
  part->filename_len = name->len;
  return NULL;
}

const char *partheader_parse(struct partheader *h, char *text, size_t len,
                             struct formdata_part *part) {
  struct found found = {NULL, NULL};
  *part = (struct formdata_part){.name = NULL};
  const char *fault = read_lines(text, len, &found);
  if (fault)
    return fault;
  if (!found.disposition)
    return "A part has no Content-Disposition";
  if (!mime_is(found.disposition, "form-data"))
    return "A part's Content-Disposition isn't form-data";
  if (found.type && *found.type)
    part->type = found.type;
  fault = partheader_read_name(h, found.disposition, part);
  return fault ? fault : partheader_read_filename(h, found.disposition, part);
}
