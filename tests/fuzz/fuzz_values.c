/* SPDX-License-Identifier: MIT
 *
 * Values of fields and options on hostile text: dates, lists of ETags, hosts,
 * addresses, sizes, times, moments, and the fields of tus.  What is read is
 * what was written, and what is written is read again.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "authority.h"
#include "cidr.h"
#include "codec.h"
#include "date.h"
#include "etags.h"
#include "expiry.h"
#include "quantity.h"
#include "uploadhead.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1700000000)

static void check_dates(const char *text) {
  char written[DATE_HTTP_SIZE], again[DATE_HTTP_SIZE];
  int64_t seconds, back;
  if (date_http_parse(text, NOW, &seconds)) {
    date_http(written, seconds);
    bool read = date_http_parse(written, NOW, &back);
    assert(read && back == seconds);
    date_http(again, back);
    assert(strcmp(written, again) == 0);
  }
  if (date_rfc3339_parse(text, &seconds)) {
    char iso[DATE_ISO_SIZE];
    date_iso(iso, seconds);
    bool read = date_rfc3339_parse(iso, &back);
    assert(read && back == seconds);
  }
}

/* A list has each of its tags, and one that just that tag is. */
static void check_etags(const char *text) {
  bool valid = etags_valid(text);
  bool has = etags_has(text, "a", false);
  assert(!has || etags_has(text, "a", true));
  assert(!etags_is(text, "a") || (valid && has));
  assert(!etags_is_any(text) || etags_has(text, "b", false));
}

static void check_hosts(const char *text, size_t len) {
  struct cidr_address address, back;
  struct cidr block;
  char printed[CIDR_TEXT_SIZE];
  if (cidr_address(&address, text, len) && !address.is_unix) {
    cidr_print(printed, &address);
    bool read = cidr_address(&back, printed, strlen(printed));
    assert(read && memcmp(&back.bytes, &address.bytes, 16) == 0);
  }
  if (cidr_parse(&block, text) == NULL) {
    assert(block.bits <= 128);
    assert(block.address.is_unix || cidr_holds(&block, &block.address));
  }
  if (authority_pattern_fault(text) == NULL)
    assert(authority_pattern_len(text) <= len);
  if (authority_valid(text))
    assert(authority_pattern_fault(text) != NULL ||
           authority_matches(text, text));
}

static void check_quantities(const char *text) {
  uint64_t bytes;
  int64_t number;
  char printed[32];
  if (quantity_size(text, &bytes))
    quantity_print(printed, bytes);
  if (quantity_time(text, &number))
    assert(number >= 0);
  if (quantity_int(text, &number))
    assert(number == strtoll(text, NULL, 10));
  if (expiry_parse(text, &number))
    assert(number >= 1 && number <= EXPIRY_MAX_S);
  if (expiry_note_moment(text, &number))
    assert(number >= 0);
}

static void check_tus(const char *text) {
  struct uploadhead_checksum checksum;
  struct buf out;
  const char *parts, *part;
  int64_t number;
  size_t len;
  buf_init(&out, 1024);
  if (uploadhead_metadata(&out, text, "filename") == UPLOADHEAD_FOUND)
    assert(out.len <= 1024 && !out.overflown);
  buf_fini(&out);
  if (uploadhead_checksum(&checksum, text) == NULL)
    assert(checksum_size(checksum.kind) <= CHECKSUM_MAX);
  if (uploadhead_number(text, &number) || uploadhead_integer(text, &number))
    assert(number >= 0);
  if (uploadhead_concat(text, &parts) != UPLOADHEAD_FINAL)
    return;
  size_t count = 0;
  while ((part = uploadhead_part(&parts, &len)) != NULL) {
    assert(len > 0 && memchr(part, ' ', len) == NULL);
    count++;
  }
  assert(count > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = strndup((const char *)data, size);
  assert(text != NULL);
  check_dates(text);
  check_etags(text);
  check_hosts(text, strlen(text));
  check_quantities(text);
  check_tus(text);
  free(text);
  return 0;
}
