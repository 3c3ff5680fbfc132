/* SPDX-License-Identifier: MIT
 *
 * One metric for each of whom a request waited for, in milliseconds.  Those of
 * nobody are there as well, so that a 0 is told from what isn't measured.
 */
#include "servertiming.h"

#include <inttypes.h>
#include <stdio.h>

#include "exchange.h"

#define MS(us) (us) / 1000, (us) % 1000
#define MS_FORMAT "%" PRIu64 ".%03" PRIu64

void servertiming_text(struct exchange *ex, char out[SERVERTIMING_SIZE]) {
  const uint64_t *us = ex->waited_us;
  exchange_count_times(ex);
  snprintf(out, SERVERTIMING_SIZE,
           "client;dur=" MS_FORMAT ", hooks;dur=" MS_FORMAT
           ", backend;dur=" MS_FORMAT ";desc=\"%" PRIu64 " attempts\""
           ", hash;dur=" MS_FORMAT ", total;dur=" MS_FORMAT,
           MS(us[METRICS_CLIENT]), MS(us[METRICS_HOOKS]),
           MS(us[METRICS_BACKEND]), ex->request.about.attempts,
           MS(us[METRICS_HASH]), MS(us[METRICS_WHOLE]));
}
