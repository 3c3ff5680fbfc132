/* SPDX-License-Identifier: MIT
 *
 * Structured fields, and what reads them, on hostile headers.  A dictionary
 * is one with another member behind it; a key in quotes is that without.
 */
#include "digestfield.h"
#include "idempotencykey.h"
#include "oncerecord.h"
#include "structured.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_dictionary(const char *text, size_t size) {
  struct structured value;
  struct buf longer;
  bool bad = structured_member(&value, text, "a") == STRUCTURED_BAD;
  bool empty = text[strspn(text, " ")] == '\0';
  buf_init(&longer, size + 16);
  buf_adds(&longer, text);
  buf_adds(&longer, empty ? "a=7" : ", a=7");
  enum structured_found found = structured_member(&value, longer.data, "a");
  assert(found == (bad ? STRUCTURED_BAD : STRUCTURED_FOUND));
  assert(bad || value.integer == 7);
  buf_fini(&longer);
}

static void check_digests(const char *text) {
  struct digestfield said;
  struct sums sums = {.made = {false}};
  if (digestfield_read(&said, text) != NULL)
    return;
  sums_make_said(&sums, &said);
  assert(sums_is_any(&sums) == digestfield_is_any(&said));
  sums_add(&sums, text, strlen(text));
  sums_fit(&sums, &said); /* nobody finds one that does */
}

static void check_key(const char *text) {
  char key[IDEMPOTENCYKEY_MAX + 1], again[IDEMPOTENCYKEY_MAX + 1];
  if (idempotencykey_read(key, text) != NULL)
    return;
  assert(key[0] != '\0' && strlen(key) <= IDEMPOTENCYKEY_MAX);
  if (key[0] != '"') {
    assert(idempotencykey_read(again, key) == NULL);
    assert(strcmp(key, again) == 0);
  }
}

static void check_record(const char *text, size_t size) {
  struct oncerecord record;
  struct buf again;
  if (!oncerecord_read(&record, text, size))
    return;
  buf_init(&again, ONCERECORD_MAX);
  assert(oncerecord_write(&again, &record));
  buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct structured item;
  char *text = strndup((const char *)data, size);
  if (text == NULL)
    return 0;
  if (structured_item(&item, text))
    assert(item.kind != STRUCTURED_LIST);
  check_dictionary(text, size);
  check_digests(text);
  digestfield_wants(text);
  check_key(text);
  check_record((const char *)data, size);
  free(text);
  return 0;
}
