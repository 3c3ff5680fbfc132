/* SPDX-License-Identifier: MIT
 *
 * Lists as a client reads them: page by page, to the end.
 */
#ifndef CHECK_PAGES_H
#define CHECK_PAGES_H

#include "op_driver.h"

/* All pages of a list; `size` entries a page.  Fails where it isn't in byte
 * order, a page is too long, or truncated and empty. */
struct pages {
  struct op_driver_entry *entries; /* keys and folded prefixes */
  size_t count, pages;
};
void pages_read(struct fixture *, struct pages *, const char *prefix,
                const char *delimiter, uint32_t size);
/* The same, but from a token on. */
void pages_read_from(struct fixture *, struct pages *, const char *prefix,
                     const char *delimiter, uint32_t size, const char *token);
void pages_free(struct pages *);
/* Are they these (NULL at the end), after the fixture's own prefix? */
void pages_expect(struct fixture *, const struct pages *,
                  const char *const *names);

#endif
