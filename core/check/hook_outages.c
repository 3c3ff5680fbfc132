/* SPDX-License-Identifier: MIT
 *
 * Checks of a hook whose own service or storage goes down and comes back, by
 * the commands of --down and --up.
 */
#include "suite.h"

#include "clock.h"
#include "outage_command.h"
#include "request_driver.h"

#define RETRY_MS 50
#define STRANGERS 3

static void hook_outages_run(struct fixture *fixture, const char *option,
                             const char *command) {
  int status = outage_command(command);
  fixture_need(fixture, status == 0, "%s: '%s' ended with status %d", option,
               command, status);
}

static bool asks(struct fixture *fixture, const char *headers) {
  return request_driver_run(
      fixture, &(struct client_request){.method = "GET",
                                        .target = "/files?prefix=a/",
                                        .operation = "list",
                                        .headers = headers});
}

static void ask_strangers(struct fixture *fixture, bool admitted[STRANGERS]) {
  static const char *const headers[STRANGERS] = {
      NULL, "Authorization: Bearer nobody\r\n", "X-Token: nobody\r\n"};
  for (size_t i = 0; i < STRANGERS; i++)
    admitted[i] = asks(fixture, headers[i]);
}

/* A guard that lets them in at any time fails another check. */
static void expect_strangers_out(struct fixture *fixture,
                                 const bool before[STRANGERS],
                                 const char *when) {
  bool now[STRANGERS];
  ask_strangers(fixture, now);
  for (size_t i = 0; i < STRANGERS; i++)
    fixture_need(fixture, !now[i] || before[i],
                 "GET /files: somebody unknown is allowed %s the outage",
                 when);
}

static void strangers(struct fixture *fixture) {
  const char *known = fixture->plan->header;
  bool out[STRANGERS];
  if (fixture->plan->down == NULL || fixture->plan->up == NULL)
    fixture_skip(fixture, "no --down and --up say how");
  bool before = asks(fixture, known);
  ask_strangers(fixture, out);
  hook_outages_run(fixture, "--down", fixture->plan->down);
  expect_strangers_out(fixture, out, "during");
  asks(fixture, known); /* it may be remembered; an answer has to come */
  hook_outages_run(fixture, "--up", fixture->plan->up);
  uint64_t end = clock_ms() + (uint64_t)fixture->plan->patience_ms;
  while (before && !asks(fixture, known)) {
    fixture_need(
        fixture, clock_ms() < end,
        "GET /files: was allowed before the outage, and isn't %lld ms "
        "after it",
        (long long)fixture->plan->patience_ms);
    fixture_idle(fixture, RETRY_MS);
  }
  expect_strangers_out(fixture, out, "after");
}

const struct check hook_outage_checks[] = {
    {"outage: nobody new is allowed, and those known are again after it",
     "its ALLOW admits; what no such hook allows is denied", strangers,
     CHECK_OUTAGE},
    {0}};
