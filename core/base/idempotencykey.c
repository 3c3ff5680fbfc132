/* SPDX-License-Identifier: MIT
 *
 * In quotes or not, it is what is between that counts.
 */
#include "idempotencykey.h"

#include <string.h>

#include "structured.h"

/* Printable ASCII, as in a string. */
static bool is_bare(const char *text) {
  for (; *text != '\0'; text++)
    if (*text < ' ' || *text > '~')
      return false;
  return true;
}

const char *idempotencykey_read(char out[IDEMPOTENCYKEY_MAX + 1],
                                const char *text) {
  struct structured item;
  struct buf key;
  const char *fault = NULL;
  buf_init(&key, IDEMPOTENCYKEY_MAX);
  if (*text != '"' && is_bare(text))
    buf_adds(&key, text);
  else if (*text == '"' && structured_item(&item, text) &&
           item.kind == STRUCTURED_STRING)
    structured_add_string(&key, &item);
  else
    fault = "isn't a string of printable ASCII; quotes around it go in pairs, "
            "and inside only quotes and backslashes have a backslash before";
  if (fault == NULL && key.overflown)
    fault = "has more than 255 characters";
  else if (fault == NULL && key.len == 0)
    fault = "is empty";
  if (fault == NULL)
    memcpy(out, key.data, key.len + 1);
  buf_fini(&key);
  return fault;
}
