/* SPDX-License-Identifier: MIT
 *
 * Checks that a hook takes nothing for good with each request, and works on
 * two loops at once.
 */
#include "suite.h"

#include <pthread.h>
#include <stdlib.h>

#include "resource_use.h"
#include "request_driver.h"

#define REQUESTS 2500 /* a window; there are five of them */
#define WINDOWS 12
#define LEAK_MIN 8 /* bytes a request */

static void requests(struct fixture *fixture, unsigned count) {
  static const char *const headers[] = {NULL, "Authorization: Basic YTpi\r\n",
                                        "Authorization: Bearer a.b.c\r\n",
                                        "X-Token: nobody-knows-this\r\n"};
  for (unsigned i = 0; i < count; i++) {
    struct client_request sent = {.method = "GET",
                                  .target = "/files/download?key=a/b",
                                  .operation = "download",
                                  .key = "a/b",
                                  .headers = headers[i % 4]};
    if (i % 8 == 0 && fixture->plan->header != NULL)
      sent.headers = fixture->plan->header;
    request_driver_run(fixture, &sent);
  }
  fixture_idle(fixture, 20);
}

static void hook_leaks_files(struct fixture *fixture) {
  requests(fixture, 100);
  unsigned before = resource_use_files();
  requests(fixture, REQUESTS);
  unsigned after = resource_use_files();
  fixture_need(fixture, after < before + 100,
               "%u descriptors were open, and %u requests later %u", before,
               REQUESTS, after);
}

static void hook_leaks_threads(struct fixture *fixture) {
  requests(fixture, 100);
  unsigned before = resource_use_threads();
  requests(fixture, REQUESTS);
  unsigned after = resource_use_threads();
  fixture_need(fixture, after < before + 100,
               "%u threads ran, and %u requests later %u", before, REQUESTS,
               after);
}

static void hook_leaks_memory(struct fixture *fixture) {
  size_t least = SIZE_MAX, before;
  if (resource_use_memory() == 0)
    fixture_skip(fixture,
                 "this malloc doesn't count; a sanitizer finds leaks itself");
  requests(fixture, REQUESTS);
  before = resource_use_memory();
  for (int window = 0; window < WINDOWS; window++) {
    requests(fixture, REQUESTS);
    size_t after = resource_use_memory();
    size_t grown = after > before ? after - before : 0;
    if (grown < least)
      least = grown;
    if (least < (size_t)LEAK_MIN * REQUESTS)
      return; /* one that is flat will do */
    before = after;
  }
  fixture_fail(fixture,
               "malloc()'s memory grows: by %zu bytes in %u requests at least",
               least, REQUESTS);
}

static void *hook_leaks_other_thread(void *arg) {
  struct fixture *fixture = malloc(sizeof *fixture);
  if (fixture == NULL)
    abort();
  fixture_open_second(fixture, arg);
  requests(fixture, REQUESTS);
  fixture_close(fixture);
  free(fixture);
  return NULL;
}

static void hook_leaks_two_loops(struct fixture *fixture) {
  pthread_t thread;
  if (fixture->plan->one_loop)
    fixture_skip(fixture, "by --one-loop");
  if (pthread_create(&thread, NULL, hook_leaks_other_thread, fixture) != 0)
    abort();
  requests(fixture, REQUESTS);
  pthread_join(thread, NULL);
}

const struct check hook_leak_checks[] = {
    {"loops: two at once, in two threads",
     "A handle is used by one event loop only.", hook_leaks_two_loops,
     CHECK_USUAL},
    {"leaks: no descriptors", "The last byte went, or the client did.",
     hook_leaks_files, CHECK_USUAL},
    {"leaks: no threads", "The last byte went, or the client did.",
     hook_leaks_threads, CHECK_USUAL},
    {"leaks: no memory", "The last byte went, or the client did.",
     hook_leaks_memory, CHECK_USUAL},
    {0}};
