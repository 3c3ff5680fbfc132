/* SPDX-License-Identifier: MIT
 *
 * Objects in memory, which the skeleton has instead of a storage.  Called by
 * the jobs of one lane, so never by two threads at once; only objects are also
 * used by the loops, and those don't change once they are on the shelf.
 */
#ifndef SKELETON_SHELF_H
#define SKELETON_SHELF_H

#include <sluice/plugin.h>

#include <stdatomic.h>

#define SHELF_KEY_MAX 1024
#define SHELF_TEXTS_MAX 8192 /* bytes of key, type, ETag and metadata */
#define SHELF_PAIRS_MAX 16
#define SHELF_PAGE_MAX 1000

struct shelf_object {
  struct shelf_object *next;
  atomic_uint users; /* the shelf, and each call that has it */
  struct sluice_meta meta;
  struct sluice_pair pairs[SHELF_PAIRS_MAX + 1];
  const char *key;
  char *data; /* meta.length bytes */
  size_t texts_len;
  char texts[SHELF_TEXTS_MAX];
};

struct shelf {
  struct shelf_object *first; /* in the byte order of keys */
};

struct shelf_page {
  char prefix[SHELF_KEY_MAX + 1], delimiter[SHELF_KEY_MAX + 1];
  char token[SHELF_KEY_MAX + 1]; /* the last name of the page before, or "" */
  uint32_t max, count;
  struct shelf_object *found[SHELF_PAGE_MAX];
  bool more;
};

struct shelf_object *shelf_object_new(void); /* with one user; NULL: ENOMEM */
void shelf_object_drop(struct shelf_object *); /* one user less; NULL: fine */
bool shelf_object_append(struct shelf_object *, const void *, size_t length);
/* False when its texts don't fit. */
bool shelf_object_name(struct shelf_object *, const struct sluice_object *);

/* The caller is one more user of what is returned; NULL: it isn't there. */
struct shelf_object *shelf_get(struct shelf *, const char *key);
/* Takes the object in any case but SLUICE_EEXIST. */
enum sluice_status shelf_put(struct shelf *, struct shelf_object *,
                             bool exclusive);
void shelf_remove(struct shelf *, const char *key);
/* Fills in `found`, whose user the caller is, and `more`. */
void shelf_scan(struct shelf *, struct shelf_page *);
/* The length of the name that a key is folded to on that page: up to the first
 * delimiter after the prefix; 0: it isn't. */
size_t shelf_fold(const struct shelf_page *, const char *key);
void shelf_clear(struct shelf *);

#endif
