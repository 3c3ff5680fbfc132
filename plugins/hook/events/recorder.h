/* SPDX-License-Identifier: MIT
 *
 * The hook on one loop, towards requests: a change becomes a row of the queue
 * before its client is answered.
 */
#ifndef EVENTS_RECORDER_H
#define EVENTS_RECORDER_H

#include <sluice/plugin.h>

#include "courier.h"

struct recorder {
  struct events *events;
  struct sluice_host *host;
  struct courier *courier; /* NULL: another loop delivers */
};

enum sluice_verdict recorder_on_key(void *, struct sluice_request *);
enum sluice_verdict recorder_on_change(void *, struct sluice_request *,
                                       const struct sluice_object *);
void recorder_on_response(void *, struct sluice_request *);
void recorder_on_log(void *, struct sluice_request *,
                     const struct sluice_record *);

#endif
