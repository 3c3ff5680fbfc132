/* SPDX-License-Identifier: MIT
 *
 * The layer `prefix`: what lies below a prefix of the backend below, as a
 * store of its own.  Each key gets the prefix on its way down and loses it on
 * its way up; the gateway's own names below .sluice/ stay below that, where no
 * request of the other store reaches.  sluice-prefix(7).
 */
#include <sluice/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 1024
#define PREFIX_MAX 512
#define OWN ".sluice/"          /* the gateway's names */
#define OWN_BELOW ".sluice/at/" /* and where those of this store are */
#define NAME_SIZE (KEY_MAX + 1) /* of a key below */

struct prefix_conf {
  const char *over, *prefix;
};

static const struct sluice_option options[] = {
    {"over", SLUICE_BACKEND_NAME, NULL, offsetof(struct prefix_conf, over),
     "the backend of which this is a part"},
    {"prefix", SLUICE_STRING, NULL, offsetof(struct prefix_conf, prefix),
     "what all keys begin with there, as in tenants/ann/"},
    {NULL, 0, NULL, 0, NULL}};

struct prefix_handle { /* of one loop */
  struct sluice_host *host;
  struct sluice_store *store;
  const char *prefix;
};

struct prefix_op { /* of one operation, its state */
  struct sluice_op *op;
  struct prefix_handle *handle;
  struct sluice_ask *ask;
  bool own;      /* a list of the gateway's names */
  bool too_long; /* the key of a commit */
  char **keys;   /* of remove_many */
  size_t *index; /* each one's place among those that were asked for */
  size_t count, taken;
};

/* ---- keys --------------------------------------------------------------- */

static bool is_own(const char *key) {
  return strncmp(key, OWN, sizeof OWN - 1) == 0;
}

/* All keys of this store begin so, but for the gateway's own. */
static int place(const struct prefix_handle *handle, bool own,
                 char out[NAME_SIZE]) {
  return snprintf(out, NAME_SIZE, "%s%s", own ? OWN_BELOW : "",
                  handle->prefix);
}

/* The name below of a key, or of a list's prefix; false: it is too long. */
static bool go_down(const struct prefix_handle *handle, const char *key,
                    char out[NAME_SIZE]) {
  size_t len = (size_t)place(handle, is_own(key), out), rest = strlen(key);
  if (len + rest >= NAME_SIZE)
    return false;
  memcpy(out + len, key, rest + 1);
  return true;
}

/* The key of a name below; NULL: it isn't one of this store. */
static const char *go_up(const struct prefix_handle *handle, bool own,
                         const char *name) {
  char begin[NAME_SIZE];
  size_t len = (size_t)place(handle, own, begin);
  if (strncmp(name, begin, len) != 0)
    return NULL;
  return is_own(name + len) == own ? name + len : NULL;
}

static struct sluice_store *store_of(const void *handle) {
  return ((const struct prefix_handle *)handle)->store;
}

static void end_too_long(const struct prefix_handle *handle,
                         struct sluice_op *op) {
  sluice_done(op, SLUICE_EINVAL,
              "the key is longer than %zu bytes, which are left of %d behind "
              "the prefix",
              KEY_MAX - strlen(handle->prefix), KEY_MAX);
}

/* False, and it is done, where the key doesn't fit. */
static bool fits(const struct prefix_handle *handle, struct sluice_op *op,
                 const char *key, char out[NAME_SIZE]) {
  if (go_down(handle, key, out))
    return true;
  end_too_long(handle, op);
  return false;
}

/* ---- operations of one key ---------------------------------------------- */

static void prefix_head(void *handle, struct sluice_op *op, const char *key) {
  char name[NAME_SIZE];
  if (fits(handle, op, key, name))
    sluice_ask_head(store_of(handle), op, name, NULL, NULL);
}

static void prefix_get(void *handle, struct sluice_op *op,
                       const struct sluice_get *get) {
  char name[NAME_SIZE];
  struct sluice_get below = *get;
  below.key = name;
  if (fits(handle, op, get->key, name))
    sluice_ask_get(store_of(handle), op, &below, NULL, NULL);
}

static void prefix_remove(void *handle, struct sluice_op *op,
                          const char *key) {
  char name[NAME_SIZE];
  if (fits(handle, op, key, name))
    sluice_ask_remove(store_of(handle), op, name, NULL, NULL);
}

static void prefix_remove_if(void *handle, struct sluice_op *op,
                             const struct sluice_removal *removal) {
  char name[NAME_SIZE];
  struct sluice_removal below = *removal;
  below.key = name;
  if (fits(handle, op, removal->key, name))
    sluice_ask_remove_if(store_of(handle), op, &below, NULL, NULL);
}

static void prefix_copy(void *handle, struct sluice_op *op,
                        const struct sluice_copy *copy) {
  char from[NAME_SIZE], to[NAME_SIZE];
  struct sluice_copy below = *copy;
  below.from = from;
  below.to = to;
  if (fits(handle, op, copy->from, from) && fits(handle, op, copy->to, to))
    sluice_ask_copy(store_of(handle), op, &below, NULL, NULL);
}

static struct prefix_op *prefix_op(struct prefix_handle *handle,
                                   struct sluice_op *op) {
  struct prefix_op *state = sluice_op_state(op, sizeof *state);
  state->op = op;
  state->handle = handle;
  return state;
}

/* ---- uploads ------------------------------------------------------------ */

static void on_stored(void *arg, enum sluice_status status, const char *why) {
  struct prefix_op *state = arg;
  if (state->too_long)
    end_too_long(state->handle, state->op);
  else
    sluice_done(state->op, status, why == NULL ? NULL : "%s", why);
}

static const struct sluice_heard stored = {SLUICE_HEARD, .done = on_stored};

static void prefix_put(void *handle, struct sluice_op *op,
                       const struct sluice_put *put) {
  struct prefix_op *state = prefix_op(handle, op);
  state->ask = sluice_ask_put(store_of(handle), op, put, &stored, state);
}

/* The name below of what is about to be committed; false: that ends. */
static bool name_object(struct prefix_handle *handle, struct sluice_op *op,
                        const struct sluice_object *object,
                        struct sluice_object *below, char name[NAME_SIZE]) {
  struct prefix_op *state = prefix_op(handle, op);
  *below = *object;
  below->key = name;
  state->too_long = !go_down(handle, object->key, name);
  if (state->too_long)
    sluice_ask_cancel(state->ask);
  return !state->too_long;
}

static void prefix_commit(void *handle, struct sluice_op *op,
                          const struct sluice_object *object) {
  char name[NAME_SIZE];
  struct sluice_object below;
  if (name_object(handle, op, object, &below, name))
    sluice_ask_commit(sluice_asked(op), &below);
}

static void prefix_stage(void *handle, struct sluice_op *op,
                         const struct sluice_stage *stage) {
  struct prefix_op *state = prefix_op(handle, op);
  struct sluice_stage below = *stage;
  struct sluice_object object;
  char name[NAME_SIZE];
  if (stage->object != NULL && stage->object->key != NULL) {
    if (!fits(handle, op, stage->object->key, name))
      return;
    object = *stage->object;
    object.key = name;
    below.object = &object;
  }
  state->ask = sluice_ask_stage(store_of(handle), op, &below, &stored, state);
}

static void prefix_stage_commit(void *handle, struct sluice_op *op,
                                const struct sluice_object *object,
                                const struct sluice_save *save) {
  char name[NAME_SIZE];
  struct sluice_object below;
  if (name_object(handle, op, object, &below, name))
    sluice_ask_stage_commit(sluice_asked(op), &below, save);
}

/* ---- lists -------------------------------------------------------------- */

/* Names of another store in between are left out. */
static void on_listed(void *arg, enum sluice_status status, const char *why) {
  struct prefix_op *state = arg;
  const struct sluice_meta *meta;
  const char *name;
  for (size_t i = 0; (name = sluice_ask_entry(state->ask, i, &meta)) != NULL;
       i++) {
    const char *key = go_up(state->handle, state->own, name);
    if (key == NULL || *key == '\0')
      continue;
    if (meta != NULL)
      sluice_entry(state->op, key, meta);
    else
      sluice_prefix(state->op, key);
  }
  if (sluice_ask_token(state->ask) != NULL)
    sluice_truncated(state->op, sluice_ask_token(state->ask));
  sluice_done(state->op, status, why == NULL ? NULL : "%s", why);
}

static void prefix_list(void *handle, struct sluice_op *op,
                        const struct sluice_list *list) {
  static const struct sluice_heard listed = {SLUICE_HEARD, .done = on_listed};
  struct prefix_op *state = prefix_op(handle, op);
  struct sluice_list below = *list;
  char name[NAME_SIZE];
  state->own = is_own(list->prefix);
  below.prefix = name;
  if (fits(handle, op, list->prefix, name))
    state->ask = sluice_ask_list(store_of(handle), op, &below, &listed, state);
}

/* ---- many --------------------------------------------------------------- */

static void free_keys(struct prefix_op *state) {
  for (size_t i = 0; state->keys != NULL && i < state->count; i++)
    free(state->keys[i]);
  free(state->keys);
  free(state->index);
  state->keys = NULL;
  sluice_memory_give(state->handle->host, state->taken);
}

static void on_removed(void *arg, enum sluice_status status, const char *why) {
  struct prefix_op *state = arg;
  for (size_t i = 0; i < state->count; i++)
    if (sluice_ask_removed(state->ask, i) != SLUICE_OK)
      sluice_failed(state->op, state->index[i],
                    sluice_ask_removed(state->ask, i));
  free_keys(state);
  sluice_done(state->op, status, why == NULL ? NULL : "%s", why);
}

/* All of them or none, but for those that don't fit: they were never stored
 * here, and so count as removed. */
static bool copy_keys(struct prefix_op *state, const char *const *keys,
                      size_t count) {
  char name[NAME_SIZE];
  size_t taken = count * (sizeof *state->keys + sizeof *state->index);
  for (size_t i = 0; i < count; i++)
    taken +=
        strlen(keys[i]) + sizeof OWN_BELOW + strlen(state->handle->prefix);
  if (!sluice_memory_take(state->handle->host, taken))
    return false;
  state->taken = taken;
  state->keys = calloc(count + 1, sizeof *state->keys);
  state->index = calloc(count + 1, sizeof *state->index);
  bool kept = state->keys != NULL && state->index != NULL;
  for (size_t i = 0; kept && i < count; i++) {
    if (!go_down(state->handle, keys[i], name))
      continue;
    state->keys[state->count] = strdup(name);
    state->index[state->count] = i;
    kept = state->keys[state->count++] != NULL;
  }
  if (!kept)
    free_keys(state);
  return kept;
}

static void prefix_remove_many(void *handle, struct sluice_op *op,
                               const char *const *keys, size_t count) {
  static const struct sluice_heard removed = {SLUICE_HEARD,
                                              .done = on_removed};
  struct prefix_op *state = prefix_op(handle, op);
  if (!copy_keys(state, keys, count)) {
    sluice_done(op, SLUICE_ENOMEM, "the names below of so many keys");
  } else if (state->count == 0) {
    free_keys(state);
    sluice_done(op, SLUICE_OK, NULL);
  } else {
    state->ask = sluice_ask_remove_many(store_of(handle), op,
                                        (const char *const *)state->keys,
                                        state->count, &removed, state);
  }
}

/* ---- links -------------------------------------------------------------- */

static void prefix_presign(void *handle, struct sluice_op *op,
                           const struct sluice_link *link) {
  char name[NAME_SIZE];
  struct sluice_link below = *link;
  below.key = name;
  if (fits(handle, op, link->key, name))
    sluice_ask_presign(store_of(handle), op, &below, NULL, NULL);
}

/* A link to an object of another part of the storage is none here. */
static void on_verified(void *arg, enum sluice_status status,
                        const char *why) {
  struct prefix_op *state = arg;
  const char *name = sluice_ask_text(state->ask, 0);
  const char *key =
      name == NULL ? NULL : go_up(state->handle, is_own(name), name);
  if (status == SLUICE_OK && key == NULL) {
    sluice_done(state->op, SLUICE_EDENIED, "the link is for another store");
    return;
  }
  if (status == SLUICE_OK)
    sluice_text(state->op, key);
  for (size_t i = 1;
       status == SLUICE_OK && (name = sluice_ask_text(state->ask, i)) != NULL;
       i++)
    sluice_text(state->op, name);
  sluice_done(state->op, status, why == NULL ? NULL : "%s", why);
}

static void prefix_verify(void *handle, struct sluice_op *op,
                          const struct sluice_claim *claim) {
  static const struct sluice_heard verified = {SLUICE_HEARD,
                                               .done = on_verified};
  struct prefix_op *state = prefix_op(handle, op);
  state->ask =
      sluice_ask_verify(store_of(handle), op, claim, &verified, state);
}

/* ---- life --------------------------------------------------------------- */

static bool ends_in_slash(const char *text) {
  size_t len = strlen(text);
  return len > 1 && text[len - 1] == '/' && text[0] != '/' &&
         strstr(text, "//") == NULL;
}

static void *prefix_start(const void *conf, struct sluice_host *host) {
  const struct prefix_conf *prefix = conf;
  if (!ends_in_slash(prefix->prefix))
    sluice_fail(host,
                "prefix: '%.64s' is no folder; write one that ends in "
                "/, without // and without one in front, as in "
                "tenants/ann/",
                prefix->prefix);
  else if (is_own(prefix->prefix))
    sluice_fail(host, "prefix: names below .sluice/ are the gateway's own; "
                      "write another one");
  else if (strlen(prefix->prefix) > PREFIX_MAX)
    sluice_fail(host, "prefix: longer than %d bytes; write a shorter one",
                PREFIX_MAX);
  else
    return (void *)conf;
  return NULL;
}

static void *prefix_open(void *instance, struct sluice_host *host) {
  const struct prefix_conf *conf = instance;
  struct prefix_handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL) {
    sluice_fail(host, "no memory is left");
    return NULL;
  }
  handle->host = host;
  handle->store = sluice_store(host, conf->over);
  handle->prefix = conf->prefix;
  return handle;
}

static const struct sluice_backend prefix = {
    SLUICE_HEAD(sluice_backend),
    .name = "prefix",
    .version = SLUICE_VERSION,
    .summary = "what another backend has below a prefix",
    .options = options,
    .conf_size = sizeof(struct prefix_conf),
    .start = prefix_start,
    .open = prefix_open,
    .close = free,
    .head = prefix_head,
    .get = prefix_get,
    .put = prefix_put,
    .commit = prefix_commit,
    .list = prefix_list,
    .remove = prefix_remove,
    .presign = prefix_presign,
    .verify = prefix_verify,
    .remove_if = prefix_remove_if,
    .copy = prefix_copy,
    .remove_many = prefix_remove_many,
    .stage = prefix_stage,
    .stage_commit = prefix_stage_commit,
};

SLUICE_REACH({NULL, 0, NULL})
SLUICE_BACKEND(prefix, prefix)
