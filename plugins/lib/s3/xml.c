/* SPDX-License-Identifier: MIT
 *
 * Reads S3's answers in XML.  Called with an answer's bytes as they arrive;
 * xmlschema says what is read of them.  Prefixes of namespaces don't count.
 */
#include "xml.h"

#include "codec.h"
#include "errmsg.h"
#include "xmlchars.h"
#include "xmlpage.h"
#include "xmlschema.h"
#include "xmlvalue.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#define BIT(field) (1u << (field))

struct xml {
  XML_Parser parser;
  enum xml_kind expected;
  struct xml_events events;
  struct xml_result result;
  struct errmsg fault;
  struct xmlchars chars;
  uint64_t fed, parsed; /* bytes; without space before the document */

  unsigned depth;
  enum group group;
  enum field field; /* of the element whose text is read */
  struct buf text;
  struct buf texts[FIELD_NONE]; /* what the result points at */
  bool encoded;

  struct {         /* the entry that is read */
    unsigned seen; /* BIT() of its fields */
    struct buf key, tag;
    uint64_t size;
    int64_t time_ms;
  } entry;
  struct xmlpage page;
};

static bool xml_fail(struct xml *xml, const char *what, const char *detail) {
  if (*xml->fault.text)
    return false;
  errmsg_set(&xml->fault,
             "the storage's answer %s%s: does the endpoint "
             "speak S3?",
             what, detail);
  XML_StopParser(xml->parser, XML_FALSE);
  return false;
}

static bool failed(const struct xml *xml) {
  return *xml->fault.text;
}

/* ---- values ------------------------------------------------------------- */

static void start_entry(struct xml *xml) {
  xml->entry.seen = 0;
  xml->entry.size = 0;
  xml->entry.time_ms = 0;
  buf_clear(&xml->entry.key);
  buf_clear(&xml->entry.tag);
}

static bool put(struct buf *out, const char *text) {
  buf_clear(out);
  return buf_adds(out, text);
}

static bool is_readable(const char *text) {
  return strstr(text, XMLCHARS_MARK) == NULL;
}

/* Keeps a name to go on with, where it can be read. */
static bool put_next(struct buf *out, const char *text) {
  return put(out, is_readable(text) ? text : "");
}

static bool put_etag(struct buf *out, const char *text) {
  buf_clear(out);
  return xmlvalue_etag(out, text);
}

static bool add_entry(struct xml *xml, enum xmlpage_kind kind) {
  return xmlpage_add(&xml->page, kind, xml->entry.key.data,
                     xml->entry.tag.data, xml->entry.size,
                     xml->entry.time_ms) ||
         xml_fail(xml, "lists too many entries", "");
}

static bool xml_store(struct xml *xml, enum field field, const char *text) {
  switch (field) {
  case FIELD_CODE:
  case FIELD_MESSAGE:
  case FIELD_REQUEST_ID:
  case FIELD_REGION:
  case FIELD_BUCKET:
  case FIELD_INITIATED:
  case FIELD_LOCATION:
    return put(&xml->texts[field], text);
  case FIELD_NEXT_TOKEN:
    xml->result.token_unreadable = !is_readable(text);
    return put_next(&xml->texts[field], text);
  case FIELD_NEXT_KEY_MARKER:
  case FIELD_NEXT_UPLOAD_ID_MARKER:
    return put_next(&xml->texts[field], text);
  case FIELD_MADE_ETAG:
    return put_etag(&xml->texts[field], text);
  case FIELD_NONE:
    return true;
  case FIELD_TRUNCATED:
    return xmlvalue_bool(text, &xml->result.truncated);
  case FIELD_ENCODING:
    xml->encoded = strcmp(text, "url") == 0;
    return xml->encoded || !*text;
  case FIELD_PREFIX:
    start_entry(xml);
    return put(&xml->entry.key, text) && add_entry(xml, XMLPAGE_PREFIX);
  case FIELD_KEY:
    return put(&xml->entry.key, text);
  case FIELD_UPLOAD_ID:
  case FIELD_KEY_CODE:
    return put(&xml->entry.tag, text);
  case FIELD_ETAG:
    return put_etag(&xml->entry.tag, text);
  case FIELD_SIZE:
    return xmlvalue_size(text, &xml->entry.size);
  case FIELD_TIME:
    return xmlvalue_time(text, &xml->entry.time_ms);
  }
  return false;
}

/* A size or a time that is missing would be served as 0; only an ETag may be
 * missing. */
static void end_group(struct xml *xml) {
  static const struct {
    unsigned needed;
    enum xmlpage_kind kind;
  } groups[] = {
      [GROUP_OBJECT] = {BIT(FIELD_KEY) | BIT(FIELD_SIZE) | BIT(FIELD_TIME),
                        XMLPAGE_OBJECT},
      [GROUP_UPLOAD] = {BIT(FIELD_KEY) | BIT(FIELD_UPLOAD_ID) |
                            BIT(FIELD_TIME),
                        XMLPAGE_UPLOAD},
      [GROUP_DELETED] = {BIT(FIELD_KEY), XMLPAGE_DELETION},
      [GROUP_REFUSED] = {BIT(FIELD_KEY) | BIT(FIELD_KEY_CODE),
                         XMLPAGE_DELETION},
      [GROUP_NONE] = {0, XMLPAGE_OBJECT}};
  unsigned needed = groups[xml->group].needed;

  if ((xml->entry.seen & needed) != needed)
    xml_fail(
        xml,
        "lists an entry without its key, size, upload ID or time, or a code",
        "");
  else if (needed)
    add_entry(xml, groups[xml->group].kind);
  xml->group = GROUP_ROOT;
}

/* ---- expat's side ------------------------------------------------------- */

static void start_root(struct xml *xml, const char *name) {
  xml->result.kind = xmlschema_root(name);
  if (xml->result.kind == XML_ANY ||
      (xml->expected != XML_ANY && xml->result.kind != XML_ERROR &&
       xml->result.kind != xml->expected))
    xml_fail(xml, "is another document than was asked for", "");
  if (xml->result.kind == XML_LOCATION)
    xml->field = FIELD_LOCATION;
}

static void XMLCALL xml_on_start(void *arg, const XML_Char *qualified,
                                 const XML_Char **attributes) {
  struct xml *xml = arg;
  const char *colon = strrchr(qualified, ':');
  const char *name = colon ? colon + 1 : qualified;

  (void)attributes;
  if (failed(xml))
    return;
  xml->field = FIELD_NONE;
  buf_clear(&xml->text);
  if (++xml->depth > XML_DEPTH_MAX)
    xml_fail(xml, "is nested too deeply", "");
  else if (xml->depth == 1)
    start_root(xml, name);
  else if (xml->depth == 2) {
    xml->field = xmlschema_field(xml->result.kind, GROUP_ROOT, name);
    xml->group = xmlschema_group(xml->result.kind, name);
    start_entry(xml);
  } else if (xml->depth == 3)
    xml->field = xmlschema_field(xml->result.kind, xml->group, name);
}

static void XMLCALL xml_on_text(void *arg, const XML_Char *text, int len) {
  struct xml *xml = arg;

  if (!failed(xml) && xml->field != FIELD_NONE &&
      !buf_add(&xml->text, text, (size_t)len))
    xml_fail(xml, "has too long a text", "");
}

static void XMLCALL xml_on_end(void *arg, const XML_Char *name) {
  struct xml *xml = arg;
  enum field field = xml->field;

  if (failed(xml))
    return;
  xml->field = FIELD_NONE;
  if (!xml_store(xml, field, xml->text.data))
    xml_fail(xml, "has a wrong value in ", name);
  xml->entry.seen |= BIT(field);
  if (xml->depth-- == 2)
    end_group(xml);
}

static void XMLCALL xml_on_doctype(void *arg, const XML_Char *name,
                                   const XML_Char *system,
                                   const XML_Char *public, int internal) {
  (void)name;
  (void)system;
  (void)public;
  (void)internal;
  xml_fail(arg, "has a document type", "");
}

static void XMLCALL on_declaration(void *arg, const XML_Char *version,
                                   const XML_Char *encoding, int standalone) {
  (void)version;
  (void)standalone;
  if (encoding && !codec_same(encoding, strlen(encoding), "UTF-8"))
    xml_fail(arg, "isn't in UTF-8", "");
}

/* ---- life --------------------------------------------------------------- */

static void xml_init_texts(struct xml *xml) {
  buf_init(&xml->text, XML_TEXT_MAX);
  buf_init(&xml->entry.key, XML_TEXT_MAX);
  buf_init(&xml->entry.tag, XML_TEXT_MAX);
  for (size_t i = 0; i < FIELD_NONE; i++)
    buf_init(&xml->texts[i], XML_TEXT_MAX);
  xmlpage_init(&xml->page);
}

struct xml *xml_new(enum xml_kind expected, const struct xml_events *events) {
  struct xml *xml = calloc(1, sizeof *xml);

  if (!xml)
    return NULL;
  xml->expected = expected;
  xml->result.kind = XML_ANY;
  xml->field = FIELD_NONE;
  if (events)
    xml->events = *events;
  xml_init_texts(xml);
  xml->parser = XML_ParserCreate("UTF-8");
  if (!xml->parser) {
    xml_free(xml);
    return NULL;
  }
  XML_SetUserData(xml->parser, xml);
  XML_SetElementHandler(xml->parser, xml_on_start, xml_on_end);
  XML_SetCharacterDataHandler(xml->parser, xml_on_text);
  XML_SetStartDoctypeDeclHandler(xml->parser, xml_on_doctype);
  XML_SetXmlDeclHandler(xml->parser, on_declaration);
  return xml;
}

void xml_free(struct xml *xml) {
  if (!xml)
    return;
  if (xml->parser)
    XML_ParserFree(xml->parser);
  buf_fini(&xml->text);
  buf_fini(&xml->entry.key);
  buf_fini(&xml->entry.tag);
  for (size_t i = 0; i < FIELD_NONE; i++)
    buf_fini(&xml->texts[i]);
  xmlpage_fini(&xml->page);
  free(xml);
}

/* ---- reading ------------------------------------------------------------ */

static bool parse(struct xml *xml, const char *data, size_t len, bool final) {
  if (XML_Parse(xml->parser, data, (int)len, final) == XML_STATUS_OK)
    return !failed(xml);
  return xml_fail(xml, "isn't XML, ",
                  XML_ErrorString(XML_GetErrorCode(xml->parser)));
}

static bool on_chars(void *arg, const char *data, size_t len) {
  struct xml *xml = arg;
  xml->parsed += len;
  return parse(xml, data, len, false);
}

/* expat scans a token that isn't whole again with every feed. */
static bool waits_too_long(const struct xml *xml) {
  XML_Index at = XML_GetCurrentByteIndex(xml->parser);

  return at >= 0 && xml->parsed - (uint64_t)at > XML_TOKEN_MAX;
}

bool xml_feed(struct xml *xml, const char *data, size_t len) {
  if (failed(xml))
    return false;
  if (len > XML_BYTES_MAX - xml->fed)
    return xml_fail(xml, "is too long", "");
  xml->fed += len;
  /* While it completes an upload, a storage sends space to keep the
   * connection, and some send it before the declaration. */
  for (; !xml->parsed && len && strchr(" \t\r\n", *data) && *data; len--)
    data++;
  if (!len)
    return true;
  if (memchr(data, '\0', len)) /* expat would take it for UTF-16 */
    return xml_fail(xml, "isn't in UTF-8", "");
  if (!xmlchars_feed(&xml->chars, data, len, on_chars, xml))
    return false;
  return !waits_too_long(xml) || xml_fail(xml, "has too long a tag", "");
}

static void point_result(struct xml *xml) {
  struct xml_result *result = &xml->result;
  const struct buf *texts = xml->texts;

  result->code = texts[FIELD_CODE].data;
  result->message = texts[FIELD_MESSAGE].data;
  result->request_id = texts[FIELD_REQUEST_ID].data;
  result->region = texts[FIELD_REGION].data;
  result->bucket = texts[FIELD_BUCKET].data;
  result->next_token = texts[FIELD_NEXT_TOKEN].data;
  result->next_key_marker = texts[FIELD_NEXT_KEY_MARKER].data;
  result->next_upload_id_marker = texts[FIELD_NEXT_UPLOAD_ID_MARKER].data;
  result->upload_id = texts[FIELD_INITIATED].data;
  result->etag = texts[FIELD_MADE_ETAG].data;
  result->location = texts[FIELD_LOCATION].data;
}

static bool decode_marker(struct xml *xml) {
  struct buf *marker = &xml->texts[FIELD_NEXT_KEY_MARKER];
  bool done;

  if (!xml->encoded)
    return true;
  buf_clear(&xml->text);
  done = xmlvalue_key(&xml->text, marker->data) && put(marker, xml->text.data);
  return done || xml_fail(xml, "has a wrong value in ", "NextKeyMarker");
}

/* Without its name, an upload can't go on, nor be given up. */
static bool names_upload(struct xml *xml) {
  return xml->result.kind != XML_INITIATE ||
         xml->texts[FIELD_INITIATED].len > 0 ||
         xml_fail(xml, "begins an upload without its UploadId", "");
}

const struct xml_result *xml_end(struct xml *xml) {
  if (failed(xml) || !xmlchars_end(&xml->chars, on_chars, xml) ||
      !parse(xml, "", 0, true) || !names_upload(xml) || !decode_marker(xml) ||
      !xmlpage_tell(&xml->page, &xml->events, xml->encoded, &xml->fault))
    return NULL;
  point_result(xml);
  return &xml->result;
}

const char *xml_fault(const struct xml *xml) {
  return xml->fault.text;
}
