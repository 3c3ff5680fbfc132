/* SPDX-License-Identifier: MIT
 *
 * A backend for tests that stops in the middle of things.  Keys and prefixes
 * that begin with "stall/" are never finished: a download gives one chunk and
 * no second, "stall/head" not even that, a commit and a list never end.  A
 * download of "stall/pool" holds a thread of the pool until somebody opens the
 * FIFO `block` to write.  An upload's chunk after `swallow` bytes is kept for
 * ever.  A remove of "fail/" fails, one of "hang/" never ends; a batch is
 * these, one by one.  All other objects are in memory, small and few, one set
 * for each loop: use one worker.
 */
#include <fcntl.h>
#include <sluice/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STALL_OBJECTS 256u
#define STALL_OBJECT_MAX (8u << 20)
#define STALL_PIECE (64u << 10)
#define STALL_LENGTH (1ull << 30) /* of an object that is never finished */
#define STALL_TIME 1750000000000  /* when everything was made */

struct stall_conf {
  const char *block;
  uint64_t swallow;
  bool deaf;
  const char *mute;
  bool claims;
};

struct stall_object {
  char *key, *type, *name, *md5, *bytes;
  uint64_t length;
};

struct stall {
  const struct stall_conf *conf;
  struct sluice_host *host;
  struct stall_object objects[STALL_OBJECTS]; /* in the order of keys */
  size_t count;
};

/* An operation: a put collects, a get has `end` bytes. */
struct stall_op {
  char *bytes;
  uint64_t room, at, end, seen;
  struct sluice_op *op;
  const char *block; /* a thread of the pool has it */
};

static const char stall_zeros[STALL_PIECE];

static const struct sluice_option stall_options[] = {
    {"swallow", SLUICE_SIZE, "1TiB", offsetof(struct stall_conf, swallow),
     "bytes of an upload after which no more is asked for"},
    {"deaf", SLUICE_BOOL, "false", offsetof(struct stall_conf, deaf),
     "whether being canceled is ignored"},
    {"mute", SLUICE_STRING, "", offsetof(struct stall_conf, mute),
     "a file; pings are logged, and while it is there not ended"},
    {"claims", SLUICE_BOOL, "false", offsetof(struct stall_conf, claims),
     "whether it says that it can what it can't"},
    {"block", SLUICE_STRING, "", offsetof(struct stall_conf, block), "a FIFO"},
    {0}};

static struct stall_op *stall_op(struct sluice_op *op) {
  return sluice_op_state(op, sizeof(struct stall_op));
}

static bool stall_never(const char *key) {
  return strncmp(key, "stall/", strlen("stall/")) == 0;
}

/* The place where the key is, or would be. */
static size_t stall_place(const struct stall *s, const char *key,
                          bool *found) {
  size_t i = 0;
  while (i < s->count && strcmp(s->objects[i].key, key) < 0)
    i++;
  *found = i < s->count && strcmp(s->objects[i].key, key) == 0;
  return i;
}

static void stall_clear(struct stall_object *o) {
  free(o->key);
  free(o->type);
  free(o->name);
  free(o->md5);
  free(o->bytes);
}

static void stall_drop(struct stall *s, size_t i) {
  stall_clear(&s->objects[i]);
  s->count--;
  memmove(&s->objects[i], &s->objects[i + 1],
          (s->count - i) * sizeof(s->objects[0]));
}

static void stall_tell(struct sluice_op *op, const struct stall_object *o) {
  struct sluice_pair user[] = {{"original-filename", o->name}, {NULL, NULL}};
  struct sluice_meta meta = SLUICE_META;
  meta.length = o->length;
  meta.mtime_ms = STALL_TIME;
  meta.etag = o->md5;
  meta.type = o->type;
  meta.user = o->name ? user : NULL;
  sluice_meta(op, &meta);
}

static void *stall_start(const void *conf, struct sluice_host *host) {
  (void)host;
  return (void *)(uintptr_t)conf;
}

static void stall_stop(void *instance) {
  (void)instance;
}

static void *stall_open(void *instance, struct sluice_host *host) {
  struct stall *s = calloc(1, sizeof(*s));
  if (!s) {
    sluice_fail(host, "no memory for a store; free some");
    return NULL;
  }
  s->conf = instance;
  s->host = host;
  return s;
}

static void stall_close(void *handle) {
  struct stall *s = handle;
  while (s->count)
    stall_drop(s, s->count - 1);
  free(s);
}

static void stall_head(void *handle, struct sluice_op *op, const char *key) {
  struct stall *s = handle;
  bool found;
  size_t i = stall_place(s, key, &found);
  struct stall_object never = {.length = STALL_LENGTH};
  if (stall_never(key))
    stall_tell(op, &never);
  else if (found)
    stall_tell(op, &s->objects[i]);
  sluice_done(op, found || stall_never(key) ? SLUICE_OK : SLUICE_ENOENT, NULL);
}

static void stall_block(void *arg) {
  const struct stall_op *state = arg;
  close(open(state->block, O_RDONLY | O_CLOEXEC));
}

static void stall_blocked(void *arg) {
  const struct stall_op *state = arg;
  sluice_done(state->op, SLUICE_ENOENT, NULL);
}

/* The object may be removed before it is read, so its bytes are copied. */
static void stall_get(void *handle, struct sluice_op *op,
                      const struct sluice_get *get) {
  struct stall *s = handle;
  struct stall_op *state = stall_op(op);
  bool found;
  size_t i = stall_place(s, get->key, &found);
  struct stall_object never = {.length = STALL_LENGTH};
  if (strncmp(get->key, "stall/head", strlen("stall/head")) == 0)
    return;
  if (strcmp(get->key, "stall/pool") == 0) {
    state->op = op;
    state->block = s->conf->block;
    sluice_work(s->host, stall_block, stall_blocked, state);
    return;
  }
  if (stall_never(get->key)) {
    stall_tell(op, &never);
    return;
  }
  state->bytes = found ? malloc(s->objects[i].length + 1) : NULL;
  if (!state->bytes) {
    sluice_done(op, found ? SLUICE_ENOMEM : SLUICE_ENOENT, NULL);
    return;
  }
  state->end = s->objects[i].length;
  if (state->end)
    memcpy(state->bytes, s->objects[i].bytes, state->end);
  stall_tell(op, &s->objects[i]);
}

static void stall_read(void *handle, struct sluice_op *op, uint64_t first,
                       uint64_t count) {
  struct stall_op *state = stall_op(op);
  struct sluice_chunk chunk = {stall_zeros, STALL_PIECE, 0, -1, false};
  (void)handle;
  if (state->bytes) {
    uint64_t left = state->end - first;
    chunk.data = state->bytes + first;
    chunk.length = count < left ? count : left;
    chunk.last = true;
  }
  sluice_send(op, &chunk);
}

static void stall_more(void *handle, struct sluice_op *op) {
  struct stall_op *state = stall_op(op);
  (void)handle;
  if (!state->bytes)
    return;
  free(state->bytes);
  state->bytes = NULL;
  sluice_done(op, SLUICE_OK, NULL);
}

static void stall_put(void *handle, struct sluice_op *op,
                      const struct sluice_put *put) {
  (void)handle;
  (void)put;
  (void)stall_op(op);
  sluice_next(op);
}

static void stall_fail(struct sluice_op *op, enum sluice_status status) {
  free(stall_op(op)->bytes);
  stall_op(op)->bytes = NULL;
  sluice_done(op, status, NULL);
}

/* Bytes that will be swallowed aren't kept: their memory isn't the gateway's.
 */
static void stall_data(void *handle, struct sluice_op *op,
                       const struct sluice_chunk *chunk) {
  const struct stall *s = handle;
  struct stall_op *state = stall_op(op);
  state->seen += chunk->length;
  if (state->seen >= s->conf->swallow)
    return;
  if (state->seen > STALL_OBJECT_MAX) {
    stall_fail(op, SLUICE_ENOSPC);
    return;
  }
  if (state->seen > state->room || !state->bytes) {
    state->room = state->seen * 2 + 1;
    char *bytes = realloc(state->bytes, state->room);
    if (!bytes) {
      stall_fail(op, SLUICE_ENOMEM);
      return;
    }
    state->bytes = bytes;
  }
  memcpy(state->bytes + state->at, chunk->data, chunk->length);
  state->at += chunk->length;
  sluice_next(op);
}

static char *stall_copy(const char *text) {
  return text ? strdup(text) : NULL;
}

static void stall_insert(struct stall *s, size_t i,
                         const struct sluice_object *object,
                         struct stall_op *state) {
  struct stall_object *o = &s->objects[i];
  memmove(o + 1, o, (s->count - i) * sizeof(*o));
  s->count++;
  *o = (struct stall_object){.key = stall_copy(object->key),
                             .type = stall_copy(object->type),
                             .md5 = stall_copy(object->md5),
                             .bytes = state->bytes,
                             .length = object->length};
  for (const struct sluice_pair *pair = object->user; pair && pair->name;
       pair++)
    if (strcmp(pair->name, "original-filename") == 0 && !o->name)
      o->name = stall_copy(pair->value);
  state->bytes = NULL;
}

static void stall_commit(void *handle, struct sluice_op *op,
                         const struct sluice_object *object) {
  struct stall *s = handle;
  bool found;
  size_t i = stall_place(s, object->key, &found);
  if (stall_never(object->key))
    return;
  if (found && object->exclusive) {
    stall_fail(op, SLUICE_EEXIST);
    return;
  }
  if (s->count == STALL_OBJECTS) {
    stall_fail(op, SLUICE_ENOSPC);
    return;
  }
  if (found)
    stall_drop(s, i);
  stall_insert(s, i, object, stall_op(op));
  sluice_done(op, SLUICE_OK, NULL);
}

/* One page, without folding: the tests that list here need no more. */
static void stall_list(void *handle, struct sluice_op *op,
                       const struct sluice_list *list) {
  struct stall *s = handle;
  size_t length = strlen(list->prefix);
  if (stall_never(list->prefix))
    return;
  for (size_t i = 0, told = 0; i < s->count && told < list->max; i++) {
    struct stall_object *o = &s->objects[i];
    struct sluice_meta meta = SLUICE_META;
    if (strncmp(o->key, list->prefix, length) != 0)
      continue;
    meta.length = o->length;
    meta.mtime_ms = STALL_TIME;
    meta.etag = o->md5;
    sluice_entry(op, o->key, &meta);
    told++;
  }
  sluice_done(op, SLUICE_OK, NULL);
}

static void stall_remove(void *handle, struct sluice_op *op, const char *key) {
  struct stall *s = handle;
  bool found;
  size_t i = stall_place(s, key, &found);
  if (strncmp(key, "hang/", strlen("hang/")) == 0)
    return;
  if (strncmp(key, "fail/", strlen("fail/")) == 0) {
    sluice_done(op, SLUICE_EIO, "it fails");
    return;
  }
  if (found)
    stall_drop(s, i);
  sluice_done(op, SLUICE_OK, NULL);
}

static void stall_cancel(void *handle, struct sluice_op *op) {
  const struct stall *s = handle;
  if (!s->conf->deaf && stall_op(op)->block == NULL)
    stall_fail(op, SLUICE_ECANCELED);
}

static void stall_ping(void *handle, struct sluice_op *op) {
  const struct stall *s = handle;
  if (*s->conf->mute != '\0')
    sluice_log(s->host, SLUICE_LOG_INFO, "pinged");
  if (*s->conf->mute == '\0' || access(s->conf->mute, F_OK) != 0)
    sluice_done(op, SLUICE_OK, NULL);
}

static unsigned stall_can(void *instance) {
  const struct stall_conf *conf = instance;
  return conf->claims
             ? SLUICE_CAN_REMOVE | SLUICE_CAN_COPY | SLUICE_CAN_COPY_NEW
             : 0;
}

static const struct sluice_backend stall_backend = {
    SLUICE_HEAD(sluice_backend),
    .name = "stall",
    .version = "1.0",
    .summary = "stops in the middle of things, for tests",
    .options = stall_options,
    .conf_size = sizeof(struct stall_conf),
    .start = stall_start,
    .stop = stall_stop,
    .open = stall_open,
    .close = stall_close,
    .head = stall_head,
    .get = stall_get,
    .read = stall_read,
    .more = stall_more,
    .put = stall_put,
    .data = stall_data,
    .commit = stall_commit,
    .list = stall_list,
    .remove = stall_remove,
    .cancel = stall_cancel,
    .ping = stall_ping,
    .can = stall_can,
};

SLUICE_BACKEND(stall, stall_backend)
