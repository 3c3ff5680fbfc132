/* SPDX-License-Identifier: MIT
 *
 * Entries in a table of chains, and in the order of their use.  Bytes of disk
 * count from before a file is written until it is removed and nobody has it
 * open any more, so that `used` never exceeds the limit.
 */
#include "cacheindex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "cacheopen.h"
#include "clock.h"
#include "must.h"

#define TOUCH_MS 60000 /* a file's time of use is this old at most */
#define PASS_PART 16   /* of so many entries, one and that one more may pass */

struct cache_entry {
  struct cache_entry *next;     /* of its chain */
  TAILQ_ENTRY(cache_entry) use; /* the one used last is the first */
  unsigned char id[CACHEFORM_ID_LEN];
  struct cachebody *body; /* while somebody has it */
  uint64_t bytes;         /* of its file; 0: none yet, or it passes */
  uint64_t believed_ms;   /* when the storage was asked; 0: not since start */
  uint64_t touched_ms;
  bool checked; /* its bytes were, since the start */
  bool passes;  /* it isn't one for the cache */
};

_Static_assert(sizeof(struct cache_entry) <= CACHEINDEX_ENTRY,
               "the manual says how much memory an entry takes");

struct cacheindex {
  struct sluice_host *host;
  struct cachedir *dir;
  struct cacheindex_limits limits;
  struct sluice_lane *lane;
  struct cache_entry **chains;
  size_t mask, count, pass_count;
  uint64_t used; /* bytes of disk */
  TAILQ_HEAD(cache_order, cache_entry) order;
  struct cache_order passes; /* those that do, the newest one first */
  struct cacheindex_counts counts;
  _Atomic bool troubled;
  _Atomic uint64_t pause_ms; /* no fetch until then */
};

/* ---- entries ------------------------------------------------------------ */

static struct cache_entry **place_of(struct cacheindex *index,
                                     const unsigned char *id) {
  size_t hash;
  memcpy(&hash, id, sizeof hash);
  struct cache_entry **at = &index->chains[hash & index->mask];
  while (*at != NULL && memcmp((*at)->id, id, CACHEFORM_ID_LEN) != 0)
    at = &(*at)->next;
  return at;
}

/* Its file goes, and nobody finds it any more; who has its body reads on. */
static void forget(struct cacheindex *index, struct cache_entry *entry) {
  struct cachebody *body = entry->body;
  if (body != NULL)
    body->entry = NULL;
  if (body != NULL && body->made)
    cachedir_unmake(index->dir, body->number);
  else if (entry->bytes > 0)
    cachedir_remove(index->dir, entry->id);
  if (body != NULL)
    body->made = false;
  else
    index->used -= entry->bytes;
  *place_of(index, entry->id) = entry->next;
  TAILQ_REMOVE(entry->passes ? &index->passes : &index->order, entry, use);
  index->pass_count -= entry->passes;
  index->count--;
  free(entry);
}

static bool forget_pass(struct cacheindex *index) {
  if (TAILQ_EMPTY(&index->passes))
    return false;
  forget(index, TAILQ_LAST(&index->passes, cache_order));
  return true;
}

/* The one that wasn't used for the longest time, and that nobody has. */
static bool evict(struct cacheindex *index) {
  struct cache_entry *entry;
  TAILQ_FOREACH_REVERSE(entry, &index->order, cache_order, use)
  if (entry->body == NULL) {
    cacheindex_add(&index->counts, CACHEINDEX_EVICTED);
    forget(index, entry);
    return true;
  }
  return false;
}

static bool make_room(struct cacheindex *index, uint64_t bytes) {
  if (bytes > index->limits.size)
    return false;
  while (index->used > index->limits.size - bytes)
    if (!evict(index))
      return false;
  return true;
}

static struct cache_entry *insert(struct cacheindex *index,
                                  const unsigned char *id) {
  if (index->count >= index->limits.objects && !evict(index) &&
      !forget_pass(index))
    return NULL;
  struct cache_entry *entry = calloc(1, sizeof *entry);
  if (entry == NULL)
    return NULL;
  memcpy(entry->id, id, CACHEFORM_ID_LEN);
  *place_of(index, id) = entry;
  TAILQ_INSERT_HEAD(&index->order, entry, use);
  index->count++;
  return entry;
}

/* They take no more than a part of the places of what can be kept. */
static void insert_pass(struct cacheindex *index, const unsigned char *id) {
  if (index->pass_count > index->limits.objects / PASS_PART)
    forget_pass(index);
  struct cache_entry *entry = insert(index, id);
  if (entry == NULL)
    return;
  TAILQ_REMOVE(&index->order, entry, use);
  TAILQ_INSERT_HEAD(&index->passes, entry, use);
  index->pass_count++;
  entry->passes = true;
  entry->touched_ms = clock_ms() + 1;
}

static void touch(struct cacheindex *index, struct cache_entry *entry,
                  uint64_t now) {
  TAILQ_REMOVE(&index->order, entry, use);
  TAILQ_INSERT_HEAD(&index->order, entry, use);
  if (entry->body == NULL || entry->body->fd < 0 ||
      (entry->touched_ms != 0 && now - entry->touched_ms < TOUCH_MS))
    return;
  entry->touched_ms = now;
  futimens(entry->body->fd, NULL); /* for the order after the next start */
}

static void tell_use(const struct cacheindex *index) {
  sluice_gauge(index->host, CACHEINDEX_BYTES, (int64_t)index->used);
  sluice_gauge(index->host, CACHEINDEX_OBJECTS,
               (int64_t)(index->count - index->pass_count));
}

/* ---- bodies ------------------------------------------------------------- */

static void unpin(struct cacheindex *index, struct cachebody *body) {
  if (--body->pins > 0)
    return;
  if (body->entry != NULL)
    body->entry->body = NULL;
  else
    index->used -= body->bytes;
  cacheopen_free(body);
}

static void join(struct cacheindex_job *job, struct cachebody *body) {
  body->pins++;
  atomic_fetch_add(&body->readers, 1);
  job->body = body;
  job->found = CACHEINDEX_BODY;
}

static bool believes(const struct cacheindex *index, uint64_t asked_ms,
                     uint64_t since_ms, uint64_t now) {
  return asked_ms != 0 && (asked_ms > since_ms ||
                           (index->limits.ttl_ms > 0 &&
                            now - asked_ms <= (uint64_t)index->limits.ttl_ms));
}

static void join_entry(struct cacheindex *index, struct cacheindex_job *job,
                       struct cache_entry *entry, uint64_t now) {
  struct cachebody *body = entry->body;
  join(job, body);
  touch(index, entry, now);
  if (entry->bytes == 0 || body->made)
    cacheindex_add(&index->counts, CACHEINDEX_JOINS);
  else
    cacheindex_add(&index->counts, CACHEINDEX_HITS);
  job->fresh = believes(index, entry->believed_ms, job->since_ms, now);
}

/* The entry is forgotten if its file is bad. */
static enum cacheopen_found open_entry(struct cacheindex *index,
                                       struct cacheindex_job *job,
                                       struct cache_entry *entry) {
  struct cachebody *body = NULL;
  int fd = cachedir_get(index->dir, entry->id);
  int error = fd < 0 ? errno : 0;
  enum cacheopen_found found =
      fd < 0 ? cacheopen_failed(error)
             : cacheopen_file(&body, fd, job->key, entry->checked);
  if (error != 0 && error != ENOENT)
    cacheindex_trouble(index, "an entry can't be opened", error);
  if (body != NULL && cachedir_bytes(cacheopen_size(body)) != entry->bytes) {
    cacheopen_free(body);
    found = CACHEOPEN_BAD;
  }
  if (found == CACHEOPEN_BAD)
    forget(index, entry);
  if (found == CACHEOPEN_GOOD && body != NULL) {
    body->entry = entry;
    body->bytes = entry->bytes;
    entry->body = body;
  }
  return found;
}

/* ---- jobs --------------------------------------------------------------- */

static void fetch(struct cacheindex *index, struct cacheindex_job *job,
                  const unsigned char *id, uint64_t now) {
  struct cachebody *body = NULL;
  struct cache_entry *entry = NULL;
  if (!job->no_fetch && now >= index->pause_ms)
    entry = insert(index, id);
  if (entry != NULL)
    body = cacheopen_new();
  if (entry != NULL && body == NULL)
    forget(index, entry);
  if (body == NULL) {
    cacheindex_add(&index->counts, CACHEINDEX_PASSED);
    return;
  }
  cacheindex_add(&index->counts, CACHEINDEX_MISSES);
  entry->body = body;
  entry->believed_ms = now;
  body->entry = entry;
  body->asked_ms = now;
  join(job, body);
  body->pins++;
  job->found = CACHEINDEX_FETCH;
  job->fresh = true;
}

static void look_at_file(struct cacheindex *index, struct cacheindex_job *job,
                         struct cache_entry *entry, const unsigned char *id,
                         uint64_t now) {
  enum cacheopen_found found = open_entry(index, job, entry);
  if (found == CACHEOPEN_BAD)
    fetch(index, job, id, now);
  else if (found == CACHEOPEN_UNKNOWN)
    cacheindex_add(&index->counts, CACHEINDEX_PASSED);
  if (found != CACHEOPEN_GOOD || entry->body == NULL)
    return;
  join_entry(index, job, entry, now);
  if (cachebody_state(entry->body) != CACHEBODY_CHECKING)
    return;
  entry->body->pins++;
  job->found = CACHEINDEX_CHECK;
}

static void look_at_body(struct cacheindex *index, struct cacheindex_job *job,
                         struct cache_entry *entry, const unsigned char *id,
                         uint64_t now) {
  enum cachebody_state state = cachebody_state(entry->body);
  if (state == CACHEBODY_UNCHECKED) {
    cacheindex_add(&index->counts, CACHEINDEX_PASSED);
  } else if (state == CACHEBODY_LOST || state == CACHEBODY_FAILED) {
    forget(index, entry);
    fetch(index, job, id, now);
  } else {
    join_entry(index, job, entry, now);
  }
}

static void look(struct cacheindex *index, struct cacheindex_job *job) {
  unsigned char id[CACHEFORM_ID_LEN];
  uint64_t now = clock_ms() + 1;
  job->body = NULL;
  job->found = CACHEINDEX_NOTHING;
  cacheform_id(id, job->key);
  struct cache_entry *entry = *place_of(index, id);
  if (entry != NULL && entry->passes && entry->body == NULL) {
    if (now - entry->touched_ms <= CACHEINDEX_PASS) {
      cacheindex_add(&index->counts, CACHEINDEX_PASSED);
      return;
    }
    forget(index, entry);
    entry = NULL;
  }
  if (entry == NULL)
    fetch(index, job, id, now);
  else if (entry->body == NULL)
    look_at_file(index, job, entry, id, now);
  else
    look_at_body(index, job, entry, id, now);
}

static void leave(struct cacheindex *index, struct cacheindex_job *job) {
  struct cachebody *body = job->body;
  atomic_fetch_sub(&body->readers, 1);
  if (job->gone && body->entry != NULL) {
    forget(index, body->entry);
    must(body->entry == NULL); /* each knew the other */
  }
  unpin(index, body);
  job->body = NULL;
}

static void make(struct cacheindex *index, struct cacheindex_job *job) {
  struct cachebody *body = job->body;
  uint64_t bytes = cachedir_bytes(cacheopen_size(body));
  job->passes = bytes > index->limits.size;
  job->good = body->entry != NULL && make_room(index, bytes);
  if (!job->good)
    return;
  body->fd = cachedir_make(index->dir, &body->number);
  body->made = body->fd >= 0;
  job->good =
      body->made && cacheopen_write(body->fd, body->head, body->form.head, 0);
  if (!job->good)
    cacheindex_trouble(index, "a file can't be written", errno);
  if (!body->made)
    return;
  body->bytes = bytes;
  body->entry->bytes = bytes;
  index->used += bytes;
}

static void keep(struct cacheindex *index, struct cacheindex_job *job) {
  struct cachebody *body = job->body;
  struct cache_entry *entry = body->entry;
  job->good = entry != NULL;
  if (entry != NULL && !cachedir_keep(index->dir, body->number, entry->id)) {
    cacheindex_trouble(index, "a file can't be kept", errno);
    forget(index, entry);
    job->good = false;
  } else if (entry != NULL) {
    body->made = false;
    entry->checked = true;
    cacheindex_add(&index->counts, CACHEINDEX_FETCHED);
    cacheindex_well(index);
  }
  unpin(index, body);
}

static void drop(struct cacheindex *index, struct cacheindex_job *job) {
  struct cachebody *body = job->body;
  unsigned char id[CACHEFORM_ID_LEN];
  bool passes = job->passes && body->entry != NULL;
  if (body->entry != NULL) {
    memcpy(id, body->entry->id, sizeof id);
    forget(index, body->entry);
    body->entry = NULL;
  }
  unpin(index, body);
  if (passes)
    insert_pass(index, id);
}

static void checked(struct cacheindex *index, struct cacheindex_job *job) {
  struct cache_entry *entry = job->body->entry;
  if (entry != NULL && job->good)
    entry->checked = true;
  else if (entry != NULL && job->gone)
    forget(index, entry);
  unpin(index, job->body);
}

static void forget_keys(struct cacheindex *index, struct cacheindex_job *job) {
  unsigned char id[CACHEFORM_ID_LEN];
  for (size_t i = 0; i < job->count; i++) {
    cacheform_id(id, job->keys[i]);
    struct cache_entry *entry = *place_of(index, id);
    if (entry != NULL)
      forget(index, entry);
  }
}

static void believe(struct cacheindex *index, struct cacheindex_job *job) {
  (void)index;
  struct cache_entry *entry = job->body->entry;
  if (entry != NULL && entry->believed_ms < job->since_ms)
    entry->believed_ms = job->since_ms;
}

static void again(struct cacheindex *index, struct cacheindex_job *job) {
  leave(index, job);
  look(index, job);
}

static void run(void *arg, void **jobs, size_t count) {
  static void (*const act[])(struct cacheindex *, struct cacheindex_job *) = {
      [CACHEINDEX_LOOK] = look,         [CACHEINDEX_AGAIN] = again,
      [CACHEINDEX_BELIEVE] = believe,   [CACHEINDEX_LEAVE] = leave,
      [CACHEINDEX_MAKE] = make,         [CACHEINDEX_KEEP] = keep,
      [CACHEINDEX_DROP] = drop,         [CACHEINDEX_CHECKED] = checked,
      [CACHEINDEX_FORGET] = forget_keys};
  struct cacheindex *index = arg;
  for (size_t i = 0; i < count; i++) {
    struct cacheindex_job *job = jobs[i];
    act[job->kind](index, job);
  }
  tell_use(index);
}

void cacheindex_do(struct cacheindex *index, struct sluice_host *host,
                   struct cacheindex_job *job, void (*then)(void *job)) {
  sluice_lane_add(index->lane, host, job, then);
}

/* ---- the disk ----------------------------------------------------------- */

void cacheindex_trouble(struct cacheindex *index, const char *what,
                        int error) {
  atomic_store(&index->pause_ms, clock_ms() + 1 + CACHEINDEX_PAUSE);
  if (!atomic_exchange(&index->troubled, true))
    sluice_log(index->host, SLUICE_LOG_ERROR,
               "%s: %s; requests go on without the cache, and it is tried "
               "again every 5 s: make room in its directory, or check the "
               "disk",
               what, strerror(error));
}

void cacheindex_well(struct cacheindex *index) {
  if (atomic_exchange(&index->troubled, false))
    sluice_log(index->host, SLUICE_LOG_INFO, "the directory works again");
}

/* ---- life --------------------------------------------------------------- */

struct cacheindex_counts *cacheindex_counts(struct cacheindex *index) {
  return &index->counts;
}

void cacheindex_free(struct cacheindex *index) {
  struct cache_entry *entry;
  if (index->lane != NULL)
    sluice_lane_free(index->lane);
  TAILQ_CONCAT(&index->order, &index->passes, use);
  while ((entry = TAILQ_FIRST(&index->order)) != NULL) {
    TAILQ_REMOVE(&index->order, entry, use);
    free(entry);
  }
  free(index->chains);
  free(index);
}

/* The oldest one first; what is older than the limits allow is removed. */
static bool load(struct cacheindex *index) {
  struct cachedir_file *files = NULL;
  long count = cachedir_scan(index->dir, &files);
  bool ok = count >= 0;
  for (long i = 0; ok && i < count; i++) {
    struct cache_entry *entry = insert(index, files[i].id);
    ok = entry != NULL;
    if (!ok)
      break;
    entry->bytes = files[i].bytes;
    index->used += entry->bytes;
  }
  free(files);
  return ok && make_room(index, 0);
}

struct cacheindex *cacheindex_new(struct sluice_host *host,
                                  struct cachedir *dir,
                                  const struct cacheindex_limits *limits,
                                  struct errmsg *err) {
  struct cacheindex *index = calloc(1, sizeof *index);
  errmsg_set(err, "no memory is left, or the directory can't be read; check "
                  "the disk");
  if (index == NULL)
    return NULL;
  index->host = index->counts.host = host;
  index->dir = dir;
  index->limits = *limits;
  TAILQ_INIT(&index->order);
  TAILQ_INIT(&index->passes);
  for (index->mask = 1; index->mask < limits->objects;)
    index->mask *= 2;
  index->chains = calloc(index->mask--, sizeof(struct cache_entry *));
  index->lane =
      index->chains == NULL ? NULL : sluice_lane_new(host, run, index);
  if (index->lane != NULL && load(index)) {
    tell_use(index);
    return index;
  }
  cacheindex_free(index);
  return NULL;
}
