/* SPDX-License-Identifier: MIT
 *
 * Checks of a hook's phases.
 */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request_driver.h"

#define MANY 60
#define LONG 15000

/* One of each operation; the key is in the target and known to on_key. */
static const struct client_request operations[] = {
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

static void add_pass(const struct fixture *fixture,
                     struct client_request *sent) {
  if (fixture->plan->header != NULL)
    sent->headers = fixture->plan->header;
}

static void verdicts(struct fixture *fixture) {
  for (size_t i = 0; i < OPERATIONS; i++) {
    struct client_request sent = operations[i];
    request_driver_run(fixture, &sent);
    add_pass(fixture, &sent);
    request_driver_run(fixture, &sent);
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

static void long_headers(struct fixture *fixture) {
  static const char *const names[] = {"Authorization: Bearer ",
                                      "Authorization: Basic ",
                                      "X-Token: ",
                                      "Cookie: ",
                                      "User-Agent: ",
                                      "X-Forwarded-For: ",
                                      "Referer: ",
                                      "Origin: "};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    struct client_request sent = operations[i % OPERATIONS];
    char *line = long_line(names[i], LONG);
    sent.headers = line;
    request_driver_run(fixture, &sent);
    free(line);
  }
}

static void many_headers(struct fixture *fixture) {
  char text[HEAD_FIELDS_MAX * 32] = "";
  size_t len = 0;
  for (int i = 0; i < HEAD_FIELDS_MAX - 1; i++)
    len +=
        (size_t)snprintf(text + len, sizeof text - len, "X-%d: %d\r\n", i, i);
  for (size_t i = 0; i < OPERATIONS; i++) {
    struct client_request sent = operations[i];
    sent.headers = text;
    request_driver_run(fixture, &sent);
  }
}

static void odd(struct fixture *fixture) {
  static const char *const targets[] = {"/",           "/files?",
                                        "/%00%ff",     "/files?key=%",
                                        "/files?&&&=", "//files/../.."};
  static const char *const peers[] = {"unix:", "::1", "2001:db8::1",
                                      "127.0.0.1", ""};
  for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
    struct client_request sent = operations[2];
    sent.target = targets[i];
    sent.peer = peers[i % 5];
    sent.old = i % 2 == 1;
    request_driver_run(fixture, &sent);
  }
  for (size_t i = 0; i < NONSENSE; i++) {
    struct client_request sent = operations[i % OPERATIONS];
    sent.headers = nonsense[i];
    request_driver_run(fixture, &sent);
  }
}

static void keys(struct fixture *fixture) {
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
  if (fixture->hook->on_key == NULL && fixture->hook->on_change == NULL)
    fixture_skip(fixture, "it isn't asked about keys");
  memset(longest, 'k', KEY_MAX);
  longest[KEY_MAX] = '\0';
  for (size_t i = 0; i <= sizeof texts / sizeof *texts; i++)
    for (size_t k = 0; k < OPERATIONS; k++) {
      struct client_request sent = operations[k];
      sent.key = i < sizeof texts / sizeof *texts ? texts[i] : longest;
      add_pass(fixture, &sent);
      request_driver_run(fixture, &sent);
    }
}

/* ---- guards ------------------------------------------------------------- */

static void need_guards(struct fixture *fixture) {
  if (!fixture->hook->guards)
    fixture_skip(fixture, "it doesn't guard");
}

static void nobody(struct fixture *fixture) {
  need_guards(fixture);
  for (size_t i = 0; i < OPERATIONS - 1; i++) /* all but signed links */
    fixture_need(fixture, !request_driver_run(fixture, &operations[i]),
                 "%s %s: allowed to somebody without credentials",
                 operations[i].method, operations[i].target);
}

static void liars(struct fixture *fixture) {
  need_guards(fixture);
  for (size_t i = 0; i < NONSENSE * (OPERATIONS - 1); i++) {
    struct client_request sent = operations[i % (OPERATIONS - 1)];
    sent.headers = nonsense[i / (OPERATIONS - 1)];
    fixture_need(fixture, !request_driver_run(fixture, &sent),
                 "%s %s: allowed to somebody with %.*s", sent.method,
                 sent.target, (int)strcspn(sent.headers, "\r"), sent.headers);
  }
}

static void hooks_known(struct fixture *fixture) {
  need_guards(fixture);
  if (fixture->plan->header == NULL)
    fixture_skip(fixture, "no --header says who would be allowed");
  bool any = false;
  for (size_t i = 0; i < OPERATIONS - 1; i++) {
    struct client_request sent = operations[i];
    sent.key = NULL; /* whose keys are whose isn't known here */
    add_pass(fixture, &sent);
    any = request_driver_run(fixture, &sent) || any;
  }
  fixture_need(fixture, any, "no operation is allowed with the --header");
}

/* ---- log ---------------------------------------------------------------- */

static void never_asked(struct fixture *fixture) {
  static const struct client_request requests[] = {
      {.method = "GET", .target = "/healthz"},
      {.method = "BREW", .target = "/pot", .peer = "unix:", .old = true},
      {.method = "GET", .target = "/files", .refused = true}};
  if (fixture->hook->on_log == NULL && fixture->hook->on_response == NULL)
    fixture_skip(fixture, "it doesn't hear of answers");
  for (size_t i = 0; i < 3; i++)
    request_driver_run(fixture, &requests[i]);
}

/* Also of one whose answer comes after the client has left. */
static void gone(struct fixture *fixture) {
  bool waited = false;
  for (size_t i = 0; i < OPERATIONS * 3; i++) {
    struct client_request sent = operations[i % OPERATIONS];
    sent.gone = true;
    if (i >= OPERATIONS && i < OPERATIONS * 2)
      add_pass(fixture, &sent);
    else if (i >= OPERATIONS)
      sent.headers = "Authorization: Basic YTpi\r\n";
    struct request_driver *driver = request_driver_new(fixture, &sent);
    request_driver_begin(driver);
    request_driver_finish(driver);
    waited = waited || driver->waited;
    request_driver_free(driver);
  }
  if (!waited)
    fixture_skip(fixture, "it doesn't wait");
}

/* ---- many, reload ------------------------------------------------------- */

static void hooks_many(struct fixture *fixture) {
  struct request_driver *drivers[MANY];
  struct client_request requests[MANY];
  for (size_t i = 0; i < MANY; i++) {
    requests[i] = operations[i % OPERATIONS];
    if (i % 3 == 1)
      requests[i].headers = nonsense[i % NONSENSE];
    else if (i % 3 == 2)
      add_pass(fixture, &requests[i]);
    drivers[i] = request_driver_new(fixture, &requests[i]);
    request_driver_begin(drivers[i]);
  }
  for (size_t i = 0; i < MANY; i++)
    request_driver_finish(drivers[MANY - 1 - i]);
  for (size_t i = 0; i < MANY; i++)
    request_driver_free(drivers[i]);
}

static void hooks_reload(struct fixture *fixture) {
  fixture_enter(fixture, "reload");
  fixture->hook->reload(fixture->hook_handle.handle);
  fixture_leave(fixture);
}

static void reloads(struct fixture *fixture) {
  bool before[OPERATIONS];
  if (fixture->hook->reload == NULL)
    fixture_skip(fixture, "it has nothing to reload");
  for (size_t i = 0; i < OPERATIONS; i++)
    before[i] = request_driver_run(fixture, &operations[i]);
  for (size_t i = 0; i < 20; i++) {
    struct request_driver *driver =
        request_driver_new(fixture, &operations[i % OPERATIONS]);
    request_driver_begin(driver); /* also while it is asked */
    hooks_reload(fixture);
    request_driver_finish(driver);
    request_driver_free(driver);
  }
  fixture_idle(fixture, 20);
  for (size_t i = 0; i < OPERATIONS; i++)
    fixture_need(fixture,
                 before[i] || !request_driver_run(fixture, &operations[i]),
                 "%s %s: admitted after a reload, and not before",
                 operations[i].method, operations[i].target);
}

#define VERDICT "Each may be NULL.  All run in the order of the configuration."
#define GUARDS "its ALLOW admits; what no such hook allows is denied"
#define LOG                                                                 \
  "Comes for every request, also for one that no hook was asked about, or " \
  "while a hook still waits."

const struct check hook_checks[] = {
    {"verdict: every request gets one", VERDICT, verdicts, CHECK_USUAL},
    {"verdict: also one with long headers", VERDICT, long_headers,
     CHECK_USUAL},
    {"verdict: also one with many headers", VERDICT, many_headers,
     CHECK_USUAL},
    {"verdict: also odd ones", VERDICT, odd, CHECK_USUAL},
    {"verdict: of any key", "The key (or the prefix of a list) is known", keys,
     CHECK_USUAL},
    {"verdict: of many requests at once", VERDICT, hooks_many, CHECK_USUAL},
    {"guards: nobody without credentials is allowed", GUARDS, nobody,
     CHECK_USUAL},
    {"guards: nobody with nonsense for credentials is allowed", GUARDS, liars,
     CHECK_USUAL},
    {"guards: somebody with credentials is allowed", GUARDS, hooks_known,
     CHECK_USUAL},
    {"log: also of a request that was never asked about", LOG, never_asked,
     CHECK_USUAL},
    {"log: also of one whose client left while it waited", LOG, gone,
     CHECK_USUAL},
    {"reload: comes at any time, and admits nobody new",
     "SIGHUP: open files again, read them again.", reloads, CHECK_USUAL},
    {0}};
