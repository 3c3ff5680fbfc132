/* SPDX-License-Identifier: MIT
 *
 * Checks of a hook's phases.
 */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define MANY 60
#define LONG 15000

/* One of each operation; the key is in the target and known to on_key. */
static const struct visit operations[] = {
    {.method = "POST",
     .target = "/files",
     .operation = "upload",
     .key = "a/2026/11/22/00000000-b.pdf"},
    {.method = "POST",
     .target = "/files/presign",
     .operation = "presign",
     .key = "a/b"},
    {.method = "GET",
     .target = "/files/download?key=a/b",
     .operation = "download",
     .key = "a/b"},
    {.method = "HEAD",
     .target = "/files/download?key=a/b",
     .operation = "download",
     .key = "a/b"},
    {.method = "GET",
     .target = "/files?prefix=a/",
     .operation = "list",
     .key = "a/"},
    {.method = "DELETE",
     .target = "/files?key=a/b",
     .operation = "delete",
     .key = "a/b"},
    {.method = "GET",
     .target = "/files/signed?key=a&sig=b",
     .operation = "signed"}};
#define OPERATIONS (sizeof operations / sizeof *operations)

/* Headers by which clients say who they are, or try to. */
static const char *const nonsense[] = {
    "Authorization:\r\n",
    "Authorization: Basic\r\n",
    "Authorization: Basic Og==\r\n",
    "Authorization: Basic !!!!\r\n",
    "Authorization: Basic YWRtaW46YWRtaW4=\r\n",
    "Authorization: basic YTpi\r\n",
    "Authorization: Bearer\r\n",
    "Authorization: Bearer \r\n",
    "Authorization: Bearer x\r\n",
    "Authorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.\r\n",
    "Authorization: Bearer ..\r\n",
    "Authorization: Bearer a.b.c.d.e\r\n",
    "Authorization: Digest username=\"a\"\r\n",
    "Authorization: \xff\xfe\r\n",
    "X-Token: \r\n",
    "X-Token: nobody-knows-this\r\n",
    "X-Api-Key: nobody-knows-this\r\n",
    "X-User-Id: admin\r\n",
    "X-Forwarded-For: 127.0.0.1\r\n",
    "X-Forwarded-User: admin\r\n",
    "Cookie: session=1\r\n",
    "Origin: null\r\n"};
#define NONSENSE (sizeof nonsense / sizeof *nonsense)

static void add_pass(const struct lab *lab, struct visit *visit) {
  if (lab->plan->header != NULL)
    visit->headers = lab->plan->header;
}

static void verdicts(struct lab *lab) {
  for (size_t i = 0; i < OPERATIONS; i++) {
    struct visit visit = operations[i];
    guest_visit(lab, &visit);
    add_pass(lab, &visit);
    guest_visit(lab, &visit);
  }
}

/* A header line with so many letters. */
static char *long_line(const char *begin, size_t len) {
  size_t at = strlen(begin);
  char *line = malloc(at + len + 3);
  if (line == NULL)
    abort();
  memcpy(line, begin, at);
  memset(line + at, 'x', len);
  memcpy(line + at + len, "\r\n", 3);
  return line;
}

static void long_headers(struct lab *lab) {
  static const char *const names[] = {"Authorization: Bearer ",
                                      "Authorization: Basic ",
                                      "X-Token: ",
                                      "Cookie: ",
                                      "User-Agent: ",
                                      "X-Forwarded-For: ",
                                      "Referer: ",
                                      "Origin: "};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    struct visit visit = operations[i % OPERATIONS];
    char *line = long_line(names[i], LONG);
    visit.headers = line;
    guest_visit(lab, &visit);
    free(line);
  }
}

static void many_headers(struct lab *lab) {
  char text[HEAD_FIELDS_MAX * 32] = "";
  size_t len = 0;
  for (int i = 0; i < HEAD_FIELDS_MAX - 1; i++)
    len +=
        (size_t)snprintf(text + len, sizeof text - len, "X-%d: %d\r\n", i, i);
  for (size_t i = 0; i < OPERATIONS; i++) {
    struct visit visit = operations[i];
    visit.headers = text;
    guest_visit(lab, &visit);
  }
}

static void odd(struct lab *lab) {
  static const char *const targets[] = {"/",           "/files?",
                                        "/%00%ff",     "/files?key=%",
                                        "/files?&&&=", "//files/../.."};
  static const char *const peers[] = {"unix:", "::1", "2001:db8::1",
                                      "127.0.0.1", ""};
  for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
    struct visit visit = operations[2];
    visit.target = targets[i];
    visit.peer = peers[i % 5];
    visit.old = i % 2 == 1;
    guest_visit(lab, &visit);
  }
  for (size_t i = 0; i < NONSENSE; i++) {
    struct visit visit = operations[i % OPERATIONS];
    visit.headers = nonsense[i];
    guest_visit(lab, &visit);
  }
}

static void keys(struct lab *lab) {
  static const char *const texts[] = {"",
                                      "a",
                                      "/",
                                      "a/",
                                      "//",
                                      "%2e%2e/a",
                                      "a b+c",
                                      "ключ/😀",
                                      "cafe\xcc\x81",
                                      "caf\xc3\xa9",
                                      "{user}/a",
                                      "%",
                                      "*",
                                      "-",
                                      "a\\b",
                                      "\xef\xbb\xbf"};
  char longest[KEY_MAX + 1];
  if (lab->hook->on_key == NULL && lab->hook->on_change == NULL)
    lab_skip(lab, "it isn't asked about keys");
  memset(longest, 'k', KEY_MAX);
  longest[KEY_MAX] = '\0';
  for (size_t i = 0; i <= sizeof texts / sizeof *texts; i++)
    for (size_t k = 0; k < OPERATIONS; k++) {
      struct visit visit = operations[k];
      visit.key = i < sizeof texts / sizeof *texts ? texts[i] : longest;
      add_pass(lab, &visit);
      guest_visit(lab, &visit);
    }
}

/* ---- guards ------------------------------------------------------------- */

static void need_guards(struct lab *lab) {
  if (!lab->hook->guards)
    lab_skip(lab, "it doesn't guard");
}

static void nobody(struct lab *lab) {
  need_guards(lab);
  for (size_t i = 0; i < OPERATIONS - 1; i++) /* all but signed links */
    lab_need(lab, !guest_visit(lab, &operations[i]),
             "%s %s: allowed to somebody without credentials",
             operations[i].method, operations[i].target);
}

static void liars(struct lab *lab) {
  need_guards(lab);
  for (size_t i = 0; i < NONSENSE * (OPERATIONS - 1); i++) {
    struct visit visit = operations[i % (OPERATIONS - 1)];
    visit.headers = nonsense[i / (OPERATIONS - 1)];
    lab_need(lab, !guest_visit(lab, &visit),
             "%s %s: allowed to somebody with %.*s", visit.method,
             visit.target, (int)strcspn(visit.headers, "\r"), visit.headers);
  }
}

static void known(struct lab *lab) {
  need_guards(lab);
  if (lab->plan->header == NULL)
    lab_skip(lab, "no --header says who would be allowed");
  bool any = false;
  for (size_t i = 0; i < OPERATIONS - 1; i++) {
    struct visit visit = operations[i];
    visit.key = NULL; /* whose keys are whose isn't known here */
    add_pass(lab, &visit);
    any = guest_visit(lab, &visit) || any;
  }
  lab_need(lab, any, "no operation is allowed with the --header");
}

/* ---- log ---------------------------------------------------------------- */

static void never_asked(struct lab *lab) {
  static const struct visit visits[] = {
      {.method = "GET", .target = "/healthz"},
      {.method = "BREW", .target = "/pot", .peer = "unix:", .old = true},
      {.method = "GET", .target = "/files", .refused = true}};
  if (lab->hook->on_log == NULL && lab->hook->on_response == NULL)
    lab_skip(lab, "it doesn't hear of answers");
  for (size_t i = 0; i < 3; i++)
    guest_visit(lab, &visits[i]);
}

/* Also of one whose answer comes after the client has left. */
static void gone(struct lab *lab) {
  bool waited = false;
  for (size_t i = 0; i < OPERATIONS * 3; i++) {
    struct visit visit = operations[i % OPERATIONS];
    visit.gone = true;
    if (i >= OPERATIONS && i < OPERATIONS * 2)
      add_pass(lab, &visit);
    else if (i >= OPERATIONS)
      visit.headers = "Authorization: Basic YTpi\r\n";
    struct guest *guest = guest_new(lab, &visit);
    guest_begin(guest);
    guest_finish(guest);
    waited = waited || guest->waited;
    guest_free(guest);
  }
  if (!waited)
    lab_skip(lab, "it doesn't wait");
}

/* ---- many, reload ------------------------------------------------------- */

static void many(struct lab *lab) {
  struct guest *guests[MANY];
  struct visit visits[MANY];
  for (size_t i = 0; i < MANY; i++) {
    visits[i] = operations[i % OPERATIONS];
    if (i % 3 == 1)
      visits[i].headers = nonsense[i % NONSENSE];
    else if (i % 3 == 2)
      add_pass(lab, &visits[i]);
    guests[i] = guest_new(lab, &visits[i]);
    guest_begin(guests[i]);
  }
  for (size_t i = 0; i < MANY; i++)
    guest_finish(guests[MANY - 1 - i]);
  for (size_t i = 0; i < MANY; i++)
    guest_free(guests[i]);
}

static void reload(struct lab *lab) {
  lab_enter(lab, "reload");
  lab->hook->reload(lab->ask.handle);
  lab_leave(lab);
}

static void reloads(struct lab *lab) {
  bool before[OPERATIONS];
  if (lab->hook->reload == NULL)
    lab_skip(lab, "it has nothing to reload");
  for (size_t i = 0; i < OPERATIONS; i++)
    before[i] = guest_visit(lab, &operations[i]);
  for (size_t i = 0; i < 20; i++) {
    struct guest *guest = guest_new(lab, &operations[i % OPERATIONS]);
    guest_begin(guest); /* also while it is asked */
    reload(lab);
    guest_finish(guest);
    guest_free(guest);
  }
  lab_idle(lab, 20);
  for (size_t i = 0; i < OPERATIONS; i++)
    lab_need(lab, before[i] || !guest_visit(lab, &operations[i]),
             "%s %s: admitted after a reload, and not before",
             operations[i].method, operations[i].target);
}

#define VERDICT "Each may be NULL.  All run in the order of the configuration."
#define GUARDS "its ALLOW admits; what no such hook allows is denied"
#define LOG                                                                 \
  "Comes for every request, also for one that no hook was asked about, or " \
  "while a hook still waits."

const struct check hook_checks[] = {
    {"verdict: every request gets one", VERDICT, verdicts, false},
    {"verdict: also one with long headers", VERDICT, long_headers, false},
    {"verdict: also one with many headers", VERDICT, many_headers, false},
    {"verdict: also odd ones", VERDICT, odd, false},
    {"verdict: of any key", "The key (or the prefix of a list) is known", keys,
     false},
    {"verdict: of many requests at once", VERDICT, many, false},
    {"guards: nobody without credentials is allowed", GUARDS, nobody, false},
    {"guards: nobody with nonsense for credentials is allowed", GUARDS, liars,
     false},
    {"guards: who has credentials is allowed", GUARDS, known, false},
    {"log: also of a request that was never asked about", LOG, never_asked,
     false},
    {"log: also of one whose client left while it waited", LOG, gone, false},
    {"reload: at any time, and what is refused stays so",
     "SIGHUP: open files again, read them again.", reloads, false},
    {NULL, NULL, NULL, false}};
