/* SPDX-License-Identifier: MIT
 *
 * The entries of one list answer.  Called by xml.  Their texts are one buffer,
 * which an answer's size bounds.
 */
#include "xmlpage.h"

#include "xmlchars.h"
#include "xmlvalue.h"

#include <stdlib.h>
#include <string.h>

struct xmlpage_entry {
  enum xmlpage_kind kind;
  uint64_t size;
  int64_t time_ms;
};

void xmlpage_init(struct xmlpage *page) {
  *page = (struct xmlpage){0};
  buf_init(&page->text, XML_BYTES_MAX);
}

void xmlpage_fini(struct xmlpage *page) {
  buf_fini(&page->text);
  free(page->entries);
  xmlpage_init(page);
}

static bool reserve(struct xmlpage *page) {
  size_t room = page->room ? 2 * page->room : 64;
  struct xmlpage_entry *entries;

  if (page->count == XML_ENTRIES_MAX)
    return false;
  if (page->count < page->room)
    return true;
  entries = reallocarray(page->entries, room, sizeof *entries);
  if (!entries)
    return false;
  page->entries = entries;
  page->room = room;
  return true;
}

bool xmlpage_add(struct xmlpage *page, enum xmlpage_kind kind, const char *key,
                 const char *tag, uint64_t size, int64_t time_ms) {
  if (!reserve(page) || !buf_add(&page->text, key, strlen(key) + 1) ||
      !buf_add(&page->text, tag, strlen(tag) + 1))
    return false;
  page->entries[page->count++] = (struct xmlpage_entry){kind, size, time_ms};
  return true;
}

static bool tell_one(const struct xmlpage_entry *entry,
                     const struct xml_events *events, const char *key,
                     const char *tag) {
  const struct xml_object object = {key, tag, entry->size, entry->time_ms};
  const struct xml_upload upload = {key, tag, entry->time_ms};
  const struct xml_deletion deletion = {key, tag};

  switch (entry->kind) {
  case XMLPAGE_OBJECT:
    return !events->object || events->object(events->arg, &object);
  case XMLPAGE_PREFIX:
    return !events->prefix || events->prefix(events->arg, key);
  case XMLPAGE_UPLOAD:
    return !events->upload || events->upload(events->arg, &upload);
  case XMLPAGE_DELETION:
    return !events->deletion || events->deletion(events->arg, &deletion);
  }
  return false;
}

/* `decoded`: room for the key. */
static bool tell_entry(const struct xmlpage_entry *entry,
                       const struct xml_events *events, const char *key,
                       const char *tag, bool encoded, struct buf *decoded,
                       struct errmsg *fault) {
  if (strstr(key, XMLCHARS_MARK) != NULL)
    /* An upload that can't be named can't be given up either, and keys that
     * XML can't hold aren't removed by it. */
    return entry->kind == XMLPAGE_UPLOAD || entry->kind == XMLPAGE_DELETION ||
           errmsg_set(fault, "the storage lists a key with a character that "
                             "XML can't hold, as it is: remove it");
  buf_clear(decoded);
  if (encoded && !xmlvalue_key(decoded, key))
    return errmsg_set(fault, "the storage lists a key that isn't UTF-8 or "
                             "isn't encoded as it says: rename it");
  return tell_one(entry, events, encoded ? decoded->data : key, tag) ||
         errmsg_set(fault, "the storage's list was not read to its end");
}

bool xmlpage_tell(const struct xmlpage *page, const struct xml_events *events,
                  bool encoded, struct errmsg *fault) {
  const char *key = page->text.data, *tag;
  struct buf decoded;
  bool going = true;

  buf_init(&decoded, XML_TEXT_MAX);
  for (size_t i = 0; i < page->count && going; i++) {
    tag = key + strlen(key) + 1;
    going = tell_entry(&page->entries[i], events, key, tag, encoded, &decoded,
                       fault);
    key = tag + strlen(tag) + 1;
  }
  buf_fini(&decoded);
  return going;
}
