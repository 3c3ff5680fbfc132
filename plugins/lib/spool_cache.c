/* SPDX-License-Identifier: MIT
 *
 * The cache of files, and the bound on the bytes of all files.
 */
#include "spool_cache.h"

#include <stddef.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "spool.h"

#define MANY 4 /* times what a spool needs: its file is too long */
#define LOOK_AGAIN_NS 1000000

enum slot_state { SLOT_EMPTY, SLOT_CLAIMED, SLOT_KEPT };

/* Adds so much, unless the sum passes `max`. */
static bool add_up_to(atomic_uint_least64_t *sum, uint64_t more,
                      uint64_t max) {
  uint64_t now = atomic_load(sum);
  do {
    if (now > max || more > max - now)
      return false;
  } while (!atomic_compare_exchange_weak(sum, &now, now + more));
  return true;
}

/* ---- files -------------------------------------------------------------- */

void spool_cache_close(struct spool_settings *settings,
                       struct spool_file *file) {
  close(file->fd);
  atomic_fetch_sub(&settings->files, 1);
  atomic_fetch_sub(&settings->used, file->size);
  *file = (struct spool_file){.fd = -1};
}

bool spool_cache_cut(struct spool_settings *settings, struct spool_file *file,
                     uint64_t size) {
  if (ftruncate(file->fd, (off_t)size) != 0)
    return false;
  atomic_fetch_sub(&settings->used, file->size - size);
  file->size = size;
  return true;
}

/* ---- slots -------------------------------------------------------------- */

static bool claim(struct spool_cache *cache, struct spool_slot *slot,
                  int from) {
  bool mine =
      atomic_compare_exchange_strong(&slot->state, &from, SLOT_CLAIMED);
  if (mine)
    atomic_fetch_add(&cache->claims, 1);
  return mine;
}

/* Of those kept since `latest` or longer the one that came last, or first.
 * `claimed`: another thread has one in hand. */
static struct spool_slot *look(struct spool_cache *cache, bool last,
                               int64_t latest, bool *claimed) {
  struct spool_slot *best = NULL;
  int64_t best_since = 0;
  *claimed = false;
  for (size_t i = 0; i < SPOOL_CACHE_FILES; i++) {
    struct spool_slot *slot = &cache->slots[i];
    int state = atomic_load(&slot->state);
    int64_t since = atomic_load(&slot->since);
    if (state == SLOT_CLAIMED)
      *claimed = true;
    if (state == SLOT_KEPT && since <= latest &&
        (best == NULL || (since > best_since) == last)) {
      best = slot;
      best_since = since;
    }
  }
  return best;
}

static void empty(struct spool_cache *cache, struct spool_slot *slot) {
  atomic_fetch_sub(&cache->bytes, slot->file.size);
  atomic_store(&slot->state, SLOT_EMPTY);
}

bool spool_cache_take(struct spool_settings *settings, struct spool_file *file,
                      uint64_t most) {
  struct spool_cache *cache = &settings->cache;
  struct spool_slot *slot;
  bool claimed;
  do {
    slot = look(cache, true, INT64_MAX, &claimed);
    if (slot == NULL)
      return false;
  } while (!claim(cache, slot, SLOT_KEPT));
  *file = slot->file;
  uint64_t room =
      settings->max != 0 || most > UINT64_MAX / MANY ? most : MANY * most;
  bool whole = file->size <= room || spool_cache_cut(settings, file, most);
  if (!whole)
    spool_cache_close(settings, file);
  empty(cache, slot);
  return whole;
}

static bool spool_cache_keep(struct spool_settings *settings,
                             const struct spool_file *file) {
  struct spool_cache *cache = &settings->cache;
  if (!add_up_to(&cache->bytes, file->size, settings->keep))
    return false;
  for (size_t i = 0; i < SPOOL_CACHE_FILES; i++) {
    struct spool_slot *slot = &cache->slots[i];
    if (!claim(cache, slot, SLOT_EMPTY))
      continue;
    slot->file = *file;
    atomic_store(&slot->since, spool_cache_now());
    atomic_store(&slot->state, SLOT_KEPT);
    return true;
  }
  atomic_fetch_sub(&cache->bytes, file->size);
  return false;
}

/* A file that takes more than half of the room that is left isn't kept. */
static bool has_room(const struct spool_file *file) {
  struct statvfs disk;
  return fstatvfs(file->fd, &disk) == 0 &&
         (uint64_t)disk.f_bavail * disk.f_frsize >= file->size;
}

void spool_cache_give(struct spool_settings *settings,
                      struct spool_file *file) {
  bool kept = settings->keep > 0 &&
              (file->size <= SPOOL_CACHE_FILE_MAX ||
               spool_cache_cut(settings, file, SPOOL_CACHE_FILE_MAX)) &&
              has_room(file) && spool_cache_keep(settings, file);
  if (!kept)
    spool_cache_close(settings, file);
  else
    *file = (struct spool_file){.fd = -1};
}

/* Closes the one that came first.  `wait`: one that another thread is closing
 * is waited for, as its room is what the caller wants; nothing is overlooked
 * that moved from slot to slot meanwhile. */
static bool close_one(struct spool_settings *settings, int64_t since,
                      bool wait) {
  static const struct timespec soon = {.tv_nsec = LOOK_AGAIN_NS};
  struct spool_cache *cache = &settings->cache;
  for (;;) {
    bool claimed;
    unsigned before = atomic_load(&cache->claims);
    struct spool_slot *slot = look(cache, false, since, &claimed);
    if (slot != NULL && claim(cache, slot, SLOT_KEPT)) {
      struct spool_file file = slot->file;
      spool_cache_close(settings, &file);
      empty(cache, slot);
      return true;
    }
    if (!wait ||
        (slot == NULL && !claimed && before == atomic_load(&cache->claims)))
      return false;
    if (claimed)
      nanosleep(&soon, NULL);
  }
}

bool spool_cache_clear(struct spool_settings *settings, int64_t since) {
  bool any = false;
  while (close_one(settings, since, true))
    any = true;
  return any;
}

/* ---- the bound ---------------------------------------------------------- */

/* A share of what is free and of what the files have of it already: it stays
 * the same while they grow, and falls with what others write there, so that
 * no number of backends fills the disk.  A filesystem that doesn't say how
 * much it has, or has no end, sets no bound. */
static uint64_t share(const struct spool_settings *settings,
                      const struct statvfs *disk) {
  uint64_t left, all;
  return disk->f_blocks == 0 ||
                 __builtin_mul_overflow(disk->f_bavail, disk->f_frsize,
                                        &left) ||
                 __builtin_add_overflow(left, atomic_load(&settings->used),
                                        &all)
             ? UINT64_MAX
             : all / SPOOL_SHARE;
}

static uint64_t bound_at(const struct spool_settings *settings, int fd) {
  struct statvfs disk;
  if (settings->max != 0)
    return settings->max;
  return fstatvfs(fd, &disk) == 0 ? share(settings, &disk) : UINT64_MAX;
}

uint64_t spool_bound(const struct spool_settings *settings) {
  struct statvfs disk;
  if (settings->max != 0)
    return settings->max;
  return statvfs(settings->directory, &disk) == 0 ? share(settings, &disk)
                                                  : UINT64_MAX;
}

bool spool_cache_charge(struct spool_settings *settings,
                        struct spool_file *file, uint64_t size) {
  if (size <= file->size)
    return true;
  bool fits, again = true;
  /* Also after the last one: another thread may have closed others. */
  while (!(fits = add_up_to(&settings->used, size - file->size,
                            bound_at(settings, file->fd))) &&
         again)
    again = close_one(settings, INT64_MAX, true);
  if (fits)
    file->size = size;
  return fits;
}

/* ---- its age ------------------------------------------------------------ */

int64_t spool_cache_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void age_work(void *arg) {
  struct spool_settings *settings = arg;
  int64_t since = spool_cache_now() - SPOOL_CACHE_IDLE_NS;
  while (close_one(settings, since, false))
    ;
}

static void age_then(void *arg) {
  struct spool_settings *settings = arg;
  atomic_store(&settings->cache.aging, false);
}

void spool_age(struct sluice_host *host, struct spool_settings *settings) {
  bool claimed;
  int64_t since = spool_cache_now() - SPOOL_CACHE_IDLE_NS;
  if (look(&settings->cache, false, since, &claimed) != NULL &&
      !atomic_exchange(&settings->cache.aging, true))
    sluice_work(host, age_work, age_then, settings);
}

void spool_close_kept(struct spool_settings *settings) {
  spool_cache_clear(settings, INT64_MAX);
}
