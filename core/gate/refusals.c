/* SPDX-License-Identifier: MIT
 *
 * Refusals, first and then a second's worth at a time.
 */
#include "refusals.h"

#include <stdarg.h>
#include <stdio.h>

#include "log.h"

static const struct timeval second = {.tv_sec = 1};

/* False: nothing was told for a second. */
static bool tell(struct refusals *refusals) {
  bool any = false;
  for (size_t i = 0; i < REFUSAL_KINDS; i++) {
    refusals->kinds[i].told = refusals->kinds[i].count > 0;
    if (!refusals->kinds[i].told)
      continue;
    log_line(SLUICE_LOG_WARN, NULL, "%zu more like it, the last: %s",
             refusals->kinds[i].count, refusals->kinds[i].last);
    refusals->kinds[i].count = 0;
    any = true;
  }
  return any;
}

static void on_second(evutil_socket_t none, short what, void *arg) {
  struct refusals *refusals = arg;
  (void)none, (void)what;
  if (tell(refusals))
    event_add(refusals->timer, &second);
}

bool refusals_init(struct refusals *refusals, struct loop *loop) {
  *refusals = (struct refusals){.timer = NULL};
  refusals->timer = evtimer_new(loop_base(loop), on_second, refusals);
  return refusals->timer != NULL;
}

void refusals_fini(struct refusals *refusals) {
  if (refusals->timer == NULL)
    return;
  tell(refusals);
  event_free(refusals->timer);
  refusals->timer = NULL;
}

void refusals_note(struct refusals *refusals, enum refusal kind,
                   const char *client, const char *fmt, ...) {
  char why[REFUSAL_LEN];
  va_list args;
  va_start(args, fmt);
  vsnprintf(why, sizeof why, fmt, args);
  va_end(args);
  if (!refusals->kinds[kind].told) {
    log_line(SLUICE_LOG_WARN, NULL, "%s is refused: %s", client, why);
    refusals->kinds[kind].told = true;
    if (!evtimer_pending(refusals->timer, NULL))
      event_add(refusals->timer, &second);
    return;
  }
  refusals->kinds[kind].count++;
  snprintf(refusals->kinds[kind].last, REFUSAL_LEN, "%s is refused: %.180s",
           client, why);
}
