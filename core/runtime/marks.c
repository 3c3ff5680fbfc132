/* SPDX-License-Identifier: MIT
 *
 * A hash table with open addresses, under one lock that nobody holds for
 * long.  Names are parts of digests, so their first bytes are as good as any
 * hash.
 */
#include "marks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "budget.h"

#define ROOM_MIN 64

struct slot {
  struct mark mark; /* number 0: nothing is here */
  uint64_t since;   /* it was raised here at this turn; 0: it was read */
};

struct table {
  struct slot *slots; /* NULL: none */
  size_t room, count; /* room: a power of two, at least twice the count */
};

struct marks {
  pthread_mutex_t lock; /* guards all of it */
  struct budget *memory;
  struct table table;
  uint64_t turn, top, read_ms, claimed_ms;
};

struct marks *marks_new(struct budget *memory) {
  struct marks *marks = calloc(1, sizeof *marks);
  if (marks == NULL)
    return NULL;
  pthread_mutex_init(&marks->lock, NULL);
  marks->memory = memory;
  marks->turn = 1;
  return marks;
}

static void table_fini(struct marks *marks, struct table *table) {
  if (table->slots == NULL)
    return;
  budget_give(marks->memory, table->room * sizeof *table->slots);
  free(table->slots);
  *table = (struct table){0};
}

void marks_free(struct marks *marks) {
  if (marks == NULL)
    return;
  table_fini(marks, &marks->table);
  pthread_mutex_destroy(&marks->lock);
  free(marks);
}

static bool table_init(struct marks *marks, struct table *table,
                       size_t count) {
  size_t room = ROOM_MIN;
  while (room < 2 * count + 2)
    room *= 2;
  *table = (struct table){0};
  if (!budget_take(marks->memory, room * sizeof *table->slots))
    return false;
  table->slots = calloc(room, sizeof *table->slots);
  if (table->slots == NULL) {
    budget_give(marks->memory, room * sizeof *table->slots);
    return false;
  }
  table->room = room;
  return true;
}

/* The slot of this name, or the one where it would be. */
static struct slot *marks_slot_of(const struct table *table,
                                  const unsigned char *name) {
  size_t at;
  memcpy(&at, name, sizeof at);
  for (;; at++) {
    struct slot *slot = &table->slots[at & (table->room - 1)];
    if (slot->mark.number == 0 ||
        memcmp(slot->mark.name, name, MARKS_NAME_LEN) == 0)
      return slot;
  }
}

static void put(struct table *table, const struct mark *mark, uint64_t since) {
  struct slot *slot = marks_slot_of(table, mark->name);
  if (slot->mark.number == 0)
    table->count++;
  if (slot->mark.number < mark->number) {
    slot->mark = *mark;
    slot->since = since;
  } else if (slot->since < since) {
    slot->since = since;
  }
}

uint64_t marks_find(struct marks *marks,
                    const unsigned char name[MARKS_NAME_LEN]) {
  uint64_t number = 0;
  pthread_mutex_lock(&marks->lock);
  if (marks->table.count > 0)
    number = marks_slot_of(&marks->table, name)->mark.number;
  pthread_mutex_unlock(&marks->lock);
  return number;
}

static uint64_t get(struct marks *marks, const uint64_t *field) {
  pthread_mutex_lock(&marks->lock);
  uint64_t value = *field;
  pthread_mutex_unlock(&marks->lock);
  return value;
}

uint64_t marks_top(struct marks *marks) {
  return get(marks, &marks->top);
}

uint64_t marks_read_ms(struct marks *marks) {
  return get(marks, &marks->read_ms);
}

size_t marks_count(struct marks *marks) {
  pthread_mutex_lock(&marks->lock);
  size_t count = marks->table.count;
  pthread_mutex_unlock(&marks->lock);
  return count;
}

size_t marks_count_ends(struct marks *marks, const void *end, size_t len) {
  size_t count = 0;
  pthread_mutex_lock(&marks->lock);
  for (size_t i = 0; i < marks->table.room; i++) {
    const struct mark *mark = &marks->table.slots[i].mark;
    count += mark->number != 0 &&
             memcmp(mark->name + MARKS_NAME_LEN - len, end, len) == 0;
  }
  pthread_mutex_unlock(&marks->lock);
  return count;
}

/* A table of all of them that has room for `more`. */
static bool grow(struct marks *marks, size_t more) {
  struct table *old = &marks->table, larger;
  if (2 * (old->count + more) + 2 <= old->room)
    return true;
  if (!table_init(marks, &larger, old->count + more))
    return false;
  for (size_t i = 0; i < old->room; i++)
    if (old->slots[i].mark.number > 0)
      put(&larger, &old->slots[i].mark, old->slots[i].since);
  table_fini(marks, old);
  marks->table = larger;
  return true;
}

bool marks_raise(struct marks *marks, const struct mark *mark) {
  pthread_mutex_lock(&marks->lock);
  bool known = marks->table.count > 0 &&
               marks_slot_of(&marks->table, mark->name)->mark.number > 0;
  bool ok = known || (marks->table.count < MARKS_MAX && grow(marks, 1));
  if (ok) {
    put(&marks->table, mark, marks->turn);
    if (marks->top < mark->number)
      marks->top = mark->number;
  }
  pthread_mutex_unlock(&marks->lock);
  return ok;
}

uint64_t marks_begin(struct marks *marks) {
  pthread_mutex_lock(&marks->lock);
  uint64_t begun = ++marks->turn;
  pthread_mutex_unlock(&marks->lock);
  return begun;
}

/* A name that was raised after it was begun may not have been read. */
static bool replace(struct marks *marks, const struct mark *read, size_t count,
                    uint64_t begun) {
  struct table *old = &marks->table, fresh;
  size_t later = 0;
  for (size_t i = 0; i < old->room; i++)
    later += old->slots[i].mark.number > 0 && old->slots[i].since >= begun;
  if (!table_init(marks, &fresh, count + later))
    return false;
  for (size_t i = 0; i < count; i++) {
    put(&fresh, &read[i], 0);
    if (marks->top < read[i].number)
      marks->top = read[i].number;
  }
  for (size_t i = 0; i < old->room; i++)
    if (old->slots[i].mark.number > 0 && old->slots[i].since >= begun)
      put(&fresh, &old->slots[i].mark, old->slots[i].since);
  table_fini(marks, old);
  marks->table = fresh;
  return true;
}

bool marks_read(struct marks *marks, const struct mark *read, size_t count,
                uint64_t begun, uint64_t began_ms) {
  pthread_mutex_lock(&marks->lock);
  bool stale = began_ms < marks->read_ms; /* another one read it later */
  bool ok = stale || replace(marks, read, count, begun);
  if (ok && !stale)
    marks->read_ms = began_ms;
  pthread_mutex_unlock(&marks->lock);
  return ok;
}

bool marks_claim(struct marks *marks, uint64_t now_ms, uint64_t every_ms) {
  pthread_mutex_lock(&marks->lock);
  bool may = marks->claimed_ms == 0 || now_ms - marks->claimed_ms >= every_ms;
  if (may)
    marks->claimed_ms = now_ms;
  pthread_mutex_unlock(&marks->lock);
  return may;
}
