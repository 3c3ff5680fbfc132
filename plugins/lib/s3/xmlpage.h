/* SPDX-License-Identifier: MIT
 *
 * The entries of one list answer, held until it is whole: whether their keys
 * are encoded may be said after them.
 */
#ifndef S3_XMLPAGE_H
#define S3_XMLPAGE_H

#include <stdint.h>

#include "errmsg.h"
#include "xml.h"

enum xmlpage_kind {
  XMLPAGE_OBJECT,
  XMLPAGE_PREFIX,
  XMLPAGE_UPLOAD,
  XMLPAGE_DELETION
};

struct xmlpage_entry;

struct xmlpage {
  struct buf text; /* "key\0tag\0" of each entry */
  struct xmlpage_entry *entries;
  size_t count, room;
};

void xmlpage_init(struct xmlpage *);
void xmlpage_fini(struct xmlpage *);
/* `tag`: an ETag, an upload ID or an error's code.  False: too many, or no
 * memory. */
bool xmlpage_add(struct xmlpage *, enum xmlpage_kind, const char *key,
                 const char *tag, uint64_t size, int64_t time_ms);
/* In the order of adding; `encoded`: keys and prefixes are.  False: a key
 * can't be decoded, or an event ended it. */
bool xmlpage_tell(const struct xmlpage *, const struct xml_events *,
                  bool encoded, struct errmsg *);

#endif
