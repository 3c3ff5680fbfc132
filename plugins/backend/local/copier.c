/* SPDX-License-Identifier: MIT
 *
 * A copy is a blob of its own, as each describes one object: file systems that
 * can share blocks do, others copy in the kernel.
 */
#include "copier.h"

#include "local.h"
#include "uploader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes that a thread copies before the gateway hears that it goes on. */
#define SLICE (64u << 20)

/* Some kernels, file systems and sandboxes don't copy. */
static ssize_t copy_through(struct task *task, size_t count) {
  char piece[65536];
  size_t len = count < sizeof piece ? count : sizeof piece;
  ssize_t got = pread(task->source, piece, len, (off_t)task->written);
  if (got <= 0)
    return got;
  return store_write(&task->file, piece, (size_t)got, task->written) ? got
                                                                     : -1;
}

static ssize_t copy_within(struct task *task, size_t count) {
  off_t from = (off_t)task->written, to = from;
  ssize_t done =
      copy_file_range(task->source, &from, task->file.fd, &to, count, 0);
  bool never = done < 0 && (errno == ENOSYS || errno == EOPNOTSUPP ||
                            errno == EXDEV || errno == EINVAL);
  return never ? copy_through(task, count) : done;
}

/* False with errno set; nothing at all is copied only where the source is
 * shorter than its row says. */
static bool copy_some(struct task *task, uint64_t count) {
  ssize_t done = copy_within(task, (size_t)count);
  if (done > 0)
    task->written += (uint64_t)done;
  if (done == 0)
    errno = EIO;
  return done > 0 || (done < 0 && errno == EINTR);
}

static void copy_slice(void *arg) {
  struct task *task = arg;
  struct store *store = &task->handle->local->store;
  uint64_t begin = task->written, left = task->row.length - begin;
  uint64_t end = begin + (left < SLICE ? left : SLICE);
  if (task->file.fd < 0 && !store_create(store, &task->file)) {
    task_fail_write(task, "a blob can't be made", errno);
    return;
  }
  while (task->written < end)
    if (!copy_some(task, end - task->written)) {
      task_fail_write(task, "a blob can't be copied", errno);
      return;
    }
  if (!store_write_along(store, &task->file, begin, end))
    task_fail_write(task, "a blob can't be written", errno);
}

static void slice_copied(void *arg) {
  struct task *task = arg;
  if (!task_goes_on(task))
    return;
  sluice_alive(task->op);
  if (task->written < task->row.length)
    task_work(task, copy_slice, slice_copied);
  else
    uploader_link(task);
}

static void loaded(void *arg) {
  struct task *task = arg;
  if (task->status == SLUICE_OK && !task_matches(task, task->row.md5))
    task->status = SLUICE_EPRECOND;
  if (!task_goes_on(task))
    return;
  if (!task_may_write(task)) {
    task_end(task);
    return;
  }
  free(task->key);
  task->key = task->target;
  task->target = NULL;
  task->row.blob = 0;
  if (task->file.fd < 0) {
    writer_submit(task);
    return;
  }
  task->source = task->file.fd;
  task->file.fd = -1;
  task_work(task, copy_slice, slice_copied);
}

void copier_copy(void *handle, struct sluice_op *op,
                 const struct sluice_copy *copy) {
  struct task *task = task_start(handle, op, TASK_COPY);
  task->key = strdup(copy->from);
  task->target = strdup(copy->to);
  task->exclusive = copy->exclusive;
  task_match(task, copy->if_match);
  if (task->key && task->target) {
    reader_load(task, loaded);
    return;
  }
  task->status = SLUICE_ENOMEM;
  task_end(task);
}
