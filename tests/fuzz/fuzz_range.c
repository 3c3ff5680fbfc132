/* SPDX-License-Identifier: MIT
 *
 * Range and the conditions on hostile headers.  The first eight bytes are the
 * object's length, the rest is the header.  A part always lies inside the
 * object, and asking for exactly that part gives it again.
 */
#include "range.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(const struct range *range, uint64_t length) {
  struct range again;
  char header[64];

  assert(range->count > 0);
  assert(range->first < length);
  assert(range->count <= length - range->first);
  snprintf(header, sizeof header, "bytes=%" PRIu64 "-%" PRIu64, range->first,
           range->first + (range->count - 1));
  assert(range_parse(header, length, &again) == RANGE_PART);
  assert(again.first == range->first && again.count == range->count);
}

/* A strong match is a weak one, too, and If-Range is one strong tag. */
static void check_tags(const char *header) {
  const char *const etag = "tag";
  struct range_conditions match = {.if_match = header};
  struct range_conditions none_match = {.if_none_match = header};
  struct range_conditions if_range = {.if_range = header};
  bool strong = range_conditions(&match, etag, 0, 0) == RANGE_GO;
  bool weak = range_conditions(&none_match, etag, 0, 0) == RANGE_NOT_MODIFIED;

  assert(!strong || weak);
  assert(!range_if_range(&if_range, etag) || strong);
  assert(!range_if_range(&if_range, NULL));
}

/* One date can't be before the object's and not before it. */
static void check_dates(const char *header) {
  struct range_conditions modified = {.if_modified_since = header};
  struct range_conditions unmodified = {.if_unmodified_since = header};
  enum range_verdict one = range_conditions(&modified, NULL, 784111777, 0);
  enum range_verdict other = range_conditions(&unmodified, NULL, 784111777, 0);

  assert(one == RANGE_GO || other == RANGE_GO);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint64_t length;
  struct range range;
  char *header;

  if (size < sizeof length)
    return 0;
  memcpy(&length, data, sizeof length);
  header = strndup((const char *)data + sizeof length, size - sizeof length);
  if (!header)
    return 0;
  if (range_parse(header, length, &range) == RANGE_PART)
    check_part(&range, length);
  check_tags(header);
  check_dates(header);
  free(header);
  return 0;
}
