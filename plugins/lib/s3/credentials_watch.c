/* SPDX-License-Identifier: MIT
 *
 * Looks at the file by stat(2), which may block, so a thread of the pool does
 * it.  The first look always tells of a change, as nobody has looked when the
 * gateway started.
 */
#include "credentials_watch.h"

#include <stdlib.h>
#include <sys/stat.h>

#define PAUSE_MS 1000

struct credentials_watch {
  const struct credentials_source *source;
  struct sluice_host *host;
  void (*changed)(void *arg);
  void *arg;
  int64_t looked_ms; /* 0: never */
  bool looking;      /* a thread does */
  bool freed;        /* meanwhile */
  bool found;        /* the thread's answer */
  struct stat now, before;
};

struct credentials_watch *
credentials_watch_new(const struct credentials_source *source,
                      struct sluice_host *host, void (*changed)(void *arg),
                      void *arg) {
  struct credentials_watch *watch = calloc(1, sizeof *watch);
  if (watch == NULL)
    return NULL;
  watch->source = source;
  watch->host = host;
  watch->changed = changed;
  watch->arg = arg;
  return watch;
}

void credentials_watch_free(struct credentials_watch *watch) {
  if (watch != NULL && watch->looking)
    watch->freed = true; /* it comes back to us */
  else
    free(watch);
}

static bool same_file(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
         a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
         a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void look_work(void *arg) {
  struct credentials_watch *watch = arg;
  watch->found = stat(watch->source->file, &watch->now) == 0;
}

static void look_then(void *arg) {
  struct credentials_watch *watch = arg;
  watch->looking = false;
  if (watch->freed) {
    free(watch);
    return;
  }
  /* One that is gone is being replaced. */
  if (!watch->found || same_file(&watch->now, &watch->before))
    return;
  watch->before = watch->now;
  watch->changed(watch->arg);
}

void credentials_watch_look(struct credentials_watch *watch, int64_t now_ms) {
  if (watch->looking ||
      (watch->looked_ms != 0 && now_ms - watch->looked_ms < PAUSE_MS))
    return;
  watch->looked_ms = now_ms;
  watch->looking = true;
  sluice_work(watch->host, look_work, look_then, watch);
}
