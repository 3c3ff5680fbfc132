/* SPDX-License-Identifier: MIT
 *
 * The gateway's own phases (core/gate/request.c) around a hook that is called
 * through functions which look at what it says.
 */
#include "guest.h"

#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "buf.h"
#include "codec.h"

/* ---- what the hook says ------------------------------------------------- */

static enum sluice_verdict note(struct guest *guest,
                                enum sluice_verdict verdict) {
  lab_leave(guest->lab);
  guest->asked++;
  guest->verdict = verdict;
  guest->waited = guest->waited || verdict == SLUICE_WAIT;
  lab_need(guest->lab, (unsigned)verdict <= SLUICE_WAIT,
           "%s: its verdict is %d, which is none", guest->what, (int)verdict);
  return verdict;
}

static enum sluice_verdict on_request(void *arg,
                                      struct sluice_request *request) {
  struct guest *guest = arg;
  lab_enter(guest->lab, "on_request");
  return note(guest,
              guest->lab->hook->on_request(guest->lab->ask.handle, request));
}

static enum sluice_verdict on_key(void *arg, struct sluice_request *request) {
  struct guest *guest = arg;
  lab_enter(guest->lab, "on_key");
  return note(guest,
              guest->lab->hook->on_key(guest->lab->ask.handle, request));
}

static enum sluice_verdict on_change(void *arg, struct sluice_request *request,
                                     const struct sluice_object *object) {
  struct guest *guest = arg;
  lab_enter(guest->lab, "on_change");
  return note(guest, guest->lab->hook->on_change(guest->lab->ask.handle,
                                                 request, object));
}

static void on_response(void *arg, struct sluice_request *request) {
  struct guest *guest = arg;
  lab_enter(guest->lab, "on_response");
  guest->lab->hook->on_response(guest->lab->ask.handle, request);
  lab_leave(guest->lab);
}

static void on_log(void *arg, struct sluice_request *request,
                   const struct sluice_record *record) {
  struct guest *guest = arg;
  lab_enter(guest->lab, "on_log");
  guest->lab->hook->on_log(guest->lab->ask.handle, request, record);
  lab_leave(guest->lab);
}

static void set_hook(struct guest *guest) {
  const struct sluice_hook *hook = guest->lab->hook;
  guest->plugin = *hook;
  guest->plugin.on_request = hook->on_request ? on_request : NULL;
  guest->plugin.on_key = hook->on_key ? on_key : NULL;
  guest->plugin.on_change = hook->on_change ? on_change : NULL;
  guest->plugin.on_response = hook->on_response ? on_response : NULL;
  guest->plugin.on_log = hook->on_log ? on_log : NULL;
  guest->hook = (struct request_hook){
      .plugin = &guest->plugin, .handle = guest, .host = guest->lab->ask.host};
  guest->request.hooks = &guest->hook;
  guest->request.chain = guest->chain;
  guest->request.chain_count = 1;
}

/* ---- life --------------------------------------------------------------- */

static void read_head(struct guest *guest) {
  const struct visit *visit = guest->visit;
  struct head_refusal refusal = {0};
  struct buf text;
  buf_init(&text, 65536);
  buf_addf(&text, "%s %s HTTP/1.%d\r\n%s%s\r\n", visit->method, visit->target,
           visit->old ? 0 : 1, visit->old ? "" : "Host: files.example.org\r\n",
           visit->headers == NULL ? "" : visit->headers);
  size_t len = text.len;
  char *taken = buf_take(&text);
  buf_fini(&text);
  if (taken == NULL || !head_parse(&guest->head, taken, len, &refusal))
    lab_fail(guest->lab, "%s: no head: %s", guest->what,
             refusal.what == NULL ? "too long" : refusal.what);
}

struct guest *guest_new(struct lab *lab, const struct visit *visit) {
  struct guest *guest = calloc(1, sizeof *guest);
  if (guest == NULL)
    abort();
  guest->lab = lab;
  guest->visit = visit;
  TAILQ_INIT(&guest->answer);
  snprintf(guest->what, sizeof guest->what, "%.16s %.100s%s",
           visit->refused ? "a head that was refused" : visit->method,
           visit->refused ? "" : visit->target,
           visit->headers == NULL ? "" : ", with headers");
  if (!visit->refused)
    read_head(guest);
  request_init(&guest->request, lab->loop, &guest->head,
               visit->peer == NULL ? "192.0.2.1" : visit->peer);
  guest->request.operation = visit->operation;
  guest->request.is_signed =
      visit->operation != NULL && strcmp(visit->operation, "signed") == 0;
  set_hook(guest);
  return guest;
}

static void then(void *arg, bool admitted) {
  struct guest *guest = arg;
  lab_need(guest->lab, !guest->over, "%s: two answers came", guest->what);
  guest->over = true;
  guest->admitted = admitted;
}

static void wait_for(struct guest *guest) {
  if (!lab_until(guest->lab, &guest->over))
    lab_fail(guest->lab, "%s: it waits, and no answer came within %lld ms",
             guest->what, (long long)guest->lab->plan->patience_ms);
}

void guest_begin(struct guest *guest) {
  guest->over = guest->visit->operation == NULL;
  if (!guest->over)
    request_admit(&guest->request, REQUEST_ON_REQUEST, then, guest);
}

/* ---- the phases after the first ----------------------------------------- */

static bool is(const struct guest *guest, const char *operation) {
  return strcmp(guest->visit->operation, operation) == 0;
}

static void tell_change(struct guest *guest) {
  static const struct sluice_pair user[] = {
      {"original-filename", "Отчёт.pdf"},
      {"md5", "d41d8cd98f00b204e9800998ecf8427e"},
      {"uploaded-by", "alice"},
      {NULL, NULL}};
  struct sluice_object object = {.key = guest->request.key};
  if (is(guest, "upload"))
    object = (struct sluice_object){.key = guest->request.key,
                                    .type = "application/pdf",
                                    .length = 0,
                                    .md5 = user[1].value,
                                    .user = user,
                                    .exclusive = true};
  guest->over = false;
  request_change(&guest->request, &object, then, guest);
  wait_for(guest);
}

static void ask_key(struct guest *guest) {
  guest->request.key = guest->visit->key;
  guest->over = false;
  request_admit(&guest->request, REQUEST_ON_KEY, then, guest);
  wait_for(guest);
  if (guest->admitted && (is(guest, "upload") || is(guest, "delete")))
    tell_change(guest);
}

static void check_refusal(struct guest *guest) {
  const char *at = guest->request.message;
  for (; *at != '\0'; at++)
    lab_need(guest->lab, (unsigned char)*at >= ' ' && *at != 127,
             "%s: the message for the client has a control character",
             guest->what);
  lab_need(guest->lab, guest->request.refusal < SLUICE_ECANCELED,
           "%s: refused with a status that is none, %d", guest->what,
           (int)guest->request.refusal);
}

static int status_of(const struct guest *guest) {
  if (guest->visit->refused)
    return 400;
  if (guest->visit->operation == NULL)
    return 404;
  return guest->admitted ? 200 : 401;
}

void guest_finish(struct guest *guest) {
  struct sluice_record record = {.size = sizeof record,
                                 .bytes_in = 1,
                                 .bytes_out = UINT64_MAX / 2,
                                 .usec = 12};
  if (!guest->visit->gone || guest->request.turn != REQUEST_WAITING)
    wait_for(guest);
  if (guest->over && guest->admitted && guest->visit->key != NULL &&
      guest->visit->operation != NULL)
    ask_key(guest);
  if (guest->over && !guest->admitted)
    check_refusal(guest);
  record.status = guest->over ? status_of(guest) : 499;
  record.code = record.status == 200   ? NULL
                : record.status == 499 ? "client_gone"
                                       : "unauthorized";
  guest->request.status = record.status;
  if (guest->over)
    request_response(&guest->request, &guest->answer);
  request_log(&guest->request, &record);
}

/* As long as the hook waits, the request is there. */
void guest_free(struct guest *guest) {
  request_abandon(&guest->request);
  if (guest->request.turn == REQUEST_WAITING ||
      guest->request.turn == REQUEST_RESUMING) {
    guest->over = false;
    wait_for(guest);
  }
  request_fini(&guest->request);
  head_fini(&guest->head);
  evhttp_clear_headers(&guest->answer);
  free(guest);
}

bool guest_visit(struct lab *lab, const struct visit *visit) {
  struct guest *guest = guest_new(lab, visit);
  guest_begin(guest);
  guest_finish(guest);
  bool admitted = guest->admitted;
  guest_free(guest);
  return admitted;
}
