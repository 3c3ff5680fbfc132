/* SPDX-License-Identifier: MIT
 *
 * Fuzzes head_end() and head_parse(): the end is found however the head
 * arrives, two runs agree, and all strings lie inside the text.
 */
#include "head.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_end(const char *in, size_t len) {
  size_t from = 0, whole = head_end(in, len, &from), end = 0;
  from = 0;
  for (size_t n = 0; !end && n <= len; n++)
    end = head_end(in, n, &from);
  assert(end == whole);
}

/* As long as the input and the CRLF CRLF that it must end in. */
static char *copy(const char *in, size_t len) {
  char *text = malloc(len + 5);
  assert(text);
  memcpy(text, in, len);
  memcpy(text + len, "\r\n\r\n", 4);
  return text;
}

static void inside(const struct head *h, size_t len, const char *string) {
  if (!string)
    return;
  assert(string >= h->text && string <= h->text + len);
  assert(string + strlen(string) <= h->text + len);
}

static void check_strings(const struct head *h, size_t len) {
  inside(h, len, h->method);
  inside(h, len, h->path);
  inside(h, len, h->query);
  inside(h, len, h->host);
  for (size_t i = 0; i < h->count; i++) {
    inside(h, len, h->fields[i].name);
    inside(h, len, h->fields[i].value);
    assert(*h->fields[i].name && head_get(h, h->fields[i].name));
    assert(!strpbrk(h->fields[i].value, "\r\n"));
  }
}

static void check_promises(const struct head *h) {
  assert(*h->method && strlen(h->method) <= HEAD_METHOD_MAX);
  assert(*h->path == '/' || !strcmp(h->path, "*"));
  assert(h->count <= HEAD_FIELDS_MAX);
  assert(h->minor == 0 || h->minor == 1);
  assert(h->minor == 0 || h->host);
  assert(!h->host || *h->host);
  assert(!h->chunked || (h->length == -1 && h->minor == 1));
  assert(!h->chunked == !head_get(h, "Transfer-Encoding"));
  assert((h->length >= 0) == !!head_get(h, "Content-Length"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *in = (const char *)data;
  struct head a, b;
  struct head_refusal why = {0, NULL}, again = {0, NULL};
  check_end(in, size);
  bool ok = head_parse(&a, copy(in, size), size + 4, &why);
  assert(ok == head_parse(&b, copy(in, size), size + 4, &again));
  if (ok) {
    check_strings(&a, size + 4);
    check_promises(&a);
    assert(!memcmp(a.text, b.text, size + 5));
  } else
    assert(why.status >= 400 && why.what && why.status == again.status &&
           why.what == again.what);
  head_fini(&a);
  head_fini(&b);
  return 0;
}
