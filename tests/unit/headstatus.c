/* SPDX-License-Identifier: MIT
 *
 * Parses copies of heads, in blocks that are no longer than they must be.
 */
#include "headstatus.h"

#include "unit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool headstatus_parse(struct head *h, const char *text, size_t len,
                      struct head_refusal *why) {
  char *copy = malloc(len + 1);
  assert(copy);
  memcpy(copy, text, len);
  *why = (struct head_refusal){0, NULL};
  return head_parse(h, copy, len, why);
}

int headstatus_bytes(const char *text, size_t len) {
  struct head h;
  struct head_refusal why;
  bool ok = headstatus_parse(&h, text, len, &why);
  CU_ASSERT(ok || (why.status && why.what));
  CU_ASSERT(ok || !h.text);
  head_fini(&h);
  return ok ? 0 : why.status;
}

int headstatus(const char *text) {
  return headstatus_bytes(text, strlen(text));
}
