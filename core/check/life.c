/* SPDX-License-Identifier: MIT
 *
 * Checks of what every plugin has: options, start and stop.
 */
#include "suite.h"

#include <stdlib.h>
#include <string.h>

#include "resource_use.h"
#include "rules.h"

#define LIVES 5

static void life_cycles(struct fixture *fixture) {
  unsigned before = 0;
  for (int i = 0; i < LIVES; i++) {
    fixture_start(fixture);
    fixture_open(fixture);
    fixture_close(fixture);
    fixture_stop(fixture);
    unsigned files = resource_use_files();
    if (i == 0) /* libraries may keep some of their own */
      before = files;
    fixture_need(fixture, files <= before,
                 "%u descriptors are open after stop() instead of %u", files,
                 before);
  }
}

/* Without it no other check can say anything. */
static void comes_to_life(struct fixture *fixture) {
  fixture_start(fixture);
  fixture_open(fixture);
  fixture_idle(fixture, 0);
  fixture_close(fixture);
  fixture_stop(fixture);
}

/* A gateway that ends before its loops ran. */
static void start_alone(struct fixture *fixture) {
  for (int i = 0; i < LIVES; i++) {
    fixture_start(fixture);
    fixture_stop(fixture);
  }
}

/* It says so where it is configured for more. */
static void second_loop(struct fixture *fixture) {
  struct fixture second;
  struct sluice_host host;
  if (!fixture->plan->one_loop)
    fixture_skip(fixture, "no --one-loop says so");
  fixture_start(fixture);
  fixture_open(fixture);
  second = *fixture;
  second.loop = loop_new();
  if (second.loop == NULL)
    abort();
  fixture_need(fixture, fixture_open_on(&second, &host) == NULL,
               "a second loop gets a handle, too");
  fixture_need(fixture, host.failure[0] != '\0',
               "a second loop gets no handle, and isn't told why");
  loop_free(second.loop);
  fixture_close(fixture);
  fixture_stop(fixture);
}

static void unknown_option(struct fixture *fixture) {
  struct errmsg err = {""};
  fixture_need(fixture,
               !subject_with(fixture->plan->subject, "no_such_option", &err),
               "the option 'no_such_option' is taken");
  fixture_need(fixture, strstr(err.text, "no_such_option") != NULL,
               "the message doesn't name it: %s", err.text);
}

static void missing_option(struct fixture *fixture) {
  const struct subject *subject = fixture->plan->subject;
  const struct sluice_option *option = plugin_options(&subject->plugin);
  unsigned required = 0;
  for (; option->name != NULL; option++) {
    struct errmsg err = {""};
    if (option->fallback != NULL)
      continue;
    required++;
    fixture_need(fixture, !subject_without(subject, option->name, &err),
                 "it does without '%s', which is required", option->name);
    fixture_need(fixture, strstr(err.text, option->name) != NULL,
                 "the message doesn't name '%s': %s", option->name, err.text);
  }
  if (required == 0)
    fixture_skip(fixture, "no option is required");
}

static void life_texts(struct fixture *fixture) {
  const struct plugin *plugin = &fixture->plan->subject->plugin;
  const struct sluice_option *option = plugin_options(plugin);
  for (; option->name != NULL; option++)
    fixture_need(fixture,
                 option->help != NULL && *option->help != '\0' &&
                     strchr(option->help, '\n') == NULL,
                 "the help of '%s' isn't one line", option->name);
}

const struct check life_checks[] = {
    {"life: it starts, and a loop gets a handle", RULE_START, comes_to_life,
     CHECK_VITAL},
    {"options: each is explained in one line",
     "help: one line: --plugins, the man page and its test", life_texts,
     CHECK_RAW},
    {"options: an unknown one is refused by name",
     "One key of a backend's or hook's YAML mapping.", unknown_option,
     CHECK_RAW},
    {"options: one that is required is asked for by name",
     "fallback: NULL: required", missing_option, CHECK_RAW},
    {"life: start and stop, without a loop",
     "Once, after every close(); may block", start_alone, CHECK_RAW},
    {"life: close and stop give back all that was taken",
     "close: no operation is in flight any more; stop: once, after every "
     "close()",
     life_cycles, CHECK_RAW},
    {"life: a second loop is refused where one is all",
     "Why start() or open() fails: what is wrong and what to change",
     second_loop, CHECK_RAW},
    {0}};
