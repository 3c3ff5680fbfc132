/* SPDX-License-Identifier: MIT
 *
 * One list of the storage tells all revocations.  A loop reads them once for
 * all of its requests that wait; as long as what is known is young enough, one
 * loop of the process reads for all.
 */
#include "revocations.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>

#include "budget.h"
#include "clock.h"
#include "gate.h"
#include "log.h"

#define PAGE 1000
#define READ_MAX (2 * MARKS_MAX) /* of one reading */
#define DEADLINE_MS 4000         /* of a page */
#define PAUSE_MS 200 /* after a reading that failed, before the next */

struct reader { /* of one backend */
  struct gate *gate;
  struct op_backend *backend;
  struct marks *marks;
  struct sluice_op *op; /* reads */
  struct revocations_waiter *waiters;
  uint64_t begun, began_us; /* of the reading that is under way */
  uint64_t failed_ms;       /* 0: the last one didn't */
  enum sluice_status failure;
  struct mark *read;
  size_t count, room;
  bool full;
  struct event deadline;
};

struct revocations {
  size_t count;
  struct reader of[];
};

static void revocations_begin(struct reader *reader);

/* ---- those that wait ---------------------------------------------------- */

/* A waiter may ask again when it is told. */
static void revocations_tell(struct reader *reader, enum sluice_status status,
                             const char *why) {
  struct revocations_waiter *waiter = reader->waiters;
  const uint64_t began_us = reader->began_us; /* who is told may begin anew */
  reader->waiters = NULL;
  while (waiter != NULL) {
    struct revocations_waiter *next = waiter->next;
    if (status == SLUICE_OK && waiter->since_us > began_us) {
      waiter->next = reader->waiters; /* it came while this was read */
      reader->waiters = waiter;
    } else {
      waiter->next = NULL;
      waiter->told(waiter->arg, status, why);
    }
    waiter = next;
  }
  if (reader->waiters != NULL && reader->op == NULL)
    revocations_begin(reader);
}

/* ---- reading ------------------------------------------------------------ */

static int by_name(const void *a, const void *b) {
  const struct mark *one = a, *other = b;
  int order = memcmp(one->name, other->name, MARKS_NAME_LEN);
  if (order != 0)
    return order;
  return (one->number < other->number) - (one->number > other->number);
}

/* Leaves the greatest number of each name: the others are superseded, and
 * will be swept. */
static void dedupe(struct reader *reader) {
  size_t kept = 0;
  if (reader->count > 0)
    qsort(reader->read, reader->count, sizeof *reader->read, by_name);
  for (size_t i = 0; i < reader->count; i++)
    if (kept == 0 || memcmp(reader->read[kept - 1].name, reader->read[i].name,
                            MARKS_NAME_LEN) != 0)
      reader->read[kept++] = reader->read[i];
  reader->count = kept;
}

/* Where half of them were others' duplicates, there is room as it is. */
static bool revocations_make_room(struct reader *reader) {
  dedupe(reader);
  if (2 * reader->count < reader->room)
    return true;
  size_t room = reader->room == 0 ? 64 : 2 * reader->room;
  size_t more = (room - reader->room) * sizeof *reader->read;
  if (!budget_take(reader->gate->memory, more))
    return false;
  struct mark *read = realloc(reader->read, room * sizeof *read);
  if (read == NULL) {
    budget_give(reader->gate->memory, more);
    return false;
  }
  reader->read = read;
  reader->room = room;
  return true;
}

static bool revocations_add(struct reader *reader,
                            const struct linkmark *mark) {
  if (reader->count == reader->room && !revocations_make_room(reader))
    return false;
  struct mark *read = &reader->read[reader->count++];
  memcpy(read->name, mark->mark, MARKS_NAME_LEN);
  read->number = mark->number;
  return true;
}

static void revocations_take_page(struct reader *reader) {
  struct linkmark mark;
  for (size_t i = 0; i < op_entries(reader->op); i++)
    if (op_entry(reader->op, i).meta != NULL &&
        linkmark_parse(&mark, op_entry(reader->op, i).key) &&
        mark.number > 0 && !revocations_add(reader, &mark))
      reader->full = true;
}

static void revocations_finish(struct reader *reader,
                               enum sluice_status status, const char *why) {
  if (status == SLUICE_OK &&
      (reader->full || !marks_read(reader->marks, reader->read, reader->count,
                                   reader->begun, reader->began_us / 1000))) {
    status = SLUICE_ENOMEM;
    why = "there are too many of them, or there is too little of "
          "limits.memory; raise it";
  }
  budget_give(reader->gate->memory, reader->room * sizeof *reader->read);
  free(reader->read);
  reader->read = NULL;
  reader->room = 0;
  gate_release(reader->gate);
  event_del(&reader->deadline);
  reader->failed_ms = status == SLUICE_OK ? 0 : clock_ms();
  reader->failure = status;
  if (status != SLUICE_OK)
    repeat_line(&reader->backend->repeats, reader->gate->loop,
                SLUICE_LOG_ERROR, reader->backend->host.name, "revocations",
                "the links that were taken back can't be read: %s",
                why == NULL ? "no reason given" : why);
  revocations_tell(reader, status, why);
}

static void on_page(void *arg, enum sluice_status status, const char *why);

/* It fails for all who wait, before the first of them has waited too long. */
static void set_deadline(struct reader *reader) {
  int64_t ms = reader->gate->settings->limits.backend_timeout_ms / 4 * 3;
  if (ms > DEADLINE_MS)
    ms = DEADLINE_MS;
  const struct timeval time = {.tv_sec = (time_t)(ms / 1000),
                               .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
  event_add(&reader->deadline, &time);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg) {
  struct reader *reader = arg;
  (void)fd, (void)what;
  op_leave(reader->op, NULL, NULL);
  reader->op = NULL;
  revocations_finish(reader, SLUICE_ETIMEOUT,
                     "the storage neither lists them nor fails");
}

static void on_reader_alive(void *arg) {
  set_deadline(arg);
}

static void read_page(struct reader *reader, const char *token) {
  static const struct op_events events = {.alive = on_reader_alive,
                                          .done = on_page};
  set_deadline(reader);
  reader->op =
      op_list(reader->backend,
              &(struct sluice_list){
                  .prefix = LINKMARK_FOLDER, .token = token, .max = PAGE},
              &events, reader);
}

static void on_page(void *arg, enum sluice_status status, const char *why) {
  struct reader *reader = arg;
  if (status == SLUICE_OK)
    revocations_take_page(reader);
  const char *token = status == SLUICE_OK ? op_token(reader->op) : NULL;
  char *copy = token == NULL ? NULL : strdup(token);
  reader->op = NULL;
  if (copy != NULL && reader->count > READ_MAX) {
    dedupe(reader);
    if (reader->count > READ_MAX)
      reader->full = true; /* nobody is told of a part as if it were all */
  }
  if (copy != NULL && !reader->full)
    read_page(reader, copy);
  else
    revocations_finish(reader, status, why);
  free(copy);
}

static void revocations_begin(struct reader *reader) {
  gate_hold(reader->gate);
  reader->begun = marks_begin(reader->marks);
  reader->began_us = clock_us();
  reader->count = 0;
  reader->full = false;
  read_page(reader, NULL);
}

/* ---- for endpoints ------------------------------------------------------ */

bool revocations_known(struct revocations *all, size_t backend,
                       uint64_t age_ms) {
  struct reader *reader = &all->of[backend];
  uint64_t now = clock_ms(), read = marks_read_ms(reader->marks);
  bool known = read > 0 && now - read <= age_ms && age_ms > 0;
  if (known && now - read >= REVOCATIONS_REFRESH_MS && reader->op == NULL &&
      !reader->gate->draining &&
      marks_claim(reader->marks, now, REVOCATIONS_REFRESH_MS))
    revocations_begin(reader);
  return known;
}

void revocations_ask(struct revocations *all, size_t backend, uint64_t age_ms,
                     struct revocations_waiter *waiter) {
  struct reader *reader = &all->of[backend];
  if (revocations_known(all, backend, age_ms)) {
    waiter->told(waiter->arg, SLUICE_OK, NULL);
    return;
  }
  uint64_t now = clock_ms();
  if (reader->failed_ms > 0 && now - reader->failed_ms < PAUSE_MS &&
      reader->op == NULL) {
    waiter->told(waiter->arg, reader->failure, NULL);
    return;
  }
  uint64_t now_us = clock_us(), age_us = age_ms * 1000;
  waiter->since_us = now_us > age_us ? now_us - age_us : 0;
  waiter->next = reader->waiters;
  reader->waiters = waiter;
  if (reader->op == NULL)
    revocations_begin(reader);
}

void revocations_leave(struct revocations *all, size_t backend,
                       struct revocations_waiter *waiter) {
  struct revocations_waiter **at = &all->of[backend].waiters;
  for (; *at != NULL; at = &(*at)->next)
    if (*at == waiter) {
      *at = waiter->next;
      return;
    }
}

struct asked {
  struct marks *marks;
  uint64_t number;
};

static bool is_raised(void *arg, const unsigned char *mark) {
  const struct asked *asked = arg;
  return marks_find(asked->marks, mark) > asked->number;
}

bool revocations_hold(struct revocations *all, size_t backend,
                      const struct ownlink *link) {
  struct asked asked = {all->of[backend].marks, link->number};
  return marks_count(asked.marks) > 0 && linkmark_any(link, is_raised, &asked);
}

uint64_t revocations_number(struct revocations *all, size_t backend) {
  return marks_top(all->of[backend].marks);
}

struct revocations *revocations_new(struct gate *gate) {
  size_t count = gate->settings->backend_count;
  struct revocations *all = calloc(1, sizeof *all + count * sizeof all->of[0]);
  if (all == NULL)
    return NULL;
  all->count = count;
  for (size_t i = 0; i < count; i++) {
    all->of[i].gate = gate;
    all->of[i].backend = gate->backends[i];
    all->of[i].marks = gate->marks[i];
    event_assign(&all->of[i].deadline, loop_base(gate->loop), -1, 0,
                 on_deadline, &all->of[i]);
  }
  return all;
}

void revocations_free(struct revocations *all) {
  for (size_t i = 0; all != NULL && i < all->count; i++)
    free(all->of[i].read);
  free(all);
}
