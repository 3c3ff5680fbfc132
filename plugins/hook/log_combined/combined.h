/* SPDX-License-Identifier: MIT
 *
 * A record in Apache's combined format.
 */
#ifndef LOG_COMBINED_COMBINED_H
#define LOG_COMBINED_COMBINED_H

#include <sluice/plugin.h>

#include "line.h"

/* client - identity [time] "request" status bytes "referer" "agent", without
 * the newline: at most LINE_BYTES_MAX - 1 bytes. */
void combined_write(struct line *, struct line_clock *, int64_t now_ms,
                    const struct sluice_request *,
                    const struct sluice_record *);

#endif
