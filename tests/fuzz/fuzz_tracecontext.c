/* SPDX-License-Identifier: MIT
 *
 * Trace Context on hostile fields: what was read is written as what is read
 * again, and a list that may be passed on keeps its bounds and has nothing in
 * it that a header can't have.
 */
#include "tracecontext.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct tracecontext context, again;
  char out[TRACECONTEXT_TEXT_SIZE];
  char *text = strndup((const char *)data, size);
  if (!text)
    return 0;
  if (tracecontext_read(&context, text)) {
    tracecontext_write(out, &context);
    assert(strlen(out) == sizeof out - 1);
    assert(tracecontext_read(&again, out));
    assert(memcmp(context.trace, again.trace, sizeof again.trace) == 0);
    assert(memcmp(context.span, again.span, sizeof again.span) == 0);
    assert(context.flags == again.flags);
  }
  if (tracecontext_state_valid(text)) {
    assert(strlen(text) <= TRACECONTEXT_STATE_MAX);
    assert(strchr(text, '=') != NULL);
    for (const char *at = text; *at != '\0'; at++)
      assert(*at == '\t' || (*at >= ' ' && *at <= '~'));
  }
  free(text);
  return 0;
}
