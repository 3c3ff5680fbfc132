/* SPDX-License-Identifier: MIT
 *
 * Arrears in memory: a table of chains, and one list in the order in which
 * keys are healed.
 */
#include "arrears.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "arrears_file.h"
#include "digest.h"
#include "siphash.h"

#define PER_BUCKET 128 /* bytes of the limit */

struct debt {
  TAILQ_ENTRY(debt) in_order;
  struct debt *next;       /* of its chain */
  struct debt *next_fresh; /* of those that were taken since the last sync */
  uint64_t not_before_ms;
  unsigned owed, late;
  unsigned before; /* `owed`, if what was taken doesn't count */
  bool taken;
  char key[];
};

TAILQ_HEAD(debts, debt);

struct arrears {
  struct arrears_conf conf;
  struct arrears_file *file;
  struct debts order;
  struct debt **chains;
  size_t chain_count;
  uint64_t used;
  struct debt *fresh;
  size_t counts[ARREARS_STORES];
  unsigned char hash_key[SIPHASH_KEY_LEN];
  bool full, unwritten;
};

/* ---- the table ---------------------------------------------------------- */

static size_t chains_for(const struct arrears_conf *conf) {
  size_t count = 64;
  while (count < conf->limit / PER_BUCKET)
    count *= 2;
  return count;
}

size_t arrears_memory(const struct arrears_conf *conf) {
  return (size_t)conf->limit + chains_for(conf) * sizeof(struct debt *);
}

static uint64_t debt_cost(const char *key) {
  return sizeof(struct debt) + strlen(key) + 1 + 16;
}

static struct debt **place_of(const struct arrears *arrears, const char *key) {
  uint64_t hash = siphash(arrears->hash_key, key, strlen(key));
  struct debt **at = &arrears->chains[hash % arrears->chain_count];
  while (*at != NULL && strcmp((*at)->key, key) != 0)
    at = &(*at)->next;
  return at;
}

/* Of a key that is taken, what it lacked before counts. */
static void count_owed(struct arrears *arrears, unsigned owed, int sign) {
  for (unsigned i = 0; i < ARREARS_STORES; i++)
    if ((owed >> i & 1) != 0)
      arrears->counts[i] += (size_t)sign;
}

static struct debt *add_debt(struct arrears *arrears, const char *key) {
  uint64_t cost = debt_cost(key);
  arrears->full = arrears->used + cost > arrears->conf.limit;
  struct debt *debt =
      arrears->full ? NULL : calloc(1, sizeof *debt + strlen(key) + 1);
  if (debt == NULL)
    return NULL;
  memcpy(debt->key, key, strlen(key));
  *place_of(arrears, key) = debt;
  TAILQ_INSERT_TAIL(&arrears->order, debt, in_order);
  arrears->used += cost;
  return debt;
}

static void drop_debt(struct arrears *arrears, struct debt **place) {
  struct debt *debt = *place;
  *place = debt->next;
  TAILQ_REMOVE(&arrears->order, debt, in_order);
  arrears->used -= debt_cost(debt->key);
  arrears->full = false;
  free(debt);
}

static void drop_if_clear(struct arrears *arrears, const char *key) {
  struct debt **place = place_of(arrears, key);
  if (*place != NULL && (*place)->owed == 0 && (*place)->late == 0 &&
      !(*place)->taken)
    drop_debt(arrears, place);
}

/* ---- keys --------------------------------------------------------------- */

/* It is as it was before it was taken. */
static void take_back(struct arrears *arrears, struct debt *debt) {
  debt->taken = false;
  debt->owed = debt->before;
  drop_if_clear(arrears, debt->key);
}

enum arrears_answer arrears_take(struct arrears *arrears, const char *key,
                                 unsigned *owed, unsigned *late) {
  struct debt *debt = *place_of(arrears, key);
  if (arrears_is_broken(arrears))
    return ARREARS_FAILED;
  if (debt != NULL && debt->taken)
    return ARREARS_BUSY;
  if (debt == NULL && (debt = add_debt(arrears, key)) == NULL)
    return ARREARS_FULL;
  *owed = debt->before = debt->owed;
  *late = debt->late;
  debt->taken = true;
  debt->owed = arrears->conf.all;
  if (debt->before != debt->owed &&
      !arrears_file_add(arrears->file, key, debt->owed)) {
    take_back(arrears, debt);
    return ARREARS_UNWRITTEN;
  }
  debt->next_fresh = arrears->fresh;
  arrears->fresh = debt;
  return ARREARS_TAKEN;
}

/* That a key isn't owed any more needs no sync: it would be healed once more.
 */
void arrears_leave(struct arrears *arrears, const char *key, unsigned owed,
                   unsigned late) {
  struct debt *debt = *place_of(arrears, key);
  if (debt == NULL || !debt->taken)
    return;
  if (debt->owed != owed && !arrears_file_add(arrears->file, key, owed))
    owed |= debt->owed;
  debt->taken = false;
  debt->owed = owed;
  debt->late |= late;
  count_owed(arrears, debt->before, -1);
  count_owed(arrears, owed, 1);
  drop_if_clear(arrears, key);
}

void arrears_over(struct arrears *arrears, const char *key, unsigned late) {
  struct debt *debt = *place_of(arrears, key);
  if (debt == NULL)
    return;
  debt->late &= ~late;
  drop_if_clear(arrears, key);
}

unsigned arrears_owed(const struct arrears *arrears, const char *key) {
  unsigned owed = 0;
  if (key != NULL) {
    const struct debt *debt = *place_of(arrears, key);
    return debt == NULL ? 0 : debt->owed;
  }
  const struct debt *debt;
  for (debt = TAILQ_FIRST(&arrears->order); debt != NULL;
       debt = TAILQ_NEXT(debt, in_order))
    owed |= debt->owed;
  return owed;
}

const char *arrears_next(struct arrears *arrears, uint64_t now_ms,
                         unsigned willing, unsigned *owed) {
  struct debt *debt;
  for (debt = TAILQ_FIRST(&arrears->order); debt != NULL;
       debt = TAILQ_NEXT(debt, in_order)) {
    *owed = debt->owed & willing & ~debt->late;
    if (debt->taken || debt->not_before_ms > now_ms || *owed == 0)
      continue;
    debt->before = debt->owed;
    debt->taken = true;
    return debt->key;
  }
  return NULL;
}

void arrears_postpone(struct arrears *arrears, const char *key,
                      uint64_t now_ms) {
  struct debt *debt = *place_of(arrears, key);
  if (debt == NULL)
    return;
  debt->not_before_ms = now_ms + arrears->conf.pause_ms;
  TAILQ_REMOVE(&arrears->order, debt, in_order);
  TAILQ_INSERT_TAIL(&arrears->order, debt, in_order);
}

/* ---- the file ----------------------------------------------------------- */

static bool write_all(struct arrears *arrears) {
  const struct debt *debt;
  for (debt = TAILQ_FIRST(&arrears->order); debt != NULL;
       debt = TAILQ_NEXT(debt, in_order))
    if (debt->owed != 0 &&
        !arrears_file_add(arrears->file, debt->key, debt->owed))
      return false;
  return true;
}

static bool rewrite(struct arrears *arrears) {
  bool written = arrears_file_begin(arrears->file) && write_all(arrears) &&
                 arrears_file_replace(arrears->file);
  if (!written)
    arrears_file_keep(arrears->file);
  return written;
}

/* A short file that can't be written takes nothing back: the long one is
 * durable. */
bool arrears_sync(struct arrears *arrears) {
  bool synced = arrears_file_sync(arrears->file);
  arrears->unwritten = !synced;
  if (synced && arrears_file_is_long(arrears->file))
    (void)rewrite(arrears);
  struct debt *debt = arrears->fresh, *next;
  arrears->fresh = NULL;
  for (; debt != NULL && !synced; debt = next) {
    next = debt->next_fresh;
    take_back(arrears, debt);
  }
  return synced;
}

/* An empty queue has no line to say again; one of nothing means nothing. */
void arrears_try(struct arrears *arrears) {
  const struct debt *debt = TAILQ_FIRST(&arrears->order);
  if (arrears_file_add(arrears->file, debt == NULL ? "-" : debt->key,
                       debt == NULL ? 0 : debt->owed))
    (void)arrears_sync(arrears);
}

void arrears_flush(struct arrears *arrears) {
  arrears_file_flush(arrears->file);
}

/* ---- life --------------------------------------------------------------- */

static bool on_line(void *arg, const char *key, unsigned owed) {
  struct arrears *arrears = arg;
  struct debt *debt = *place_of(arrears, key);
  if (debt == NULL && owed != 0)
    debt = add_debt(arrears, key);
  if (debt == NULL)
    return owed == 0;
  count_owed(arrears, debt->owed, -1);
  count_owed(arrears, owed, 1);
  debt->owed = owed;
  drop_if_clear(arrears, key);
  return true;
}

static bool load(struct arrears *arrears, struct arrears_read *read,
                 struct errmsg *err) {
  switch (arrears_file_load(arrears->file, on_line, arrears, read, err)) {
  case ARREARS_FILE_READ:
    break;
  case ARREARS_FILE_BAD:
    return false;
  case ARREARS_FILE_REFUSED:
    return errmsg_set(err,
                      "the queue in %s has more keys than `queue` allows; "
                      "write a larger one",
                      arrears->conf.directory);
  }
  const struct debt *debt;
  read->keys = 0;
  for (debt = TAILQ_FIRST(&arrears->order); debt != NULL;
       debt = TAILQ_NEXT(debt, in_order))
    read->keys++;
  if (read->other && read->keys > 0)
    return false;
  return rewrite(arrears) ||
         errmsg_set(
             err, "the queue in %s can't be written: %s; check the disk",
             arrears->conf.directory, arrears_file_fault(arrears->file));
}

struct arrears *arrears_open(const struct arrears_conf *conf,
                             struct arrears_read *read, struct errmsg *err) {
  struct arrears *arrears = calloc(1, sizeof *arrears);
  if (arrears == NULL) {
    errmsg_set(err, "no memory is left");
    return NULL;
  }
  arrears->conf = *conf;
  TAILQ_INIT(&arrears->order);
  digest_random(arrears->hash_key, sizeof arrears->hash_key);
  arrears->chain_count = chains_for(conf);
  arrears->chains = calloc(arrears->chain_count, sizeof(struct debt *));
  if (arrears->chains == NULL)
    errmsg_set(err, "no memory is left");
  else
    arrears->file = arrears_file_open(conf->directory, conf->names, err);
  if (arrears->file != NULL && load(arrears, read, err))
    return arrears;
  arrears_close(arrears);
  return NULL;
}

void arrears_close(struct arrears *arrears) {
  if (arrears == NULL)
    return;
  while (!TAILQ_EMPTY(&arrears->order)) {
    struct debt *debt = TAILQ_FIRST(&arrears->order);
    TAILQ_REMOVE(&arrears->order, debt, in_order);
    free(debt);
  }
  arrears_file_close(arrears->file);
  free(arrears->chains);
  free(arrears);
}

/* ---- numbers ------------------------------------------------------------ */

size_t arrears_count(const struct arrears *arrears, unsigned store) {
  return arrears->counts[store];
}

bool arrears_is_full(const struct arrears *arrears) {
  return arrears->full;
}

bool arrears_is_unwritten(const struct arrears *arrears) {
  return arrears->unwritten;
}

bool arrears_is_broken(const struct arrears *arrears) {
  return arrears_file_is_broken(arrears->file);
}
