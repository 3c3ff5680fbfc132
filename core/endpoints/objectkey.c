/* SPDX-License-Identifier: MIT
 *
 * ?key= of downloads and of /files/object.
 */
#include "objectkey.h"

#include <string.h>

#include "query.h"
#include "reply.h"

bool objectkey_read(struct exchange *ex, char key[KEY_MAX + 1],
                    const char *(*fault_of)(const char *key, size_t len)) {
  struct buf text;
  buf_init(&text, KEY_MAX);
  enum query_result found = query_get(&text, ex->head.query, "key");
  bool missing =
      found == QUERY_NONE || (found == QUERY_FOUND && text.len == 0);
  const char *fault = NULL;
  if (found == QUERY_BAD)
    fault = "it is given twice, isn't UTF-8, or is longer than 1024 bytes";
  else if (!missing)
    fault = fault_of(text.data, text.len);
  if (missing)
    reply_error(ex, 400, "missing_key", "Missing query param: key");
  else if (fault != NULL)
    reply_error(ex, 400, "bad_key", "Bad 'key': %s", fault);
  else
    memcpy(key, text.data, text.len + 1);
  buf_fini(&text);
  return !missing && fault == NULL;
}
