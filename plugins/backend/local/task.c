/* SPDX-License-Identifier: MIT
 *
 * The life of one operation's memory, from its start to sluice_done().
 */
#include "local.h"

#include "codec.h"
#include "index.h"
#include "stager.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_SHOWN 512 /* bytes, in a message */

struct task *task_of(struct sluice_op *op) {
  return sluice_op_state(op, sizeof(struct task));
}

struct task *task_start(struct local_handle *handle, struct sluice_op *op,
                        enum task_kind kind) {
  struct task *task = task_of(op);
  task->op = op;
  task->handle = handle;
  task->kind = kind;
  task->file.fd = -1;
  task->source = -1;
  row_init(&task->row);
  buf_init(&task->bytes, LOCAL_INLINE_MAX);
  return task;
}

void task_work(struct task *task, void (*work)(void *task),
               void (*then)(void *task)) {
  task->place = TASK_AWAY;
  sluice_work(task->handle->host, work, then, task);
}

void task_lane(struct task *task, struct sluice_lane *lane,
               void (*then)(void *task)) {
  task->place = TASK_AWAY;
  sluice_lane_add(lane, task->handle->host, task, then);
}

void task_fail(struct task *task, enum sluice_status status, const char *fmt,
               ...) {
  va_list args;
  task->status = status;
  va_start(args, fmt);
  errmsg_vset(&task->why, fmt, args);
  va_end(args);
}

void task_fail_errno(struct task *task, const char *what, int error) {
  task_fail(task, store_fault(error), "%s: %s", what, strerror(error));
}

void task_fail_write(struct task *task, const char *what, int error) {
  struct local *local = task->handle->local;
  task_fail_errno(task, what, error);
  if (identity_holds(&local->identity, &local->datadir, &task->why))
    health_fault(&local->health, task->status, task->why.text);
  else
    task->status = SLUICE_EBUSY;
}

void task_fail_index(struct task *task, sqlite3 *db) {
  task->status = index_fault(db, &task->why);
  if (index_is_damaged(db))
    health_fault(&task->handle->local->health, SLUICE_EIO, task->why.text);
}

void task_fail_damaged(struct task *task, const char *what, const char *key,
                       size_t len) {
  struct local *local = task->handle->local;
  uint64_t count = census_note_damage(local);
  task_fail(task, SLUICE_EIO,
            "an object is damaged, %s; restore or remove \"%.*s\" (damage "
            "was met %llu times since the start)",
            what, len < KEY_SHOWN ? (int)len : KEY_SHOWN, key,
            (unsigned long long)count);
}

bool task_may_write(struct task *task) {
  const struct health *health = &task->handle->local->health;
  if (!health_read_only(health))
    return true;
  task->status = SLUICE_EBUSY;
  health_tell(health, &task->why);
  return false;
}

/* A text that is no MD5 is no object's ETag. */
void task_match(struct task *task, const char *etag) {
  if (etag == NULL)
    task->condition = TASK_ALWAYS;
  else if (strcmp(etag, "*") == 0)
    task->condition = TASK_IF_THERE;
  else
    task->condition = TASK_IF_MATCH;
  if (etag != NULL && strlen(etag) == sizeof task->match - 1)
    memcpy(task->match, etag, sizeof task->match);
}

bool task_matches(const struct task *task, const unsigned char *md5) {
  char etag[2 * DIGEST_MD5_LEN + 1];
  if (task->condition != TASK_IF_MATCH)
    return true;
  codec_hex(etag, md5, DIGEST_MD5_LEN);
  return strcmp(etag, task->match) == 0;
}

static void let_go(struct task *task) {
  enum sluice_before before =
      task->was_there ? SLUICE_BEFORE_THERE : SLUICE_BEFORE_FREE;
  if (task->status == SLUICE_OK && task->kind == TASK_PUT)
    row_tell_stored(&task->row, task->op, before);
  else if (task->status == SLUICE_OK && task->kind == TASK_COPY)
    row_tell(&task->row, task->op, before, false);
  free(task->key);
  free(task->target);
  if (task->source >= 0)
    close(task->source);
  if (task->entry)
    cache_leave(task->entry);
  row_fini(&task->row);
  buf_fini(&task->bytes);
  listing_free(task->listing);
  many_free(task->many);
  stager_let_go(task);
  sluice_done(task->op, task->status, task->why.text[0] ? "%s" : NULL,
              task->why.text);
}

static void close_file(void *arg) {
  struct task *task = arg;
  store_discard(&task->handle->local->store, &task->file);
}

static void closed(void *arg) {
  let_go(arg);
}

/* Closing the last descriptor of an unlinked file frees its blocks, which
 * takes long for a large one. */
static bool frees_blocks(const struct store_file *file) {
  struct stat st;
  return file->fd >= 0 &&
         (file->name || fstat(file->fd, &st) != 0 || st.st_nlink == 0);
}

void task_end(struct task *task) {
  if (frees_blocks(&task->file)) {
    task_work(task, close_file, closed);
    return;
  }
  close_file(task);
  let_go(task);
}

bool task_is_back(struct task *task) {
  if (task->place == TASK_AWAY_CANCELED)
    task->status = SLUICE_ECANCELED;
  task->place = TASK_HERE;
  return task->status == SLUICE_OK;
}

bool task_goes_on(struct task *task) {
  if (task_is_back(task))
    return true;
  task_end(task);
  return false;
}
