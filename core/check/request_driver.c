/* SPDX-License-Identifier: MIT
 *
 * The gateway's own phases (core/gate/request.c) around a hook that is called
 * through functions which look at what it says.
 */
#include "request_driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "buf.h"
#include "codec.h"
#include "rules.h"

/* ---- what the hook says ------------------------------------------------- */

static enum sluice_verdict request_driver_note(struct request_driver *driver,
                                               enum sluice_verdict verdict) {
  fixture_leave(driver->fixture);
  driver->asked++;
  driver->verdict = verdict;
  driver->waited = driver->waited || verdict == SLUICE_WAIT;
  fixture_need_by(driver->fixture, (unsigned)verdict <= SLUICE_WAIT,
                  RULE_VERDICT, "%s: its verdict is %d, which is none",
                  driver->what, (int)verdict);
  return verdict;
}

static enum sluice_verdict
request_driver_on_request(void *arg, struct sluice_request *request) {
  struct request_driver *driver = arg;
  fixture_enter(driver->fixture, "on_request");
  return request_driver_note(
      driver, driver->fixture->hook->on_request(
                  driver->fixture->hook_handle.handle, request));
}

static enum sluice_verdict
request_driver_on_key(void *arg, struct sluice_request *request) {
  struct request_driver *driver = arg;
  fixture_enter(driver->fixture, "on_key");
  return request_driver_note(
      driver, driver->fixture->hook->on_key(
                  driver->fixture->hook_handle.handle, request));
}

static enum sluice_verdict
request_driver_on_body(void *arg, struct sluice_request *request,
                       const struct sluice_chunk *chunk) {
  struct request_driver *driver = arg;
  fixture_enter(driver->fixture, "on_body");
  return request_driver_note(
      driver, driver->fixture->hook->on_body(
                  driver->fixture->hook_handle.handle, request, chunk));
}

static enum sluice_verdict
request_driver_on_change(void *arg, struct sluice_request *request,
                         const struct sluice_object *object) {
  struct request_driver *driver = arg;
  fixture_enter(driver->fixture, "on_change");
  return request_driver_note(
      driver, driver->fixture->hook->on_change(
                  driver->fixture->hook_handle.handle, request, object));
}

static void request_driver_on_response(void *arg,
                                       struct sluice_request *request) {
  struct request_driver *driver = arg;
  fixture_enter(driver->fixture, "on_response");
  driver->fixture->hook->on_response(driver->fixture->hook_handle.handle,
                                     request);
  fixture_leave(driver->fixture);
}

static void request_driver_on_log(void *arg, struct sluice_request *request,
                                  const struct sluice_record *record) {
  struct request_driver *driver = arg;
  fixture_enter(driver->fixture, "on_log");
  driver->fixture->hook->on_log(driver->fixture->hook_handle.handle, request,
                                record);
  fixture_leave(driver->fixture);
}

static void set_hook(struct request_driver *driver) {
  const struct sluice_hook *hook = driver->fixture->hook;
  driver->plugin = *hook;
  driver->plugin.on_request =
      hook->on_request ? request_driver_on_request : NULL;
  driver->plugin.on_key = hook->on_key ? request_driver_on_key : NULL;
  driver->plugin.on_body = hook->on_body ? request_driver_on_body : NULL;
  driver->plugin.on_change = hook->on_change ? request_driver_on_change : NULL;
  driver->plugin.on_response =
      hook->on_response ? request_driver_on_response : NULL;
  driver->plugin.on_log = hook->on_log ? request_driver_on_log : NULL;
  driver->hook =
      (struct request_hook){.plugin = &driver->plugin,
                            .handle = driver,
                            .host = driver->fixture->hook_handle.host};
  driver->all[0] = &driver->hook;
  driver->request.hooks = driver->all;
  driver->request.chain = driver->chain;
  driver->request.chain_count = 1;
}

/* ---- life --------------------------------------------------------------- */

static void read_head(struct request_driver *driver) {
  const struct client_request *sent = driver->sent;
  struct head_refusal refusal = {0};
  struct buf text;
  buf_init(&text, 65536);
  buf_addf(&text, "%s %s HTTP/1.%d\r\n%s%s\r\n", sent->method, sent->target,
           sent->old ? 0 : 1, sent->old ? "" : "Host: files.example.org\r\n",
           sent->headers == NULL ? "" : sent->headers);
  size_t len = text.len;
  char *taken = buf_take(&text);
  buf_fini(&text);
  if (taken == NULL || !head_parse(&driver->head, taken, len, &refusal))
    fixture_fail(driver->fixture, "%s: no head: %s", driver->what,
                 refusal.what == NULL ? "too long" : refusal.what);
}

struct request_driver *request_driver_new(struct fixture *fixture,
                                          const struct client_request *sent) {
  struct request_driver *driver = calloc(1, sizeof *driver);
  if (driver == NULL)
    abort();
  driver->fixture = fixture;
  driver->sent = sent;
  fields_init(&driver->answer);
  snprintf(driver->what, sizeof driver->what, "%.16s %.100s%s",
           sent->refused ? "a head that was refused" : sent->method,
           sent->refused ? "" : sent->target,
           sent->headers == NULL ? "" : ", with headers");
  if (!sent->refused)
    read_head(driver);
  request_init(&driver->request, fixture->loop, &driver->head,
               sent->peer == NULL ? "192.0.2.1" : sent->peer);
  driver->request.operation = sent->operation;
  driver->request.is_signed =
      sent->operation != NULL && strcmp(sent->operation, "signed") == 0;
  set_hook(driver);
  return driver;
}

static void then(void *arg, bool admitted) {
  struct request_driver *driver = arg;
  fixture_need_by(driver->fixture, !driver->over, RULE_RESUME,
                  "%s: two answers came", driver->what);
  driver->over = true;
  driver->admitted = admitted;
}

static void request_driver_wait_for(struct request_driver *driver) {
  if (!fixture_until(driver->fixture, &driver->over))
    fixture_fail_late(driver->fixture, RULE_RESUME,
                      "%s: it waits, and no answer came for %lld ms",
                      driver->what,
                      (long long)driver->fixture->plan->patience_ms);
}

void request_driver_begin(struct request_driver *driver) {
  driver->over = driver->sent->operation == NULL;
  if (!driver->over)
    request_admit(&driver->request, REQUEST_ON_REQUEST, then, driver);
}

/* ---- the phases after the first ----------------------------------------- */

static bool request_driver_is(const struct request_driver *driver,
                              const char *operation) {
  return strcmp(driver->sent->operation, operation) == 0;
}

static void tell_change(struct request_driver *driver) {
  static const struct sluice_pair user[] = {
      {"original-filename", "Отчёт.pdf"},
      {"md5", "d41d8cd98f00b204e9800998ecf8427e"},
      {"uploaded-by", "alice"},
      {NULL, NULL}};
  struct sluice_object object = {.key = driver->request.key};
  if (request_driver_is(driver, "upload"))
    object = (struct sluice_object){.key = driver->request.key,
                                    .type = "application/pdf",
                                    .length = 0,
                                    .md5 = user[1].value,
                                    .user = user,
                                    .exclusive = true};
  driver->over = false;
  request_change(&driver->request, &object, then, driver);
  request_driver_wait_for(driver);
}

/* A body of three chunks, the last one empty, which nobody else has. */
static void show_body(struct request_driver *driver) {
  static const char *const texts[] = {"%PDF-1.7\n", "1 0 obj\n", ""};
  for (size_t i = 0; i < 3 && driver->admitted; i++) {
    char *lent = strdup(texts[i]);
    if (lent == NULL)
      abort();
    driver->over = false;
    request_show(
        &driver->request,
        &(struct sluice_chunk){
            .data = lent, .length = strlen(lent), .fd = -1, .last = i == 2},
        then, driver);
    request_driver_wait_for(driver);
    free(lent);
  }
}

static void ask_key(struct request_driver *driver) {
  static const struct sluice_upload known = {
      .name = "b.pdf", .type = "application/pdf", .length = -1};
  struct sluice_pair user[INTENT_PAIRS] = {{"uploaded-by", "alice"}};
  if (request_driver_is(driver, "upload")) {
    intent_tell(&driver->intent, &known, user);
    driver->request.intent = &driver->intent;
    show_body(driver);
  }
  driver->request.key = driver->sent->key;
  if (!driver->admitted)
    return;
  driver->over = false;
  request_admit(&driver->request, REQUEST_ON_KEY, then, driver);
  request_driver_wait_for(driver);
  driver->request.intent = NULL;
  if (driver->admitted && (request_driver_is(driver, "upload") ||
                           request_driver_is(driver, "delete")))
    tell_change(driver);
}

static void check_refusal(struct request_driver *driver) {
  const char *at = driver->request.message;
  for (; *at != '\0'; at++)
    fixture_need_by(driver->fixture, (unsigned char)*at >= ' ' && *at != 127,
                    RULE_REFUSE,
                    "%s: the message for the client has a control character",
                    driver->what);
  fixture_need_by(driver->fixture, driver->request.refusal < SLUICE_ECANCELED,
                  RULE_REFUSE, "%s: refused with a status that is none, %d",
                  driver->what, (int)driver->request.refusal);
}

static int status_of(const struct request_driver *driver) {
  if (driver->sent->refused)
    return 400;
  if (driver->sent->operation == NULL)
    return 404;
  return driver->admitted ? 200 : 401;
}

void request_driver_finish(struct request_driver *driver) {
  struct sluice_record record = {.size = sizeof record,
                                 .bytes_in = 1,
                                 .bytes_out = UINT64_MAX / 2,
                                 .usec = 12};
  if (!driver->sent->gone || driver->request.turn != REQUEST_WAITING)
    request_driver_wait_for(driver);
  if (driver->over && driver->admitted && driver->sent->key != NULL &&
      driver->sent->operation != NULL)
    ask_key(driver);
  if (driver->over && !driver->admitted)
    check_refusal(driver);
  record.status = driver->over ? status_of(driver) : 499;
  record.code = record.status == 200   ? NULL
                : record.status == 499 ? "client_gone"
                                       : "unauthorized";
  record.ended_by = record.status == 200   ? NULL
                    : record.status == 401 ? "hook"
                                           : "client";
  driver->request.status = record.status;
  if (driver->over)
    request_response(&driver->request, &driver->answer);
  request_log(&driver->request, &record);
}

/* As long as the hook waits, the request is there. */
void request_driver_free(struct request_driver *driver) {
  request_abandon(&driver->request);
  if (driver->request.turn == REQUEST_WAITING ||
      driver->request.turn == REQUEST_RESUMING) {
    driver->over = false;
    request_driver_wait_for(driver);
  }
  request_fini(&driver->request);
  head_fini(&driver->head);
  buf_fini(&driver->answer);
  free(driver);
}

bool request_driver_run(struct fixture *fixture,
                        const struct client_request *sent) {
  struct request_driver *driver = request_driver_new(fixture, sent);
  request_driver_begin(driver);
  request_driver_finish(driver);
  bool admitted = driver->admitted;
  request_driver_free(driver);
  return admitted;
}
