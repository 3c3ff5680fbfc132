/* SPDX-License-Identifier: MIT
 *
 * Checks that a hook takes nothing for good with each request, and works on
 * two loops at once.
 */
#include "suite.h"

#include <pthread.h>
#include <stdlib.h>

#include "facts.h"
#include "guest.h"

#define REQUESTS 2500 /* a window; there are five of them */
#define WINDOWS 12
#define LEAK_MIN 8 /* bytes a request */

static void requests(struct lab *lab, unsigned count) {
  static const char *const headers[] = {NULL, "Authorization: Basic YTpi\r\n",
                                        "Authorization: Bearer a.b.c\r\n",
                                        "X-Token: nobody-knows-this\r\n"};
  for (unsigned i = 0; i < count; i++) {
    struct visit visit = {.method = "GET",
                          .target = "/files/download?key=a/b",
                          .operation = "download",
                          .key = "a/b",
                          .headers = headers[i % 4]};
    if (i % 8 == 0 && lab->plan->header != NULL)
      visit.headers = lab->plan->header;
    guest_visit(lab, &visit);
  }
  lab_idle(lab, 20);
}

static void files(struct lab *lab) {
  requests(lab, 100);
  unsigned before = facts_files();
  requests(lab, REQUESTS);
  unsigned after = facts_files();
  lab_need(lab, after < before + 100,
           "%u descriptors were open, and %u requests later %u", before,
           REQUESTS, after);
}

static void threads(struct lab *lab) {
  requests(lab, 100);
  unsigned before = facts_threads();
  requests(lab, REQUESTS);
  unsigned after = facts_threads();
  lab_need(lab, after < before + 100,
           "%u threads ran, and %u requests later %u", before, REQUESTS,
           after);
}

static void memory(struct lab *lab) {
  size_t least = SIZE_MAX, before;
  if (facts_memory() == 0)
    lab_skip(lab, "this malloc doesn't count; a sanitizer finds leaks itself");
  requests(lab, REQUESTS);
  before = facts_memory();
  for (int window = 0; window < WINDOWS; window++) {
    requests(lab, REQUESTS);
    size_t after = facts_memory();
    size_t grown = after > before ? after - before : 0;
    if (grown < least)
      least = grown;
    if (least < (size_t)LEAK_MIN * REQUESTS)
      return; /* one that is flat will do */
    before = after;
  }
  lab_fail(lab,
           "malloc()'s memory grows: by %zu bytes in %u requests at least",
           least, REQUESTS);
}

static void *other_thread(void *arg) {
  struct lab *lab = malloc(sizeof *lab);
  if (lab == NULL)
    abort();
  lab_open_second(lab, arg);
  requests(lab, REQUESTS);
  lab_close(lab);
  free(lab);
  return NULL;
}

static void two_loops(struct lab *lab) {
  pthread_t thread;
  if (lab->plan->one_loop)
    lab_skip(lab, "by --one-loop");
  if (pthread_create(&thread, NULL, other_thread, lab) != 0)
    abort();
  requests(lab, REQUESTS);
  pthread_join(thread, NULL);
}

const struct check hook_leak_checks[] = {
    {"loops: two at once, in two threads",
     "A handle is used by one event loop only.", two_loops, false},
    {"leaks: no descriptors", "The last byte went, or the client did.", files,
     false},
    {"leaks: no threads", "The last byte went, or the client did.", threads,
     false},
    {"leaks: no memory", "The last byte went, or the client did.", memory,
     false},
    {NULL, NULL, NULL, false}};
