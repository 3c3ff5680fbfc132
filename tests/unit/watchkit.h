/* SPDX-License-Identifier: MIT
 *
 * A file in a folder of its own, watched by a real loop with a real pool, and
 * a parser that can be held up.
 */
#ifndef TESTS_WATCHKIT_H
#define TESTS_WATCHKIT_H

#include "unit.h"
#include "watch.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"
#include "op.h"
#include "work.h"

#define MAX 64
#define PASSES 5000 /* of 10 ms */

struct rig {
  struct loop *loop;
  struct work_pool *pool;
  struct sluice_host host;
  char folder[64], path[96], other[96];
  struct watch_file file;
  struct watch *watch;
  atomic_int parses;
  atomic_bool hold; /* parse() waits for a byte of the pipe */
  int gate[2];
  int err, log; /* stderr meanwhile */
};

/* ---- the file's meaning: itself, unless it begins with "bad" -------------
 */

static inline void *parse(const char *data, size_t len, void *arg,
                          struct errmsg *err) {
  struct rig *rig = arg;
  char byte;
  assert(data[len] == '\0');
  if (atomic_load(&rig->hold))
    assert(read(rig->gate[0], &byte, 1) == 1);
  atomic_fetch_add(&rig->parses, 1);
  if (strncmp(data, "bad", 3) == 0) {
    errmsg_set(err, "it is %s", data);
    return NULL;
  }
  return strdup(data);
}

static inline void let_go(void *parsed) {
  free(parsed);
}

/* ---- the scene ---------------------------------------------------------- */

static inline void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
}

static inline void rig_init(struct rig *rig, const char *text) {
  *rig = (struct rig){.folder = "/tmp/sluice-watch-XXXXXX",
                      .loop = loop_new(),
                      .pool = work_pool_new(2)};
  assert(mkdtemp(rig->folder) && pipe(rig->gate) == 0);
  snprintf(rig->path, sizeof rig->path, "%s/file", rig->folder);
  snprintf(rig->other, sizeof rig->other, "%s/other", rig->folder);
  rig->host = (struct sluice_host){
      .name = "test", .loop = rig->loop, .share = work_own(rig->pool)};
  rig->file = (struct watch_file){.path = rig->path,
                                  .max = MAX,
                                  .interval_ms = 1,
                                  .parse = parse,
                                  .free = let_go,
                                  .arg = rig};
  rig->err = dup(STDERR_FILENO);
  rig->log = open(rig->folder, O_TMPFILE | O_RDWR, 0600);
  assert(rig->err >= 0 && rig->log >= 0);
  dup2(rig->log, STDERR_FILENO);
  if (text != NULL)
    put(rig->path, text);
}

static inline void rig_watch(struct rig *rig) {
  struct errmsg err = {""};
  void *parsed = watch_read(&rig->file, &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(parsed);
  rig->watch = watch_new(&rig->host, &rig->file, parsed);
  CU_ASSERT_PTR_NOT_NULL_FATAL(rig->watch);
}

static inline void rig_fini(struct rig *rig) {
  watch_free(rig->watch);
  loop_stop(rig->loop);
  loop_run(rig->loop);
  work_pool_free(rig->pool);
  loop_free(rig->loop);
  dup2(rig->err, STDERR_FILENO);
  close(rig->err);
  close(rig->log);
  close(rig->gate[0]);
  close(rig->gate[1]);
  unlink(rig->path);
  unlink(rig->other);
  rmdir(rig->folder);
}

static inline size_t rig_said(const struct rig *rig, const char *words) {
  static char text[65536];
  size_t count = 0;
  ssize_t len = pread(rig->log, text, sizeof text - 1, 0);
  text[len < 0 ? 0 : len] = '\0';
  for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
    count++;
  return count;
}

static inline void on_tick(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  *(bool *)arg = true;
}

/* Runs the loop for one event, or for 10 ms. */
static inline void rig_pass(struct rig *rig) {
  static const struct timeval tick = {.tv_usec = 10000};
  bool over = false;
  struct event *timer = evtimer_new(loop_base(rig->loop), on_tick, &over);
  event_add(timer, &tick);
  event_base_loop(loop_base(rig->loop), EVLOOP_ONCE);
  event_free(timer);
}

static inline bool rig_reads(struct rig *rig, const char *text) {
  for (int i = 0; i < PASSES; i++) {
    if (strcmp(watch_get(rig->watch), text) == 0)
      return true;
    rig_pass(rig);
  }
  return false;
}

static inline bool rig_parses(struct rig *rig, int count) {
  for (int i = 0; i < PASSES; i++) {
    if (atomic_load(&rig->parses) >= count)
      return true;
    rig_pass(rig);
  }
  return false;
}

#endif
