/* SPDX-License-Identifier: MIT
 *
 * The output of commands that find something: findings, then counts; as text,
 * a line each, or as one JSON object that is written as it comes.
 */
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

#include <stdbool.h>
#include <sluice/plugin.h>

struct report {
  bool json, any, bad, counted; /* bad: something that isn't good was found */
};

void report_begin(struct report *, bool json);
void report_finding(void *report, const struct sluice_finding *);
void report_count(void *report, const char *what, uint64_t number);
/* `done`: how the line of counts ends where nothing is bad; `why`: it couldn't
 * be done, or NULL.  False: not all could be written. */
bool report_end(const struct report *, const char *done, const char *why);

#endif
