/* SPDX-License-Identifier: MIT
 *
 * One operation after the other.
 */
#include "expired.h"

#include <string.h>

#include "date.h"

/* A client that waits for the key has it by then: a storage that removes
 * nothing conditionally might remove what was put there just now. */
#define UNGUARDED_S 60
/* A note comes before its object: so long the object may still be on its way.
 */
#define COMMIT_MS (INT64_C(3600) * 1000)

enum walk_choice expired_choose(struct walk *walk,
                                const struct op_entry *entry) {
  struct expired_walk *own = (struct expired_walk *)walk;
  bool guarded = (walk->backend->abilities & SLUICE_CAN_REMOVE) != 0;
  int64_t moment_s;
  if (!expiry_note_moment(entry->key, &moment_s))
    return WALK_PASSES;
  own->next_s = guarded ? moment_s : moment_s + UNGUARDED_S;
  return expiry_is_over(own->next_s, date_now_ms()) ? WALK_TAKES : WALK_STOPS;
}

static bool expired_looks_only(const struct expired *expired) {
  return ((const struct expired_walk *)expired->task.walk)->looks_only;
}

static void expired_tell(struct expired *expired, enum sluice_status status,
                         const char *why) {
  struct expired_walk *walk = (struct expired_walk *)expired->task.walk;
  if (walk->tell != NULL)
    walk->tell(walk, expired->text, status, why);
}

static const char *expired_etag(const char *etag) {
  return etag[0] == '\0' ? NULL : etag;
}

static void expired_forget_note(struct expired *expired) {
  struct walk_task *task = &expired->task;
  task->key = task->entry->key;
  walk_remove(
      task,
      &(struct sluice_removal){.key = task->key,
                               .if_match = expired_etag(expired->own.etag)},
      NULL);
}

/* The object that is there, or was removed, may be of another note, and that
 * of this one on its way to its commit. */
static void expired_settle(struct expired *expired) {
  const struct walk_entry *note = expired->task.entry;
  bool young = date_now_ms() - note->mtime_ms < COMMIT_MS;
  int64_t moment_s;
  if (expired_looks_only(expired))
    walk_done(&expired->task, SLUICE_OK, NULL);
  else if (young && expiry_note_moment(note->key, &moment_s) &&
           moment_s != expired->expires_s)
    walk_done(&expired->task, SLUICE_OK, NULL);
  else
    expired_forget_note(expired);
}

static void expired_on_removed(void *arg, enum sluice_status status,
                               const char *why) {
  struct expired *expired = arg;
  expired->task.op = NULL;
  expired_tell(expired, status, why);
  if (expired->task.walk->stopped)
    walk_done(&expired->task, SLUICE_ECANCELED, NULL);
  else if (walk_is_gone(status))
    expired_settle(expired);
  else
    walk_done(&expired->task, status, why);
}

/* An object that was stored with an end again has a note of each. */
static bool expired_is_by_this(const struct expired *expired) {
  int64_t moment_s;
  return expiry_note_moment(expired->task.entry->key, &moment_s) &&
         moment_s == expired->expires_s;
}

static void expired_remove(struct expired *expired) {
  static const struct op_events events = {.done = expired_on_removed};
  if (expired_looks_only(expired)) {
    if (expired_is_by_this(expired))
      expired_tell(expired, SLUICE_OK, NULL);
    expired_settle(expired);
    return;
  }
  walk_remove(&expired->task,
              &(struct sluice_removal){.key = expired->text,
                                       .if_match = expired_etag(expired->etag),
                                       .if_ended = true},
              &events);
}

static void expired_on_meta(void *arg, const struct sluice_meta *meta) {
  struct expired *expired = arg;
  size_t len = meta->etag == NULL ? 0 : strlen(meta->etag);
  expired->over = op_has_expired(meta);
  expired->expires_s = op_expires(meta);
  if (len > 0 && len < sizeof expired->etag)
    memcpy(expired->etag, meta->etag, len + 1);
}

static void expired_on_looked(void *arg, enum sluice_status status,
                              const char *why) {
  struct expired *expired = arg;
  expired->task.op = NULL;
  if (status != SLUICE_OK && status != SLUICE_ENOENT)
    walk_done(&expired->task, status, why);
  else if (expired->task.walk->stopped)
    walk_done(&expired->task, SLUICE_ECANCELED, NULL);
  else if (expired->over)
    expired_remove(expired);
  else
    expired_settle(expired);
}

static void expired_look(struct expired *expired) {
  static const struct op_events events = {.sees_expired = true,
                                          .meta = expired_on_meta,
                                          .done = expired_on_looked};
  struct walk_task *task = &expired->task;
  task->key = expired->text;
  task->op = op_head(task->walk->backend, task->key, &events, expired);
}

/* One that isn't ours, or is sealed by a layer above, stays. */
static void expired_on_read(void *arg, enum sluice_status status,
                            const char *why) {
  struct expired *expired = arg;
  struct walk_task *task = &expired->task;
  const struct ownobject *own = &expired->own;
  if (task->walk->stopped)
    walk_done(task, SLUICE_ECANCELED, NULL);
  else if (status == SLUICE_ENOENT || own->foreign)
    walk_done(task, SLUICE_OK, NULL);
  else if (status != SLUICE_OK)
    walk_done(task, status, why);
  else if (strlen(expired->text) != own->length ||
           !expiry_note_is_of(task->entry->key, expired->text) ||
           key_reserved(expired->text, own->length))
    walk_done(task, SLUICE_OK, NULL);
  else
    expired_look(expired);
}

void expired_start(struct walk_task *task) {
  struct expired *expired = (struct expired *)task;
  expired->over = false;
  expired->expires_s = 0;
  expired->etag[0] = '\0';
  ownobject_init(&expired->own, task->walk->backend, expired->text, KEY_MAX,
                 expired_on_read, expired);
  ownobject_read(&expired->own, task->entry->key);
}
