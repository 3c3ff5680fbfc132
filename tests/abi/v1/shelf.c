/* SPDX-License-Identifier: MIT
 *
 * A backend as somebody wrote it for version 1.0: built with the header of
 * then, it has to go on working with every later gateway of version 1.
 */
#include "plugin.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct object { /* the shelf itself is one without key, before the others */
  struct object *next;
  atomic_int users; /* the shelf, and each operation that has it */
  struct sluice_meta meta;
  struct sluice_pair pairs[17];
  const char *key;
  char texts[8192];
  size_t used; /* of texts */
  char bytes[];
};

static void drop(struct object *object) {
  if (object && --object->users == 0)
    free(object);
}

/* Where the key is, or would be. */
static struct object **find(struct object *shelf, const char *key) {
  struct object **at = &shelf->next;
  while (*at && strcmp((*at)->key, key) < 0)
    at = &(*at)->next;
  return at;
}

static bool is_at(struct object **at, const char *key) {
  return *at && strcmp((*at)->key, key) == 0;
}

static void take_away(struct object **at, const char *key) {
  struct object *object = *at;
  if (is_at(at, key)) {
    *at = object->next;
    drop(object);
  }
}

static void *start(const void *conf, struct sluice_host *host) {
  (void)conf;
  struct object *shelf = calloc(1, sizeof *shelf);
  if (!shelf)
    sluice_fail(host, "there is no memory; free some");
  return shelf;
}

static void stop(void *instance) {
  struct object *shelf = instance;
  while (shelf->next)
    take_away(&shelf->next, shelf->next->key);
  free(shelf);
}

/* THREAD: what one loop has, no other may touch. */
static void *open_shelf(void *instance, struct sluice_host *host) {
  struct object *shelf = instance;
  if (shelf->users++ == 0)
    return shelf;
  sluice_fail(host, "a shelf serves one loop; set server.workers to 1");
  return NULL;
}

static void close_shelf(void *shelf) {
  ((struct object *)shelf)->users--;
}

/* The gateway keeps for each operation which object it has. */
static struct object **of(struct sluice_op *op) {
  return sluice_op_state(op, sizeof(struct object *));
}

/* DONE: nothing else ends an operation. */
static void end(struct sluice_op *op, enum sluice_status status) {
  drop(*of(op));
  sluice_done(op, status, NULL);
}

static void get(void *shelf, struct sluice_op *op,
                const struct sluice_get *get) {
  struct object **at = find(shelf, get->key);
  if (!is_at(at, get->key)) {
    end(op, SLUICE_ENOENT);
    return;
  }
  *of(op) = *at;
  (*at)->users++;
  sluice_meta(op, &(*at)->meta); /* then read() comes, or cancel() */
}

static void head(void *shelf, struct sluice_op *op, const char *key) {
  get(shelf, op, &(struct sluice_get){.key = key});
  if (*of(op))
    end(op, SLUICE_OK);
}

/* LENT: the bytes stay until more() or cancel(), as we are one of the object's
 * users, though somebody may delete it meanwhile. */
static void read_part(void *shelf, struct sluice_op *op, uint64_t first,
                      uint64_t count) {
  (void)shelf;
  const char *from = (*of(op))->bytes + first;
  sluice_send(op, &(struct sluice_chunk){from, count, 0, -1, true});
}

/* more, cancel, ping: there is nothing left to do. */
static void finish(void *shelf, struct sluice_op *op) {
  (void)shelf;
  end(op, SLUICE_OK);
}

static void put(void *shelf, struct sluice_op *op,
                const struct sluice_put *put) {
  (void)shelf, (void)put;
  sluice_next(op); /* asks for the first chunk */
}

static void data(void *shelf, struct sluice_op *op,
                 const struct sluice_chunk *chunk) {
  (void)shelf;
  struct object *old = *of(op);
  size_t have = old ? old->meta.length : 0;
  struct object *object = realloc(old, sizeof *object + have + chunk->length);
  if (!object) {
    end(op, SLUICE_ENOMEM);
    return;
  }
  if (!old)
    *object = (struct object){.users = 1};
  memcpy(object->bytes + have, chunk->data, chunk->length);
  object->meta.length = have + chunk->length;
  *of(op) = object;
  sluice_next(op); /* returns the chunk; after the last comes commit() */
}

/* "" when it doesn't fit. */
static const char *keep(struct object *object, const char *text) {
  size_t at = object->used, size = strlen(text) + 1;
  bool fits = size <= sizeof object->texts - at;
  object->used += fits ? size : 0;
  return fits ? memcpy(object->texts + at, text, size) : "";
}

static void commit(void *shelf, struct sluice_op *op,
                   const struct sluice_object *as) {
  struct object *object = *of(op), **at = find(shelf, as->key);
  if (as->exclusive && is_at(at, as->key)) {
    end(op, SLUICE_EEXIST);
    return;
  }
  take_away(at, as->key);
  object->key = keep(object, as->key);
  object->meta =
      (struct sluice_meta){sizeof object->meta,        as->length,
                           (int64_t)time(NULL) * 1000, keep(object, as->md5),
                           keep(object, as->type),     object->pairs};
  for (size_t i = 0; i < 16 && as->user[i].name; i++)
    object->pairs[i] = (struct sluice_pair){keep(object, as->user[i].name),
                                            keep(object, as->user[i].value)};
  object->next = *at;
  *at = object;
  *of(op) = NULL; /* its user is the shelf now */
  end(op, SLUICE_OK);
}

static void remove_key(void *shelf, struct sluice_op *op, const char *key) {
  take_away(find(shelf, key), key);
  end(op, SLUICE_OK);
}

static void list(void *shelf, struct sluice_op *op,
                 const struct sluice_list *list) {
  const char *delimiter = list->delimiter;
  size_t prefix = strlen(list->prefix), told = 0;
  char name[1025], last[1025];
  snprintf(last, sizeof last, "%s", list->token ? list->token : "");
  for (struct object *o = *find(shelf, list->prefix);
       o && strncmp(o->key, list->prefix, prefix) == 0; o = o->next) {
    char *fold = delimiter ? strstr(o->key + prefix, delimiter) : NULL;
    size_t length = fold ? fold + strlen(delimiter) - o->key : 1024;
    snprintf(name, sizeof name, "%.*s", (int)length, o->key);
    if (strcmp(name, last) <= 0)
      continue; /* told already, here or on an earlier page */
    if (told++ == list->max) {
      sluice_truncated(op, last);
      break;
    }
    fold ? sluice_prefix(op, name) : sluice_entry(op, name, &o->meta);
    memcpy(last, name, sizeof last);
  }
  end(op, SLUICE_OK);
}

static const struct sluice_backend backend = {SLUICE_HEAD(sluice_backend),
                                              .name = "shelf",
                                              .version = "1.0",
                                              .summary =
                                                  "keeps objects in memory",
                                              .start = start,
                                              .stop = stop,
                                              .open = open_shelf,
                                              .close = close_shelf,
                                              .head = head,
                                              .get = get,
                                              .read = read_part,
                                              .more = finish,
                                              .put = put,
                                              .data = data,
                                              .commit = commit,
                                              .list = list,
                                              .remove = remove_key,
                                              .cancel = finish,
                                              .ping = finish};

SLUICE_BACKEND(shelf, backend)
