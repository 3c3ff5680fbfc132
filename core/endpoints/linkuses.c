/* SPDX-License-Identifier: MIT
 *
 * One counter for each link that is being counted on this loop: it reads the
 * count, serves those that wait as far as it goes, and writes it back; when
 * another gateway, or loop, was faster, it begins anew.
 */
#include "linkuses.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "date.h"
#include "gate.h"
#include "must.h"
#include "ownobject.h"

#define TRIES_MAX 200 /* to be the faster one */
#define DOUBTS_MAX 8  /* writes that failed, before it is given up */
#define PAUSE_MS 600  /* after one: some storages take one write a second */

enum counter_step {
  COUNTER_IDLE,
  COUNTER_READS,
  COUNTER_WRITES,
  COUNTER_PAUSES /* before it reads what became of a write */
};

struct linkuses_counter {
  struct gate *gate;
  LIST_ENTRY(linkuses_counter) in_list;
  struct ownobject own;
  char text[LINKCOUNT_TEXT_SIZE];
  char key[LINKCOUNT_KEY_SIZE];
  uint32_t uses;
  unsigned tries, doubts;
  struct event pause;
  enum counter_step step;
  struct linkuses_waiter *waiters;      /* in their order */
  struct linkuses_waiter *served;       /* by what is being written */
  struct linkuses_waiter *looks, *late; /* are about to be told */
  uint32_t owed;   /* to be given back, for those that left */
  uint32_t giving; /* of those, by what is being written */
  uint32_t left;   /* of those that are being served */
  uint32_t takes;  /* of all of those, that take a use */
  struct linkuses_last last, owed_last; /* of those; of those that are owed */
  bool there;                           /* the count was kept */
  struct linkcount count;               /* as read, or as it is written */
  uint64_t nonce; /* of what was written last; 0: nothing, or it is known */
};

LIST_HEAD(counters, linkuses_counter);

struct linkuses {
  struct gate *gate;
  struct counters counters;
};

struct linkuses *linkuses_new(struct gate *gate) {
  struct linkuses *all = calloc(1, sizeof *all);
  if (all != NULL)
    all->gate = gate;
  return all;
}

void linkuses_free(struct linkuses *all) {
  while (all != NULL && !LIST_EMPTY(&all->counters)) {
    struct linkuses_counter *counter = LIST_FIRST(&all->counters);
    LIST_REMOVE(counter, in_list);
    free(counter);
  }
  free(all);
}

bool linkuses_offered(const struct op_backend *backend) {
  unsigned needed = SLUICE_CAN_CREATE | SLUICE_CAN_REPLACE;
  return (backend->abilities & needed) == needed;
}

/* ---- those that wait ---------------------------------------------------- */

static void linkuses_append(struct linkuses_waiter **list,
                            struct linkuses_waiter *waiter) {
  while (*list != NULL)
    list = &(*list)->next;
  waiter->next = NULL;
  *list = waiter;
}

static void tell_one(struct linkuses_waiter *waiter, enum sluice_status status,
                     const char *why, const struct linkcount *count) {
  waiter->next = NULL;
  waiter->counter = NULL;
  waiter->told(waiter->arg, status, why, count);
}

/* One that is told may end others that wait. */
static void tell_all(struct linkuses_waiter **list, enum sluice_status status,
                     const char *why, struct linkcount count) {
  while (*list != NULL) {
    struct linkuses_waiter *waiter = *list;
    *list = waiter->next;
    tell_one(waiter, status, why, &count);
  }
}

/* ---- a round ------------------------------------------------------------ */

static void read_count(struct linkuses_counter *counter);

static void linkuses_rest(struct linkuses_counter *counter) {
  counter->step = COUNTER_IDLE;
  if (counter->waiters != NULL || counter->owed > 0) {
    counter->tries = 0;
    counter->doubts = 0;
    read_count(counter);
    return;
  }
  LIST_REMOVE(counter, in_list);
  struct gate *gate = counter->gate;
  free(counter);
  gate_release(gate);
}

static void give_up(struct linkuses_counter *counter,
                    enum sluice_status status, const char *why) {
  struct linkuses_waiter *served = counter->served;
  counter->owed = 0; /* it is tried once */
  counter->giving = 0;
  counter->left = 0;
  counter->nonce = 0;
  counter->served = NULL;
  tell_all(&served, status, why, counter->count);
  tell_all(&counter->waiters, status, why, counter->count);
  linkuses_rest(counter);
}

/* The uses that come back by it, and those that are taken. */
struct round {
  uint32_t given, takes;
};

/* As if those uses had never been: nothing goes on with them. */
static void take_back(struct linkcount *count, struct linkuses_last last) {
  if (last.ms != 0 && count->last_ms == last.ms)
    count->last_ms = last.before_ms;
}

/* Makes the next count of the one that was read, and finds who is served by
 * it. */
static struct round sort_out(struct linkuses_counter *counter) {
  struct linkuses_waiter *waiter = counter->waiters, *next;
  struct linkcount *count = &counter->count;
  struct round round = {.given = counter->owed};
  counter->giving = counter->owed;
  if (counter->owed > 0)
    take_back(count, counter->owed_last);
  for (; waiter != NULL; waiter = waiter->next)
    if (waiter->want == LINKUSES_GIVE) {
      round.given++;
      take_back(count, waiter->last);
    }
  count->used -= round.given < count->used ? round.given : count->used;
  waiter = counter->waiters;
  counter->waiters = NULL;
  for (; waiter != NULL; waiter = next) {
    next = waiter->next;
    if (waiter->want == LINKUSES_LOOK) {
      linkuses_append(&counter->looks, waiter);
    } else if (waiter->want == LINKUSES_GIVE) {
      linkuses_append(&counter->served, waiter);
    } else if (count->used < counter->uses) {
      count->used++;
      round.takes++;
      linkuses_append(&counter->served, waiter);
    } else {
      linkuses_append(&counter->late, waiter);
    }
  }
  return round;
}

/* Those that wait again because another one was faster. */
static void put_back(struct linkuses_counter *counter) {
  struct linkuses_waiter *later = counter->waiters;
  counter->waiters = counter->served;
  counter->served = NULL;
  counter->giving = 0;
  counter->left = 0;
  while (later != NULL) {
    struct linkuses_waiter *next = later->next;
    linkuses_append(&counter->waiters, later);
    later = next;
  }
}

static void go_round(struct linkuses_counter *counter) {
  struct linkcount seen = counter->count;
  const struct round round = sort_out(counter);
  seen.last_ms = counter->count.last_ms; /* nothing goes on with what comes
                                            back */
  counter->takes = round.takes;
  counter->last.before_ms = counter->count.last_ms;
  if (round.takes > 0)
    counter->count.last_ms = date_now_ms();
  counter->last.ms = counter->count.last_ms;
  bool writes = round.takes > 0 || round.given > 0;
  enum ownobject_writing how =
      counter->there ? OWNOBJECT_AS_IS : OWNOBJECT_NEW;
  if (writes) {
    counter->step = COUNTER_WRITES;
    digest_random(&counter->nonce, sizeof counter->nonce);
    counter->count.nonce = counter->nonce;
    linkcount_print(counter->text, &counter->count);
    ownobject_write(&counter->own, counter->key, strlen(counter->text), how);
  }
  tell_all(&counter->looks, SLUICE_OK, NULL, seen);
  tell_all(&counter->late, SLUICE_EDENIED, "all uses are taken", seen);
  if (!writes)
    linkuses_rest(counter);
}

/* Its write took place. */
static void succeed(struct linkuses_counter *counter) {
  struct linkuses_waiter *served = counter->served;
  struct linkuses_last none = {0};
  bool alone = counter->takes == 1, all_left = counter->left == counter->takes;
  for (struct linkuses_waiter *it = served; it != NULL; it = it->next)
    it->last = alone ? counter->last : none;
  if (counter->left > 0)
    counter->owed_last = all_left ? counter->last : none;
  counter->served = NULL;
  counter->owed += counter->left - counter->giving;
  counter->giving = 0;
  counter->left = 0;
  counter->nonce = 0;
  tell_all(&served, SLUICE_OK, NULL, counter->count);
  linkuses_rest(counter);
}

static void linkuses_on_read(struct linkuses_counter *counter,
                             enum sluice_status status, const char *why) {
  counter->there = status == SLUICE_OK;
  counter->count = (struct linkcount){0};
  if (status != SLUICE_OK && status != SLUICE_ENOENT) {
    give_up(counter, status, why);
  } else if (counter->there &&
             !linkcount_parse(&counter->count, counter->text)) {
    give_up(counter, SLUICE_EUPSTREAM, "a count of uses was changed");
  } else if (counter->nonce != 0 && counter->count.nonce == counter->nonce) {
    succeed(counter); /* whatever the answer to its write was */
  } else {
    put_back(counter);
    go_round(counter);
  }
}

static void on_pause(evutil_socket_t fd, short what, void *arg) {
  struct linkuses_counter *counter = arg;
  (void)fd, (void)what;
  loop_release(counter->own.backend->host.loop);
  read_count(counter);
}

static void pause_then_read(struct linkuses_counter *counter) {
  static const struct timeval pause = {.tv_usec = PAUSE_MS * 1000};
  struct loop *loop = counter->own.backend->host.loop;
  counter->step = COUNTER_PAUSES;
  loop_hold(loop);
  evtimer_assign(&counter->pause, loop_base(loop), on_pause, counter);
  event_add(&counter->pause, &pause);
}

static void linkuses_on_written(struct linkuses_counter *counter,
                                enum sluice_status status, const char *why) {
  bool slower = status == SLUICE_EEXIST || status == SLUICE_EPRECOND ||
                status == SLUICE_ENOENT;
  if (status == SLUICE_OK)
    succeed(counter);
  else if (slower && ++counter->tries < TRIES_MAX)
    read_count(counter);
  else if (!slower && ++counter->doubts < DOUBTS_MAX)
    pause_then_read(counter);
  else
    give_up(counter, slower ? SLUICE_EBUSY : status, why);
}

static void linkuses_on_own(void *arg, enum sluice_status status,
                            const char *why) {
  struct linkuses_counter *counter = arg;
  if (counter->step == COUNTER_READS)
    linkuses_on_read(counter, status, why);
  else
    linkuses_on_written(counter, status, why);
}

static void read_count(struct linkuses_counter *counter) {
  counter->step = COUNTER_READS;
  ownobject_read(&counter->own, counter->key);
}

/* ---- for endpoints ------------------------------------------------------ */

static struct linkuses_counter *counter_of(struct linkuses *all,
                                           struct op_backend *backend,
                                           const struct ownlink *link) {
  char key[LINKCOUNT_KEY_SIZE];
  struct linkuses_counter *counter;
  linkcount_key(key, link);
  LIST_FOREACH(counter, &all->counters, in_list)
  if (counter->own.backend == backend && strcmp(counter->key, key) == 0)
    return counter;
  counter = calloc(1, sizeof *counter);
  must_have(counter); /* charged with the request */
  memcpy(counter->key, key, sizeof key);
  counter->uses = link->uses;
  counter->gate = all->gate;
  gate_hold(all->gate);
  ownobject_init(&counter->own, backend, counter->text,
                 sizeof counter->text - 1, linkuses_on_own, counter);
  LIST_INSERT_HEAD(&all->counters, counter, in_list);
  return counter;
}

void linkuses_ask(struct linkuses *all, size_t backend,
                  const struct ownlink *link, enum linkuses_want want,
                  struct linkuses_waiter *waiter) {
  struct linkuses_counter *counter =
      counter_of(all, all->gate->backends[backend], link);
  waiter->counter = counter;
  waiter->want = want;
  linkuses_append(&counter->waiters, waiter);
  if (counter->step == COUNTER_IDLE)
    linkuses_rest(counter);
}

void linkuses_give(struct linkuses *all, size_t backend,
                   const struct ownlink *link, struct linkuses_last last) {
  struct linkuses_counter *counter =
      counter_of(all, all->gate->backends[backend], link);
  counter->owed++;
  counter->owed_last = last;
  if (counter->step == COUNTER_IDLE)
    linkuses_rest(counter);
}

static bool take_out(struct linkuses_waiter **list,
                     const struct linkuses_waiter *waiter) {
  for (; *list != NULL; list = &(*list)->next)
    if (*list == waiter) {
      *list = waiter->next;
      return true;
    }
  return false;
}

void linkuses_leave(struct linkuses *all, struct linkuses_waiter *waiter) {
  struct linkuses_counter *counter = waiter->counter;
  (void)all;
  if (counter == NULL)
    return;
  waiter->counter = NULL;
  if (take_out(&counter->waiters, waiter)) {
    if (waiter->want == LINKUSES_GIVE) {
      counter->owed++; /* it was owed to the link, not to the client */
      counter->owed_last = waiter->last;
    }
  } else if (take_out(&counter->served, waiter)) {
    counter->left += waiter->want == LINKUSES_TAKE;
  } else if (!take_out(&counter->looks, waiter)) {
    take_out(&counter->late, waiter);
  }
}
