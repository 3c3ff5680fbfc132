/* SPDX-License-Identifier: MIT
 *
 * Objects in memory, in byte order of their keys, for the plugins that tests
 * break.  All of it is under the lock of `struct boxes`; a found box stays
 * until box_drop().
 */
#ifndef TESTS_PLUGINS_BOXES_H
#define TESTS_PLUGINS_BOXES_H

#include <sluice/plugin.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BOX_PAIRS 16

struct box {
  struct box *next;
  unsigned users;
  char *key, *type, *etag, *bytes;
  struct sluice_meta meta;
  struct sluice_pair pairs[BOX_PAIRS + 1];
};

struct boxes {
  pthread_mutex_t lock;
  struct box *first;
  int (*compare)(const char *, const char *);
};

static inline char *box_text(const char *text) {
  return text == NULL ? NULL : strdup(text);
}

static inline struct box *box_new(void) {
  struct box *box = calloc(1, sizeof *box);
  if (box == NULL)
    abort();
  box->users = 1;
  box->meta = (struct sluice_meta)SLUICE_META;
  return box;
}

static inline void box_add(struct box *box, const void *data, size_t len) {
  size_t before = (size_t)box->meta.length;
  box->bytes = realloc(box->bytes, before + len + 1);
  if (box->bytes == NULL)
    abort();
  if (len > 0)
    memcpy(box->bytes + before, data, len);
  box->meta.length = before + len;
}

static inline void box_name(struct box *box, const struct sluice_object *as) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  box->meta.mtime_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
  box->key = box_text(as->key);
  box->meta.type = box->type = box_text(as->type);
  box->meta.etag = box->etag = box_text(as->md5);
  box->meta.user = box->pairs;
  for (size_t i = 0; i < BOX_PAIRS && as->user[i].name != NULL; i++)
    box->pairs[i] = (struct sluice_pair){box_text(as->user[i].name),
                                         box_text(as->user[i].value)};
}

static inline void box_free(struct box *box) {
  for (size_t i = 0; box->pairs[i].name != NULL; i++) {
    free((void *)box->pairs[i].name);
    free((void *)box->pairs[i].value);
  }
  free(box->key);
  free(box->type);
  free(box->etag);
  free(box->bytes);
  free(box);
}

static inline void box_drop(struct boxes *boxes, struct box *box) {
  if (box == NULL)
    return;
  pthread_mutex_lock(&boxes->lock);
  unsigned left = --box->users;
  pthread_mutex_unlock(&boxes->lock);
  if (left == 0)
    box_free(box);
}

/* The place where the key is, or would be; under the lock. */
static inline struct box **boxes_at(struct boxes *boxes, const char *key) {
  struct box **at = &boxes->first;
  while (*at != NULL && strcmp((*at)->key, key) < 0 &&
         boxes->compare((*at)->key, key) != 0)
    at = &(*at)->next;
  return at;
}

static inline bool boxes_has(struct boxes *boxes, struct box **at,
                             const char *key) {
  return *at != NULL && boxes->compare((*at)->key, key) == 0;
}

static inline struct box *boxes_find(struct boxes *boxes, const char *key) {
  pthread_mutex_lock(&boxes->lock);
  struct box **at = boxes_at(boxes, key);
  struct box *box = boxes_has(boxes, at, key) ? *at : NULL;
  if (box != NULL)
    box->users++;
  pthread_mutex_unlock(&boxes->lock);
  return box;
}

/* `etag` is NULL, or what it must have: SLUICE_EPRECOND. */
static inline enum sluice_status
boxes_remove_if(struct boxes *boxes, const char *key, const char *etag) {
  enum sluice_status status = SLUICE_ENOENT;
  pthread_mutex_lock(&boxes->lock);
  struct box **at = boxes_at(boxes, key), *old = NULL;
  if (boxes_has(boxes, at, key)) {
    bool other = etag != NULL && strcmp((*at)->etag, etag) != 0;
    status = other ? SLUICE_EPRECOND : SLUICE_OK;
  }
  if (status == SLUICE_OK) {
    old = *at;
    *at = old->next;
  }
  pthread_mutex_unlock(&boxes->lock);
  box_drop(boxes, old);
  return status;
}

static inline void boxes_remove(struct boxes *boxes, const char *key) {
  boxes_remove_if(boxes, key, NULL);
}

/* Takes it: SLUICE_OK, unless there is one and it is to be exclusive
 * (SLUICE_EEXIST), or none of that ETag (SLUICE_EPRECOND).  `before` may be
 * NULL. */
static inline enum sluice_status boxes_put_if(struct boxes *boxes,
                                              struct box *box, bool exclusive,
                                              const char *etag,
                                              enum sluice_before *before) {
  pthread_mutex_lock(&boxes->lock);
  struct box **at = boxes_at(boxes, box->key), *old = NULL;
  bool there = boxes_has(boxes, at, box->key);
  bool other = etag != NULL && (!there || strcmp((*at)->etag, etag) != 0);
  enum sluice_status status = other                ? SLUICE_EPRECOND
                              : there && exclusive ? SLUICE_EEXIST
                                                   : SLUICE_OK;
  if (before != NULL)
    *before = there ? SLUICE_BEFORE_THERE : SLUICE_BEFORE_FREE;
  if (status == SLUICE_OK) {
    if (there) {
      old = *at;
      *at = old->next;
    }
    at = boxes_at(boxes, box->key);
    box->next = *at;
    *at = box;
  }
  pthread_mutex_unlock(&boxes->lock);
  box_drop(boxes, old);
  return status;
}

static inline bool boxes_put(struct boxes *boxes, struct box *box,
                             bool exclusive) {
  return boxes_put_if(boxes, box, exclusive, NULL, NULL) == SLUICE_OK;
}

static inline void boxes_clear(struct boxes *boxes) {
  while (boxes->first != NULL)
    boxes_remove(boxes, boxes->first->key);
}

#endif
