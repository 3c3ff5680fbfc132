/* SPDX-License-Identifier: MIT
 *
 * Objects by their names: put, read, removed and copied, under conditions.
 * Some keys are everybody's, one is the actor's own.
 */
#include "acts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "schedule.h"

#define SHARED 4 /* keys */
#define STALE 40 /* of a hundred ETags are any that there was */
#define CANDIDATES 16
#define SETTLE_TRIES 200

static struct { unsigned long requests, statuses[6]; } acts;

unsigned long acts_requests(void) {
  return acts.requests;
}

unsigned long acts_statuses(int hundred) {
  return acts.statuses[hundred];
}

void act_ask(struct actor *actor, const struct request *request,
             struct answer *answer) {
  client_ask(&actor->client, request, answer);
  acts.requests++;
  acts.statuses[answer->status / 100]++;
}

char *act_bytes(unsigned value) {
  char *bytes = malloc(value_len(value));
  if (bytes == NULL)
    abort();
  value_fill(value, bytes);
  return bytes;
}

static struct record *own_key(const struct actor *actor) {
  char key[40];
  if (actor->doubts == 0)
    snprintf(key, sizeof key, "s/own%u", actor->number);
  else
    snprintf(key, sizeof key, "s/own%u-%u", actor->number, actor->doubts);
  return history_record(key);
}

static struct record *any_key(const struct actor *actor) {
  char key[16];
  uint64_t chosen = chance_below(SHARED + 1);
  if (chosen == SHARED)
    return own_key(actor);
  snprintf(key, sizeof key, "s/k%u", (unsigned)chosen);
  return history_record(key);
}

static void aim(struct request *request, const char *method,
                const struct record *record) {
  *request = (struct request){.method = method};
  snprintf(request->target, sizeof request->target, "/files/object?key=%s",
           history_key(record));
}

/* ---- judging ------------------------------------------------------------ */

/* Had it that, or had it not, in the time that a request took? */
static void expect(const struct record *record, unsigned value, bool held,
                   uint64_t since, const struct write *but, int status) {
  bool could = held ? history_could(record, value, since, but)
                    : history_could_not(record, value, since, but);
  if (!could)
    trace_found("%s: %d, though it %s value %u", history_key(record), status,
                held ? "can't have held" : "must have held", value);
}

/* A write that was answered, or wasn't. */
static void settle(struct write *write, const struct answer *answer) {
  if (answer->status / 100 == 2)
    history_done(write);
  else if (answer->status / 100 == 4 || !answer->sent)
    history_not_done(write);
}

/* ---- reading ------------------------------------------------------------ */

static void check_part(const struct answer *answer, unsigned value) {
  const char *range;
  char *at = NULL;
  unsigned long first = 0, last = 0, all = 0;
  if (client_field(answer, "Content-Range", &range) > strlen("bytes ")) {
    first = strtoul(range + strlen("bytes "), &at, 10);
    last = *at == '-' ? strtoul(at + 1, &at, 10) : 0;
    all = *at == '/' ? strtoul(at + 1, NULL, 10) : 0;
  }
  if (all != value_len(value) || last - first + 1 != answer->len)
    trace_found("a part without its place");
  char *bytes = act_bytes(value);
  if (memcmp(bytes + first, answer->body, answer->len) != 0)
    trace_found("a part of value %u has other bytes", value);
  free(bytes);
}

/* The value that a 2xx shows, by its ETag and its bytes. */
static unsigned seen(const struct request *request,
                     const struct answer *answer, const char *where) {
  const char *etag;
  size_t len = client_field(answer, "ETag", &etag);
  unsigned value = len > 2 ? value_of_etag(etag + 1, len - 2) : 0;
  if (value == 0)
    trace_found("%s: nobody's ETag", where);
  if (strcmp(request->method, "HEAD") == 0)
    return value;
  if (answer->status == 206)
    check_part(answer, value);
  else if (value_of(answer->body, answer->len, where) != value)
    trace_found("%s: another one's ETag", where);
  return value;
}

static bool judge_read(struct record *record, const struct request *request,
                       const struct answer *answer, uint64_t since,
                       unsigned *value) {
  *value = HISTORY_GONE;
  if (answer->status / 100 == 2)
    *value = seen(request, answer, history_key(record));
  else if (answer->status != 404)
    return false;
  history_saw(record, *value, since);
  return true;
}

static bool look(struct actor *actor, struct record *record,
                 const char *method, const char *fields, unsigned *value) {
  struct request request;
  struct answer answer;
  aim(&request, method, record);
  snprintf(request.fields, sizeof request.fields, "%s", fields);
  uint64_t since = history_clock();
  act_ask(actor, &request, &answer);
  return judge_read(record, &request, &answer, since, value);
}

static void read_one(struct actor *actor) {
  char range[64] = "";
  unsigned value;
  struct record *record = any_key(actor);
  if (chance_percent(60))
    record = history_at(chance_below(history_count()));
  bool head = chance_percent(20);
  if (!head && chance_percent(30))
    snprintf(range, sizeof range, "Range: bytes=%u-%u\r\n",
             (unsigned)chance_below(10),
             (unsigned)(10 + chance_below(400000)));
  look(actor, record, head ? "HEAD" : "GET", range, &value);
}

void act_settle(struct actor *actor, struct record *record) {
  unsigned value;
  for (int i = 0; !look(actor, record, "GET", "", &value); i++)
    if (i == SETTLE_TRIES)
      trace_found("%s can't be read", history_key(record));
}

/* ---- writing ------------------------------------------------------------ */

enum condition { NONE, CREATES, REPLACES, REPLACES_ANY, CONDITIONS };

static enum condition choose(struct actor *actor, struct record *record,
                             struct request *request, unsigned *held) {
  enum condition condition = (enum condition)chance_below(CONDITIONS);
  char *at = request->fields;
  size_t room = sizeof request->fields;
  if (condition == REPLACES &&
      (!look(actor, record, "HEAD", "", held) || *held == HISTORY_GONE))
    condition = NONE;
  if (condition == REPLACES && chance_percent(STALE))
    *held = value_any();
  if (condition == CREATES)
    snprintf(at, room, "If-None-Match: *\r\n");
  else if (condition == REPLACES_ANY)
    snprintf(at, room, "If-Match: *\r\n");
  else if (condition == REPLACES)
    snprintf(at, room, "If-Match: \"%s\"\r\n", value_etag(*held));
  return condition;
}

static void judge_condition(struct record *record, enum condition condition,
                            unsigned held, uint64_t since,
                            const struct write *write, int status) {
  bool met = status / 100 == 2;
  if (!met && status != 412)
    return;
  switch (condition) {
  case CREATES:
    expect(record, HISTORY_GONE, met, since, write, status);
    break;
  case REPLACES:
    expect(record, held, met, since, write, status);
    break;
  case REPLACES_ANY:
    expect(record, HISTORY_GONE, !met, since, write, status);
    break;
  case NONE:
  case CONDITIONS:
    if (!met)
      trace_found("%s: 412 without a condition", history_key(record));
  }
}

static void put_one(struct actor *actor) {
  struct request request;
  struct answer answer;
  struct record *record = any_key(actor);
  unsigned held = HISTORY_GONE, value = value_new();
  aim(&request, "PUT", record);
  enum condition condition = choose(actor, record, &request, &held);
  char *bytes = act_bytes(value);
  request.body = bytes;
  request.len = value_len(value);
  request.chunked = chance_percent(30);
  struct write *write = history_write(record, value);
  uint64_t since = history_clock();
  act_ask(actor, &request, &answer);
  free(bytes);
  settle(write, &answer);
  judge_condition(record, condition, held, since, write, answer.status);
  if (answer.status == 201)
    expect(record, HISTORY_GONE, true, since, write, answer.status);
  else if (answer.status == 200)
    expect(record, HISTORY_GONE, false, since, write, answer.status);
}

static void remove_one(struct actor *actor) {
  struct request request;
  struct answer answer;
  struct record *record = any_key(actor);
  unsigned held = HISTORY_GONE;
  aim(&request, "DELETE", record);
  enum condition condition =
      chance_percent(40) ? choose(actor, record, &request, &held) : NONE;
  if (condition == CREATES) { /* it would remove what isn't there */
    condition = NONE;
    request.fields[0] = '\0';
  }
  struct write *write = history_write(record, HISTORY_GONE);
  uint64_t since = history_clock();
  act_ask(actor, &request, &answer);
  settle(write, &answer);
  judge_condition(record, condition, held, since, write, answer.status);
}

/* Of the actor's own key, which nobody else changes: so what is copied is one
 * of the values that it could have when this begins.  A copy in doubt may read
 * it later, so that the actor takes another one then. */
static void copy_one(struct actor *actor) {
  struct request request = {.method = "POST",
                            .target = "/files/copy",
                            .fields = "Content-Type: application/json\r\n"};
  struct answer answer;
  char body[128];
  unsigned values[CANDIDATES];
  struct write *writes[CANDIDATES];
  struct record *from = own_key(actor), *to = any_key(actor);
  if (to == from)
    return;
  bool replace = chance_percent(60);
  size_t n = history_all(from, values, CANDIDATES);
  if (n == CANDIDATES)
    return;
  for (size_t i = 0; i < n; i++)
    writes[i] =
        values[i] == HISTORY_GONE ? NULL : history_write(to, values[i]);
  request.len = (size_t)snprintf(
      body, sizeof body, "{\"from\":\"%s\",\"to\":\"%s\",\"replace\":%s}",
      history_key(from), history_key(to), replace ? "true" : "false");
  request.body = body;
  uint64_t since = history_clock();
  act_ask(actor, &request, &answer);
  unsigned copied = 0;
  if (answer.status / 100 == 2) {
    const char *etag = memmem(answer.body, answer.len, "\"etag\":", 7);
    etag = etag == NULL ? NULL : strchr(etag + 7, '"');
    copied = etag == NULL ? 0 : value_of_etag(etag + 1, 32);
    if (copied == 0)
      trace_found("a copy has nobody's ETag: %.*s", (int)answer.len,
                  answer.body);
    history_saw(from, copied, since);
  }
  for (size_t i = 0; i < n; i++) {
    if (writes[i] == NULL)
      continue;
    if (copied == values[i])
      history_done(writes[i]);
    else if (copied != 0 || answer.status / 100 == 4 || !answer.sent)
      history_not_done(writes[i]);
  }
  if (copied == 0 && answer.status / 100 != 4 && answer.sent)
    actor->doubts++;
  if (answer.status == 404)
    expect(from, HISTORY_GONE, true, since, NULL, answer.status);
}

void act(struct actor *actor) {
  uint64_t chosen = chance_below(100);
  if (chosen < 30)
    put_one(actor);
  else if (chosen < 55)
    read_one(actor);
  else if (chosen < 65)
    remove_one(actor);
  else if (chosen < 73)
    copy_one(actor);
  else if (chosen < 83)
    act_list(actor);
  else if (chosen < 93)
    act_form(actor);
  else
    act_stage(actor);
}
