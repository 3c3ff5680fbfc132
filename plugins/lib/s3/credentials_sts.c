/* SPDX-License-Identifier: MIT
 *
 * STS's XML, read by expat.  No document type, and so no entities; the names
 * that count, each in the element it belongs into.
 */
#include "credentials_sts.h"

#include <expat.h>
#include <string.h>

#include "digest.h"

#define DEPTH_MAX 16
#define TEXT_MAX 8192

static const struct {
  const char *parent, *name;
} fields[STS_NONE] = {
    [STS_ACCESS_KEY] = {"Credentials", "AccessKeyId"},
    [STS_SECRET_KEY] = {"Credentials", "SecretAccessKey"},
    [STS_TOKEN] = {"Credentials", "SessionToken"},
    [STS_EXPIRATION] = {"Credentials", "Expiration"},
    [STS_CODE] = {"Error", "Code"},
};

struct reader {
  XML_Parser parser;
  struct sts *sts;
  unsigned depth;
  char parents[DEPTH_MAX + 1][16]; /* cut: those that count are shorter */
  enum sts_field field;
};

static void credentials_sts_refuse(struct reader *reader) {
  XML_StopParser(reader->parser, XML_FALSE);
}

static void XMLCALL credentials_sts_on_start(void *arg,
                                             const XML_Char *qualified,
                                             const XML_Char **attributes) {
  struct reader *reader = arg;
  const char *colon = strrchr(qualified, ':');
  const char *name = colon == NULL ? qualified : colon + 1;
  (void)attributes;
  if (reader->depth == DEPTH_MAX) {
    credentials_sts_refuse(reader);
    return;
  }
  const char *parent = reader->parents[reader->depth++];
  size_t len = strnlen(name, sizeof reader->parents[0] - 1);
  memcpy(reader->parents[reader->depth], name, len);
  reader->parents[reader->depth][len] = '\0';
  reader->field = STS_NONE;
  for (enum sts_field i = STS_ACCESS_KEY; i < STS_NONE; i++)
    if (strcmp(fields[i].parent, parent) == 0 &&
        strcmp(fields[i].name, name) == 0)
      reader->field = i;
  /* Said twice, it is one of them that isn't meant. */
  if (reader->field != STS_NONE && reader->sts->texts[reader->field].len > 0)
    credentials_sts_refuse(reader);
}

static void XMLCALL credentials_sts_on_text(void *arg, const XML_Char *text,
                                            int len) {
  struct reader *reader = arg;
  if (reader->field != STS_NONE &&
      !buf_add(&reader->sts->texts[reader->field], text, (size_t)len))
    credentials_sts_refuse(reader);
}

static void XMLCALL credentials_sts_on_end(void *arg, const XML_Char *name) {
  struct reader *reader = arg;
  (void)name;
  reader->field = STS_NONE;
  reader->depth--;
}

static void XMLCALL credentials_sts_on_doctype(void *arg, const XML_Char *name,
                                               const XML_Char *system,
                                               const XML_Char *public,
                                               int internal) {
  (void)name, (void)system, (void)public, (void)internal;
  credentials_sts_refuse(arg);
}

/* All the room at once, so that no pieces are left behind. */
static bool credentials_sts_init_texts(struct sts *sts) {
  bool room = true;
  for (size_t i = 0; i < STS_NONE; i++) {
    buf_init(&sts->texts[i], TEXT_MAX);
    room = buf_addf(&sts->texts[i], "%*s", TEXT_MAX, "") && room;
    buf_clear(&sts->texts[i]);
  }
  return room;
}

void sts_read(struct sts *sts, const char *data, size_t len) {
  struct reader reader = {.sts = sts, .field = STS_NONE};
  bool room = credentials_sts_init_texts(sts);
  reader.parser = XML_ParserCreate("UTF-8");
  sts->good = false;
  if (reader.parser == NULL)
    return;
  XML_SetUserData(reader.parser, &reader);
  XML_SetElementHandler(reader.parser, credentials_sts_on_start,
                        credentials_sts_on_end);
  XML_SetCharacterDataHandler(reader.parser, credentials_sts_on_text);
  XML_SetStartDoctypeDeclHandler(reader.parser, credentials_sts_on_doctype);
  /* In one piece, as expat keeps a copy of what isn't whole. */
  sts->good = room && XML_Parse(reader.parser, data, (int)len, XML_TRUE) ==
                          XML_STATUS_OK;
  XML_ParserFree(reader.parser);
}

void sts_fini(struct sts *sts) {
  for (size_t i = 0; i < STS_NONE; i++) {
    if (sts->texts[i].room > 0)
      digest_wipe(sts->texts[i].data, sts->texts[i].room);
    buf_fini(&sts->texts[i]);
  }
}
