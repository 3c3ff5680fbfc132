/* SPDX-License-Identifier: MIT
 *
 * The fields of a JSON record: which are wanted, in which order, and how each
 * is written.
 */
#ifndef LOG_JSON_FIELDS_H
#define LOG_JSON_FIELDS_H

#include <sluice/plugin.h>

#include "errmsg.h"
#include "line.h"

struct fields;

/* NULL and why: none at all, one that isn't known (with the nearest that is),
 * or one twice. */
struct fields *fields_new(const char *const *names, struct errmsg *);
void fields_free(struct fields *);

/* One object on one line, without the newline: at most LINE_BYTES_MAX - 1
 * bytes, whatever the request holds. */
void fields_write(const struct fields *, struct line *, struct line_clock *,
                  int64_t now_ms, const struct sluice_request *,
                  const struct sluice_record *);

#endif
