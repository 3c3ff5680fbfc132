/* SPDX-License-Identifier: MIT
 *
 * Range (RFC 9110, section 14.2) and the conditional headers in their order
 * of precedence (section 13.2.2), for one representation.
 */
#ifndef BASE_RANGE_H
#define BASE_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
  uint64_t first, count; /* count > 0 */
};

enum range_result {
  RANGE_WHOLE, /* none, malformed, another unit, or several: ignore it */
  RANGE_PART,
  RANGE_BEYOND /* 416 */
};

/* `header` may be NULL. */
enum range_result range_parse(const char *header, uint64_t length,
                              struct range *);

/* The request's headers, each NULL when it isn't there. */
struct range_conditions {
  const char *if_match, *if_none_match;
  const char *if_modified_since, *if_unmodified_since;
  const char *if_range;
};

enum range_verdict { RANGE_GO, RANGE_NOT_MODIFIED, RANGE_FAILED };

/* `etag` is without quotes, NULL when there is none; times in seconds.
 * `now` places two-digit years. */
enum range_verdict range_conditions(const struct range_conditions *,
                                    const char *etag, int64_t modified,
                                    int64_t now);
/* Does If-Range (when there is one) let Range count?  Strong comparison; a
 * date never does, as a one-second clock is no strong validator. */
bool range_if_range(const struct range_conditions *, const char *etag);

#endif
