/* SPDX-License-Identifier: MIT
 *
 * The backend `local`: objects in a directory, for one gateway.  An SQLite
 * index knows them, blobs hold what is large.  What is acknowledged is
 * durable, and after a crash nothing is half there.  sluice-local(7).
 */
#include "local.h"

#include "chore.h"
#include "date.h"
#include "digest.h"
#include "garbage.h"
#include "must.h"
#include "recover.h"
#include "copier.h"
#include "stager.h"
#include "uploader.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define KEY_TEXT_MIN 16

static const struct sluice_option options[] = {
    {"directory", SLUICE_STRING, NULL, offsetof(struct local_conf, directory),
     "where the objects are kept; made when it isn't there"},
    {"signing_key", SLUICE_SECRET, "",
     offsetof(struct local_conf, signing_key),
     "signs links, at least 16 characters; empty: the one in the store"},
    {"inline_max", SLUICE_SIZE, "16KiB",
     offsetof(struct local_conf, inline_max),
     "objects up to this size are kept in the index; at most 1MiB"},
    {"cache", SLUICE_SIZE, "8MiB", offsetof(struct local_conf, cache),
     "each loop's memory for small objects that were asked for; 0: none"},
    {"sync", SLUICE_BOOL, "true", offsetof(struct local_conf, sync),
     "wait for the disk; false only for data that may get lost"},
    {"create", SLUICE_BOOL, "true", offsetof(struct local_conf, create),
     "make a new store where none is; false refuses, as with a disk that "
     "isn't mounted"},
    {"verify", SLUICE_BOOL, "true", offsetof(struct local_conf, verify),
     "compare whole downloads that TLS reads with their MD5"},
    {NULL, 0, NULL, 0, NULL}};

/* ---- the instance ---- */

/* The gateway makes keys of it. */
static bool check_key(const char *text, struct errmsg *err) {
  if (*text == '\0' || strlen(text) >= KEY_TEXT_MIN)
    return true;
  return errmsg_set(err,
                    "signing_key is too short; give it at least %d "
                    "characters, or none for the one in the store",
                    KEY_TEXT_MIN);
}

static bool local_join(struct local *local, struct sluice_handed *handed,
                       struct errmsg *err) {
  int fds[SHARE_FDS];
  must_have(handed->fds);
  for (size_t i = 0; i < SHARE_FDS; i++) {
    fds[i] = handed->fds[i];
    handed->fds[i] = -1;
  }
  return share_join(&local->share, fds, err);
}

static bool local_set_up(struct local *local, const struct local_conf *conf,
                         struct errmsg *err) {
  if (conf->inline_max > LOCAL_INLINE_MAX)
    return errmsg_set(err, "inline_max is too large; at most 1MiB can be kept "
                           "in the index");
  local->inline_max = conf->inline_max;
  local->cache_max = conf->cache;
  local->sync = conf->sync;
  local->verify = conf->verify;
  cache_epochs_init(&local->epochs);
  struct sluice_handed *handed = sluice_handed(local->host);
  int lock = handed && handed->count == SHARE_FDS ? handed->fds[0] : -1;
  if (!datadir_open(&local->datadir, conf->directory, conf->create, &lock,
                    err))
    return false;
  local->joined = lock >= 0;
  if (local->joined && !local_join(local, handed, err))
    return false;
  local->health.path = local->datadir.path;
  if (!check_key(conf->signing_key, err) ||
      !store_open(&local->store, local->datadir.dir, conf->sync, local->joined,
                  err) ||
      !recover(local, err) || !writer_open(local, err) ||
      !census_open(local, err))
    return false;
  writer_take_room(local);
  return identity_note(&local->identity, &local->datadir, err);
}

static void local_stop(void *instance) {
  struct local *local = instance;
  census_close(local);
  writer_close(local);
  share_close(&local->share);
  store_close(&local->store);
  datadir_close(&local->datadir);
  free(local);
}

/* The caches may hold what others have changed since; and nobody has a list of
 * the garbage that they left. */
static void others_left(void *arg) {
  struct local *local = arg;
  cache_changed_all(&local->epochs);
  garbage_inherit(&local->writer);
}

static void *local_start(const void *conf, struct sluice_host *host) {
  struct errmsg err = {""};
  struct local *local = calloc(1, sizeof *local);
  if (!local) {
    sluice_fail(host, "no memory is left");
    return NULL;
  }
  local->host = host;
  local->health.host = host;
  local->datadir = (struct datadir)DATADIR_CLOSED;
  local->share = (struct share)SHARE_ALONE;
  local->share.alone = others_left;
  local->share.arg = local;
  local->store = (struct store)STORE_CLOSED;
  if (local_set_up(local, conf, &err))
    return local;
  sluice_fail(host, "%s", err.text);
  local_stop(local);
  return NULL;
}

static size_t local_hand_over(void *instance, int *fds) {
  struct local *local = instance;
  return share_pass(&local->share, fds);
}

/* ---- on one loop ---- */

static void local_close(void *arg) {
  struct local_handle *handle = arg;
  reader_close(handle);
  lister_close(handle);
  cache_free(handle->cache);
  free(handle);
}

static void *local_open(void *instance, struct sluice_host *host) {
  struct errmsg err = {""};
  struct local_handle *handle = calloc(1, sizeof *handle);
  if (!handle) {
    sluice_fail(host, "no memory is left");
    return NULL;
  }
  handle->local = instance;
  handle->host = host;
  handle->cache = cache_new(&handle->local->epochs, handle->local->cache_max);
  if (handle->cache == NULL)
    errmsg_set(&err, "no memory is left");
  else if (reader_open(handle, &err) && lister_open(handle, &err))
    return handle;
  sluice_fail(host, "%s", err.text);
  local_close(handle);
  return NULL;
}

static void local_cancel(void *handle, struct sluice_op *op) {
  struct task *task = task_of(op);
  (void)handle;
  if (task->place != TASK_HERE) {
    task->place = TASK_AWAY_CANCELED;
    return;
  }
  task->status = SLUICE_ECANCELED;
  task_end(task);
}

/* All of it inside the transaction. */
static unsigned local_can(void *instance) {
  (void)instance;
  return SLUICE_CAN_CREATE | SLUICE_CAN_REPLACE | SLUICE_CAN_REMOVE |
         SLUICE_CAN_COPY | SLUICE_CAN_COPY_NEW | SLUICE_CAN_TELL |
         SLUICE_CAN_MATCH_ANY | SLUICE_CAN_REREAD | SLUICE_CAN_END;
}

static const struct sluice_backend backend = {
    SLUICE_HEAD(sluice_backend),
    .name = "local",
    .version = SLUICE_VERSION,
    .summary = "objects in a directory of this machine",
    .options = options,
    .conf_size = sizeof(struct local_conf),
    .start = local_start,
    .stop = local_stop,
    .open = local_open,
    .close = local_close,
    .head = reader_head,
    .get = reader_get,
    .read = reader_read,
    .more = reader_more,
    .put = uploader_put,
    .data = uploader_data,
    .commit = uploader_commit,
    .list = lister_list,
    .remove = uploader_remove,
    .cancel = local_cancel,
    .ping = reader_ping,
    .can = local_can,
    .remove_if = uploader_remove_if,
    .copy = copier_copy,
    .remove_many = many_remove,
    .stage = stager_stage,
    .save = stager_save,
    .stage_commit = stager_commit,
    .stage_get = stager_get,
    .stage_remove = stager_remove,
    .stage_sweep = stager_sweep,
    .chore = chore_do,
    .hand_over = local_hand_over,
    .metrics = census_metrics,
};

SLUICE_REACH({"directory", SLUICE_REACH_FOLDER, "create"})
SLUICE_BACKEND(local, backend)
