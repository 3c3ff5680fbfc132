/* SPDX-License-Identifier: MIT
 *
 * A YAML file of one document: libyaml's events, without those that no file of
 * ours has a use for.  Any text may be a secret, so that it is wiped.
 */
#include "yamlstream.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "digest.h"

struct yamlstream {
  yaml_parser_t parser;
  yaml_event_t event; /* the value that was given last */
  const char *file, *data, *start;
  size_t len;
  struct errmsg *err;
  bool begun, failed;
};

bool yamlstream_fault(struct yamlstream *stream, unsigned line,
                      const char *fmt, ...) {
  struct errmsg why;
  va_list args;
  va_start(args, fmt);
  errmsg_vset(&why, fmt, args);
  va_end(args);
  errmsg_set(stream->err, "%.200s:%u: %s", stream->file, line, why.text);
  for (char *c = stream->err->text; *c != '\0'; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7F)
      *c = '?';
  stream->failed = true;
  return false;
}

static unsigned line_of(yaml_mark_t mark) {
  return mark.line < UINT32_MAX ? (unsigned)mark.line + 1 : UINT32_MAX;
}

static void drop_event(struct yamlstream *stream) {
  if (stream->event.type == YAML_SCALAR_EVENT)
    digest_wipe(stream->event.data.scalar.value,
                stream->event.data.scalar.length);
  yaml_event_delete(&stream->event);
  stream->event.type = YAML_NO_EVENT;
}

/* ---- text that isn't YAML ----------------------------------------------- */

static const char *hint(const struct yamlstream *stream, unsigned line) {
  const char *at = stream->data, *end = stream->data + stream->len;
  while (at != NULL && --line > 0) {
    at = memchr(at, '\n', (size_t)(end - at));
    if (at != NULL)
      at++;
  }
  if (at == NULL || at == end)
    return "look at the end of the file";
  const char *eol = memchr(at, '\n', (size_t)(end - at));
  size_t len = (size_t)((eol == NULL ? end : eol) - at);
  if (memchr(at, '\t', len) != NULL)
    return "write spaces instead of the tab";
  if (memmem(at, len, "${", 2) != NULL)
    return "put quotes around a value that has ${...}";
  return "look at the indentation, quotes and brackets up to here";
}

/* Bytes that aren't UTF-8 come with an offset instead of a mark. */
static unsigned problem_line(const struct yamlstream *stream) {
  if (stream->parser.error != YAML_READER_ERROR)
    return line_of(stream->parser.problem_mark);
  unsigned line = 1;
  for (size_t i = 0; i < stream->len && i < stream->parser.problem_offset; i++)
    line += stream->data[i] == '\n';
  return line;
}

static bool not_yaml(struct yamlstream *stream) {
  unsigned line = problem_line(stream);
  const char *problem = stream->parser.problem;
  if (stream->parser.error == YAML_MEMORY_ERROR)
    return yamlstream_fault(stream, line, "out of memory");
  return yamlstream_fault(stream, line, "not YAML: %s; %s",
                          problem == NULL ? "no reason known" : problem,
                          stream->parser.error == YAML_READER_ERROR
                              ? "write the file in UTF-8"
                              : hint(stream, line));
}

/* ---- events ------------------------------------------------------------- */

static bool read_event(struct yamlstream *stream) {
  drop_event(stream);
  if (stream->failed)
    return false;
  if (yaml_parser_parse(&stream->parser, &stream->event))
    return true;
  stream->event.type = YAML_NO_EVENT;
  return not_yaml(stream);
}

struct yamlstream *yamlstream_new(const char *file, const char *data,
                                  size_t len, const char *start,
                                  struct errmsg *err) {
  struct yamlstream *stream = calloc(1, sizeof *stream);
  if (stream == NULL || !yaml_parser_initialize(&stream->parser)) {
    free(stream);
    errmsg_set(err, "%.200s: out of memory", file);
    return NULL;
  }
  stream->file = file;
  stream->data = data;
  stream->len = len;
  stream->start = start;
  stream->err = err;
  yaml_parser_set_input_string(&stream->parser, (const unsigned char *)data,
                               len);
  return stream;
}

void yamlstream_free(struct yamlstream *stream) {
  if (stream == NULL)
    return;
  drop_event(stream);
  yaml_parser_delete(&stream->parser);
  free(stream);
}

/* Up to the document's first value. */
static bool begin(struct yamlstream *stream) {
  if (stream->begun)
    return true;
  stream->begun = true;
  if (!read_event(stream)) /* the stream's start */
    return false;
  if (!read_event(stream))
    return false;
  if (stream->event.type == YAML_DOCUMENT_START_EVENT)
    return true;
  return yamlstream_fault(stream, 1, "the file is empty; %s", stream->start);
}

static bool plain(struct yamlstream *stream, unsigned line,
                  const yaml_char_t *anchor, const yaml_char_t *tag) {
  if (anchor != NULL)
    return yamlstream_fault(stream, line,
                            "anchors (&name) are not read; remove it and "
                            "write the value where it is needed");
  if (tag != NULL)
    return yamlstream_fault(stream, line,
                            "tags (!name) are not read; remove it");
  return true;
}

static bool is_null(const yaml_event_t *event) {
  const char *text = (const char *)event->data.scalar.value;
  return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
         (*text == '\0' || strcmp(text, "~") == 0 ||
          strcmp(text, "null") == 0);
}

static bool take_text(struct yamlstream *stream,
                      struct yamlstream_value *value) {
  const yaml_event_t *event = &stream->event;
  value->kind = YAMLSTREAM_TEXT;
  value->text = (const char *)event->data.scalar.value;
  value->len = event->data.scalar.length;
  value->null = is_null(event);
  if (!plain(stream, value->line, event->data.scalar.anchor,
             event->data.scalar.tag))
    return false;
  if (memchr(value->text, '\0', value->len) != NULL)
    return yamlstream_fault(stream, value->line,
                            "a text holds a NUL; remove it");
  return true;
}

bool yamlstream_next(struct yamlstream *stream,
                     struct yamlstream_value *value) {
  if (!begin(stream) || !read_event(stream))
    return false;
  const yaml_event_t *event = &stream->event;
  *value = (struct yamlstream_value){.line = line_of(event->start_mark)};
  switch (event->type) {
  case YAML_SCALAR_EVENT:
    return take_text(stream, value);
  case YAML_SEQUENCE_START_EVENT:
    value->kind = YAMLSTREAM_LIST;
    return plain(stream, value->line, event->data.sequence_start.anchor,
                 event->data.sequence_start.tag);
  case YAML_MAPPING_START_EVENT:
    value->kind = YAMLSTREAM_MAPPING;
    return plain(stream, value->line, event->data.mapping_start.anchor,
                 event->data.mapping_start.tag);
  case YAML_SEQUENCE_END_EVENT:
  case YAML_MAPPING_END_EVENT:
    value->kind = YAMLSTREAM_END;
    return true;
  case YAML_ALIAS_EVENT:
    return yamlstream_fault(stream, value->line,
                            "aliases (*name) are not read; write the value "
                            "itself, or quote the *");
  case YAML_NO_EVENT:
  case YAML_STREAM_START_EVENT:
  case YAML_STREAM_END_EVENT:
  case YAML_DOCUMENT_START_EVENT:
  case YAML_DOCUMENT_END_EVENT:
    break;
  }
  return yamlstream_fault(stream, value->line,
                          "a value is missing; write one");
}

bool yamlstream_ends(struct yamlstream *stream) {
  if (!read_event(stream)) /* the document's end */
    return false;
  if (!read_event(stream))
    return false;
  if (stream->event.type == YAML_STREAM_END_EVENT)
    return true;
  return yamlstream_fault(stream, line_of(stream->event.start_mark),
                          "a second document begins; a file holds one");
}
