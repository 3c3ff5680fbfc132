/* SPDX-License-Identifier: MIT
 *
 * Looks keys up.  A get opens its blob here, on the pool's thread, and lends
 * the descriptor as one chunk: an object that is removed meanwhile stays
 * readable through it.
 */
#include "reader.h"

#include "blob.h"
#include "index.h"
#include "local.h"
#include "uploader.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRIES_MAX 8 /* an object replaced that often, meanwhile */
#define READ_AHEAD (1u << 20)
#define PING_ROOM (64u << 10) /* that an upload needs at least */

static const struct index_sql statements[] = {
    {offsetof(struct reader, begin), "BEGIN"},
    {offsetof(struct reader, end), "COMMIT"},
    {offsetof(struct reader, find),
     "SELECT " ROW_COLUMNS " FROM object WHERE key = ?1"},
    {offsetof(struct reader, bytes), "SELECT bytes FROM small WHERE id = ?1"},
    {offsetof(struct reader, ping), "SELECT value FROM state LIMIT 1"},
    {0, NULL}};

static void damaged(struct task *task, const char *what) {
  task_fail_damaged(task, what, task->key, strlen(task->key));
}

/* The MD5 of what the gateway took, which nothing else checks on its way from
 * the disk. */
static bool is_stored(const struct row *row, const void *data, size_t len) {
  unsigned char md5[DIGEST_MD5_LEN];
  digest_md5(md5, data, len);
  return memcmp(md5, row->md5, sizeof md5) == 0;
}

static void open_blob(struct task *task) {
  const struct local *local = task->handle->local;
  int fd = store_read(&local->store, task->row.blob);
  task->file.fd = fd;
  task->stale = fd < 0 && errno == ENOENT;
  if (fd < 0 && !task->stale)
    task_fail_errno(task, "a blob can't be opened", errno);
  if (fd < 0)
    return;
  const char *wrong =
      blob_mismatch(fd, &task->row, task->row.blob >= local->marked);
  if (wrong)
    damaged(task, wrong);
  uint64_t ahead = task->count < READ_AHEAD ? task->count : READ_AHEAD;
  if (task->first < task->row.length)
    posix_fadvise(fd, (off_t)task->first, (off_t)ahead, POSIX_FADV_WILLNEED);
}

static void fetch_bytes(struct reader *reader, struct task *task) {
  sqlite3_bind_int64(reader->bytes, 1, (int64_t)task->row.small);
  int result = index_step(reader->bytes);
  if (result == SQLITE_ROW) {
    const void *data = sqlite3_column_blob(reader->bytes, 0);
    size_t len = (size_t)sqlite3_column_bytes(reader->bytes, 0);
    if (len != task->row.length)
      damaged(task, "its bytes in the index haven't the right length");
    else if (!is_stored(&task->row, data, len))
      damaged(task, "its bytes in the index aren't those that were stored");
    else if (!buf_add(&task->bytes, data, len))
      task->status = SLUICE_ENOMEM;
  } else if (result == SQLITE_DONE) {
    damaged(task, "its bytes aren't in the index");
  } else {
    task_fail_index(task, reader->db);
  }
  index_reset(reader->bytes);
}

static void fetch(struct reader *reader, struct task *task) {
  if (task->row.blob)
    open_blob(task);
  else if (task->row.small)
    fetch_bytes(reader, task);
  else if (task->row.length > 0)
    damaged(task, "its row names no bytes");
}

static void reader_look_up(struct reader *reader, struct task *task) {
  index_bind(reader->find, 1, task->key, strlen(task->key));
  int result = index_step(reader->find);
  if (result == SQLITE_ROW)
    task->status = row_load(&task->row, reader->find, task->key);
  else if (result == SQLITE_DONE)
    task->status = SLUICE_ENOENT;
  else
    task_fail_index(task, reader->db);
  index_reset(reader->find);
  if (result == SQLITE_ROW && task->status == SLUICE_EIO)
    damaged(task, "its row in the index isn't what was written");
  if (task->status == SLUICE_OK && task->kind != TASK_HEAD)
    fetch(reader, task);
}

/* The blob of a row went before it was opened: the object was replaced or
 * removed, which a transaction begun now sees.  Row and bytes in one: the id
 * of bytes that went may be another object's. */
static void reader_look_again(struct reader *reader, struct task *task) {
  for (int tries = 0; task->stale && tries < TRIES_MAX; tries++) {
    uint64_t blob = task->row.blob;
    row_fini(&task->row);
    task->stale = false;
    bool begun = index_run(reader->begin);
    reader_look_up(reader, task);
    if (begun)
      index_run(reader->end);
    if (task->stale && task->row.blob == blob)
      break;
  }
  if (task->stale)
    damaged(task, "its blob is missing");
}

/* Uploads wait, once the room that is kept for removes was given up, until
 * there is as much again. */
static void try_room(struct local *local, struct task *task) {
  uint64_t need =
      atomic_load(&local->datadir.full) ? 2 * local->datadir.spare : 0;
  int error =
      store_try_room(&local->store, need > PING_ROOM ? need : PING_ROOM);
  if (error != 0)
    task_fail_write(task, "no upload can be written", error);
}

static void reader_check(struct reader *reader, struct task *task) {
  struct local *local = task->handle->local;
  if (!task_may_write(task))
    return;
  if (index_step(reader->ping) != SQLITE_ROW)
    task_fail_index(task, reader->db);
  index_reset(reader->ping);
  if (task->status == SLUICE_OK &&
      !identity_holds(&local->identity, &local->datadir, &task->why))
    task->status = SLUICE_EBUSY;
  if (task->status == SLUICE_OK)
    try_room(local, task);
}

static void reader_run(void *arg, void **jobs, size_t count) {
  struct reader *reader = arg;
  bool begun = index_run(reader->begin);
  for (size_t i = 0; i < count; i++) {
    struct task *task = jobs[i];
    if (task->kind == TASK_PING)
      reader_check(reader, task);
    else
      reader_look_up(reader, task);
  }
  if (begun)
    index_run(reader->end);
  for (size_t i = 0; i < count; i++)
    reader_look_again(reader, jobs[i]);
}

/* ---- on the loop ---- */

static const struct row *reader_row_of(const struct task *task) {
  return task->entry ? &task->entry->row : &task->row;
}

static void reader_tell(struct task *task) {
  if (!row_tell(reader_row_of(task), task->op, SLUICE_BEFORE_UNKNOWN,
                task->handle->local->verify))
    task->status = SLUICE_ENOMEM;
  if (task->status != SLUICE_OK || task->kind != TASK_GET)
    task_end(task);
}

/* A blob's row isn't worth much, as a get has to open the blob anyway. */
static void reader_keep(struct task *task) {
  bool whole = !task->row.blob && (!task->row.small || task->bytes.len > 0);
  if (share_among(&task->handle->local->share))
    return;
  if (task->kind == TASK_HEAD || whole)
    task->entry = cache_keep(task->handle->cache, task->key, &task->ticket,
                             &task->row, &task->bytes, whole);
}

static void looked_up(void *arg) {
  struct task *task = arg;
  if (!task_is_back(task) || task->kind == TASK_PING) {
    task_end(task);
    return;
  }
  reader_keep(task);
  reader_tell(task);
}

static void reader_ask(struct local_handle *handle, struct task *task,
                       const char *key) {
  task->ticket = cache_ticket(handle->cache, key);
  if (share_among(&handle->local->share)) /* others change objects, too */
    task->ticket.open = false;
  task->entry =
      cache_find(handle->cache, key, &task->ticket, task->kind == TASK_GET);
  if (task->entry) {
    reader_tell(task);
  } else if ((task->key = strdup(key))) {
    task_lane(task, handle->reader.lane, looked_up);
  } else {
    task->status = SLUICE_ENOMEM;
    task_end(task);
  }
}

void reader_load(struct task *task, void (*then)(void *task)) {
  task_lane(task, task->handle->reader.lane, then);
}

void reader_head(void *handle, struct sluice_op *op, const char *key) {
  reader_ask(handle, task_start(handle, op, TASK_HEAD), key);
}

void reader_get(void *handle, struct sluice_op *op,
                const struct sluice_get *get) {
  struct task *task = task_start(handle, op, TASK_GET);
  task->first = get->first;
  task->count = get->count;
  reader_ask(handle, task, get->key);
}

void reader_ping(void *handle, struct sluice_op *op) {
  struct task *task = task_start(handle, op, TASK_PING);
  task_lane(task, ((struct local_handle *)handle)->reader.lane, looked_up);
}

void reader_read(void *handle, struct sluice_op *op, uint64_t first,
                 uint64_t count) {
  struct task *task = task_of(op);
  (void)handle;
  if (task->kind == TASK_PUT) {
    uploader_reread(task);
    return;
  }
  const struct row *row = reader_row_of(task);
  if (first > 0 && first >= row->length) {
    task_fail(task, SLUICE_ERANGE, "the object ends before that");
    task_end(task);
    return;
  }
  uint64_t left = row->length - first;
  struct sluice_chunk chunk = {.length = count < left ? count : left,
                               .offset = first,
                               .fd = task->file.fd,
                               .last = true};
  if (chunk.fd < 0) {
    chunk.data = (task->entry ? task->entry->bytes : task->bytes).data + first;
    chunk.offset = 0;
  }
  sluice_send(op, &chunk);
}

void reader_more(void *handle, struct sluice_op *op) {
  struct task *task = task_of(op);
  (void)handle;
  if (task->kind == TASK_PUT)
    sluice_next(op);
  else
    task_end(task);
}

bool reader_open(struct local_handle *handle, struct errmsg *err) {
  struct reader *reader = &handle->reader;
  reader->db = index_open_reader(handle->local->datadir.path,
                                 shm_vfs(&handle->local->share.shm), err);
  if (!reader->db)
    return false;
  if (!index_prepare(reader->db, statements, reader)) {
    index_fault(reader->db, err);
    return false;
  }
  reader->lane = sluice_lane_new(handle->host, reader_run, reader);
  return reader->lane || errmsg_set(err, "no memory is left");
}

void reader_close(struct local_handle *handle) {
  if (handle->reader.lane)
    sluice_lane_free(handle->reader.lane);
  index_close(handle->reader.db);
}
