/* SPDX-License-Identifier: MIT
 *
 * The text format in which Prometheus reads metrics, version 0.0.4
 * (prometheus.io/docs/instrumenting/exposition_formats).  A family is its two
 * comments, then its samples; names are constants that fit, values of labels
 * are escaped here.
 */
#ifndef BASE_EXPOSITION_H
#define BASE_EXPOSITION_H

#include "buf.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct exposition_label {
  const char *name, *value;
};

/* Labels are an array that a NULL name ends; NULL: none. */

/* `type` is counter, gauge or histogram. */
void exposition_family(struct buf *, const char *name, const char *type,
                       const char *help);
void exposition_number(struct buf *, const char *name,
                       const struct exposition_label *, uint64_t value);
void exposition_signed(struct buf *, const char *name,
                       const struct exposition_label *, int64_t value);
/* Microseconds, written as seconds. */
void exposition_seconds(struct buf *, const char *name,
                        const struct exposition_label *, uint64_t us);
/* `counts` are `bounds` + 1 numbers, each of its own bucket; the last one's
 * has no bound. */
void exposition_histogram(struct buf *, const char *name,
                          const struct exposition_label *,
                          const uint64_t *bounds_us, size_t bounds,
                          const uint64_t *counts, uint64_t sum_us);

#endif
