/* SPDX-License-Identifier: MIT
 *
 * Each tick looks at the files, and goes on counting rows for a while.
 */
#include "census.h"

#include "clock.h"
#include "index.h"
#include "local.h"
#include "shm.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define TICK_MS 2000
#define TICK_US 20000 /* a hundredth of it */
#define SLICE_ROWS 2000
#define REST_TICKS 5       /* between two counts, where something changed */
#define REST_TICKS_MAX 150 /* and else, as another process may have */

static const char *const synced[] = {
    [CENSUS_SYNC_INDEX] = "index", [CENSUS_SYNC_BLOB] = "blob", NULL};

#define GAUGE(name, help) \
  { "local_" name, SLUICE_GAUGE, help, NULL, NULL }
#define COUNTER(name, help) \
  { "local_" name "_total", SLUICE_COUNTER, help, NULL, NULL }

const struct sluice_metric census_metrics[] = {
    [CENSUS_OBJECTS] =
        GAUGE("objects", "Objects, when they were counted last; 0 before."),
    [CENSUS_BYTES] = GAUGE("object_bytes", "Bytes of all of them, so too."),
    [CENSUS_INDEX] = GAUGE("index_bytes", "Size of index.db."),
    [CENSUS_WAL] = GAUGE("wal_bytes", "Size of its write-ahead log."),
    [CENSUS_FREE] =
        GAUGE("disk_free_bytes", "Bytes that the file system has left."),
    [CENSUS_SIZE] = GAUGE("disk_bytes", "Bytes of the file system."),
    [CENSUS_READ_ONLY] =
        GAUGE("read_only", "1 after a write that failed, else 0."),
    [CENSUS_COMMITS] = COUNTER("commits", "Transactions of the index."),
    [CENSUS_COMMITTED] =
        COUNTER("committed", "Changes that these transactions had."),
    [CENSUS_SYNCS] = {"local_sync_seconds", SLUICE_HISTOGRAM,
                      "How long it took to make a transaction of the index, "
                      "or a blob, durable.",
                      "of", synced},
    [CENSUS_DAMAGED] = COUNTER("damaged", "Times that damage was met."),
    {NULL, 0, NULL, NULL, NULL}};

/* ---- counting ----------------------------------------------------------- */

static void census_begin(struct census *census) {
  free(census->last);
  census->last = NULL;
  census->last_len = 0;
  census->objects = census->bytes = 0;
  census->rested = 0;
}

/* One that is under way goes on. */
static bool census_may_count(struct census *census) {
  if (census->last != NULL)
    return true;
  census->rested++;
  if (census->rested < REST_TICKS ||
      (census->rested < REST_TICKS_MAX && !atomic_load(&census->changed)))
    return false;
  atomic_store(&census->changed, false);
  return true;
}

static bool keep_last(struct census *census) {
  int len = sqlite3_column_bytes(census->slice, 0);
  const void *key = sqlite3_column_blob(census->slice, 0);
  char *last = key == NULL ? NULL : malloc((size_t)len + 1);
  if (last == NULL)
    return false;
  memcpy(last, key, (size_t)len);
  free(census->last);
  census->last = last;
  census->last_len = (size_t)len;
  return true;
}

/* Rows that there were; -1: they can't be read now. */
static int64_t census_slice(struct census *census) {
  int64_t rows = 0;
  int result;
  index_bind(census->slice, 1, census->last == NULL ? "" : census->last,
             census->last_len);
  while ((result = index_step(census->slice)) == SQLITE_ROW) {
    census->bytes += sqlite3_column_int64(census->slice, 1);
    if (++rows == SLICE_ROWS && !keep_last(census))
      break;
  }
  index_reset(census->slice);
  census->objects += rows;
  return result == SQLITE_DONE ? rows : -1;
}

static void census_count(struct local *local) {
  struct census *census = &local->census;
  uint64_t end = clock_us() + TICK_US;
  int64_t rows;
  do
    rows = census_slice(census);
  while (rows == SLICE_ROWS && clock_us() < end);
  if (rows == SLICE_ROWS)
    return;
  if (rows >= 0) {
    sluice_gauge(local->host, CENSUS_OBJECTS, census->objects);
    sluice_gauge(local->host, CENSUS_BYTES, census->bytes);
  }
  census_begin(census);
}

/* ---- sizes -------------------------------------------------------------- */

static void census_size(const struct local *local, const char *file,
                        enum census_metric metric) {
  struct stat st;
  if (fstatat(local->datadir.dir, file, &st, AT_SYMLINK_NOFOLLOW) == 0)
    sluice_gauge(local->host, metric, (int64_t)st.st_size);
}

static void census_sizes(const struct local *local) {
  struct statvfs fs;
  census_size(local, INDEX_FILE, CENSUS_INDEX);
  census_size(local, INDEX_FILE "-wal", CENSUS_WAL);
  sluice_gauge(local->host, CENSUS_READ_ONLY,
               health_read_only(&local->health));
  if (fstatvfs(local->datadir.dir, &fs) != 0)
    return;
  sluice_gauge(local->host, CENSUS_FREE, (int64_t)(fs.f_bavail * fs.f_frsize));
  sluice_gauge(local->host, CENSUS_SIZE, (int64_t)(fs.f_blocks * fs.f_frsize));
}

static void census_tick(void *arg) {
  struct local *local = arg;
  census_sizes(local);
  if (census_may_count(&local->census))
    census_count(local);
}

/* ---- life --------------------------------------------------------------- */

bool census_open(struct local *local, struct errmsg *err) {
  static const struct index_sql statements[] = {
      {offsetof(struct census, slice),
       "SELECT key, size FROM object WHERE key > ?1 ORDER BY key LIMIT 2000"},
      {0, NULL}};
  struct census *census = &local->census;
  _Static_assert(SLICE_ROWS == 2000, "the statement says so");
  census->db =
      index_open_reader(local->datadir.path, shm_vfs(&local->share.shm), err);
  if (!census->db)
    return false;
  if (!index_prepare(census->db, statements, census)) {
    index_fault(census->db, err);
    return false;
  }
  census_sizes(local);
  census->rested = REST_TICKS_MAX; /* at once */
  census->timer = sluice_timer_new(local->host, TICK_MS, census_tick, local);
  return true;
}

void census_close(struct local *local) {
  struct census *census = &local->census;
  sluice_timer_free(census->timer);
  index_close(census->db);
  free(census->last);
  census->timer = NULL;
  census->db = NULL;
  census->last = NULL;
}

/* ---- what happens ------------------------------------------------------- */

void census_note_commit(struct local *local, size_t changes,
                        uint64_t since_us) {
  atomic_store(&local->census.changed, true);
  sluice_count(local->host, CENSUS_COMMITS, 1);
  sluice_count(local->host, CENSUS_COMMITTED, changes);
  sluice_observe(local->host, SLUICE_SERIES(CENSUS_SYNCS, CENSUS_SYNC_INDEX),
                 clock_us() - since_us);
}

void census_note_blob(struct local *local, uint64_t since_us) {
  sluice_observe(local->host, SLUICE_SERIES(CENSUS_SYNCS, CENSUS_SYNC_BLOB),
                 clock_us() - since_us);
}

uint64_t census_note_damage(struct local *local) {
  sluice_count(local->host, CENSUS_DAMAGED, 1);
  return atomic_fetch_add(&local->damaged, 1) + 1;
}
