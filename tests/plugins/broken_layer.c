/* SPDX-License-Identifier: MIT
 *
 * A layer that hands everything on and keeps every rule but the one that its
 * option names, most of them only for keys that have certain words in them.
 */
#include <sluice/plugin.h>

#include <stdlib.h>
#include <string.h>

struct conf {
  const char *over, *rule;
};

static const struct sluice_option options[] = {
    {"over", SLUICE_BACKEND_NAME, NULL, offsetof(struct conf, over), "below"},
    {"rule", SLUICE_STRING, "none", offsetof(struct conf, rule),
     "the rule to break"},
    {0}};

struct handle {
  const struct conf *conf;
  struct sluice_store *store;
  struct sluice_op *latest; /* for the rule shares_state */
};

static bool breaks(const void *handle, const char *rule) {
  return strcmp(((const struct handle *)handle)->conf->rule, rule) == 0;
}

static bool breaks_at(const void *handle, const char *rule, const char *key,
                      const char *word) {
  return breaks(handle, rule) && strstr(key, word) != NULL;
}

static struct sluice_store *store_of(const void *handle) {
  return ((const struct handle *)handle)->store;
}

static void *open_handle(void *conf, struct sluice_host *host) {
  struct handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL)
    abort();
  handle->conf = conf;
  handle->store = sluice_store(host, NULL);
  return handle;
}

/* ---- reading ------------------------------------------------------------ */

static void say_gone(void *op, enum sluice_status status, const char *why) {
  (void)why;
  sluice_done(op, status == SLUICE_ENOENT ? SLUICE_EUPSTREAM : status, NULL);
}

static void head(void *handle, struct sluice_op *op, const char *key) {
  static const struct sluice_heard gone = {SLUICE_HEARD, .done = say_gone};
  bool lies = breaks(handle, "loses_status");
  if (breaks(handle, "undeclared") && sluice_op_state(op, 2000) == NULL) {
    sluice_done(op, SLUICE_EIO, NULL);
    return;
  }
  sluice_ask_head(store_of(handle), op, key, lies ? &gone : NULL, op);
  if (breaks(handle, "ends_early"))
    sluice_done(op, SLUICE_OK, NULL);
  if (breaks(handle, "steps_out_of_turn"))
    sluice_ask_more(sluice_asked(op));
}

static void send_latest(void *arg, const struct sluice_chunk *chunk) {
  sluice_send(((struct handle *)arg)->latest, chunk);
}

static void get(void *arg, struct sluice_op *op,
                const struct sluice_get *get) {
  static const struct sluice_heard shared = {SLUICE_HEARD,
                                             .chunk = send_latest};
  struct handle *handle = arg;
  bool shares = breaks(handle, "shares_state");
  handle->latest = op;
  sluice_ask_get(store_of(handle), op, get, shares ? &shared : NULL, handle);
}

static void read_part(void *handle, struct sluice_op *op, uint64_t first,
                      uint64_t count) {
  if (breaks(handle, "wrong_range") && first > 1)
    first--;
  sluice_ask_read(sluice_asked(op), first, count);
}

static void more(void *handle, struct sluice_op *op) {
  struct sluice_ask *ask = sluice_asked(op);
  sluice_ask_more(ask);
  if (breaks(handle, "more_twice"))
    sluice_ask_more(ask);
}

static void list(void *handle, struct sluice_op *op,
                 const struct sluice_list *list) {
  struct sluice_list other = *list;
  if (breaks(handle, "ignores_token"))
    other.token = NULL;
  if (breaks(handle, "unfolded"))
    other.delimiter = NULL;
  sluice_ask_list(store_of(handle), op, &other, NULL, NULL);
}

/* ---- changing ----------------------------------------------------------- */

static void data(void *handle, struct sluice_op *op,
                 const struct sluice_chunk *chunk) {
  sluice_ask_data(sluice_asked(op), chunk);
  if (breaks(handle, "returns_chunk"))
    sluice_next(op); /* the storage has it still */
}

static void commit(void *handle, struct sluice_op *op,
                   const struct sluice_object *object) {
  static const struct sluice_pair none[] = {{NULL, NULL}};
  struct sluice_object other = *object;
  if (breaks(handle, "loses_metadata"))
    other.user = none;
  if (breaks(handle, "not_exclusive"))
    other.exclusive = false;
  if (breaks(handle, "replaces_any"))
    other.if_match = NULL;
  if (breaks(handle, "wrong_length"))
    other.length++;
  sluice_ask_commit(sluice_asked(op), &other);
}

static void dropped(void *arg, enum sluice_status status, const char *why) {
  (void)arg, (void)status, (void)why;
}

static void remove_key(void *handle, struct sluice_op *op, const char *key) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .done = dropped};
  bool never = breaks_at(handle, "never_done", key, "/never");
  sluice_ask_remove(store_of(handle), op, key, never ? &heard : NULL, NULL);
}

static void remove_if(void *handle, struct sluice_op *op,
                      const struct sluice_removal *removal) {
  if (breaks(handle, "removes_any"))
    sluice_ask_remove(store_of(handle), op, removal->key, NULL, NULL);
  else
    sluice_ask_remove_if(store_of(handle), op, removal, NULL, NULL);
}

static void copy(void *handle, struct sluice_op *op,
                 const struct sluice_copy *copy) {
  struct sluice_copy other = *copy;
  if (breaks(handle, "copies_any"))
    other.if_match = NULL;
  sluice_ask_copy(store_of(handle), op, &other, NULL, NULL);
}

static void cancel(void *handle, struct sluice_op *op) {
  if (!breaks(handle, "deaf"))
    sluice_ask_cancel(sluice_asked(op));
}

static void ping(void *handle, struct sluice_op *op) {
  sluice_ask_ping(store_of(handle), op, NULL, NULL);
}

static const struct sluice_backend broken_layer = {
    SLUICE_HEAD(sluice_backend),
    .name = "broken_layer",
    .version = "1.0.0",
    .summary = "breaks one rule, for the tests of sluice-plugin-check",
    .options = options,
    .conf_size = sizeof(struct conf),
    .open = open_handle,
    .close = free,
    .head = head,
    .get = get,
    .read = read_part,
    .more = more,
    .data = data,
    .commit = commit,
    .list = list,
    .remove = remove_key,
    .cancel = cancel,
    .ping = ping,
    .remove_if = remove_if,
    .copy = copy,
};
SLUICE_BACKEND(broken_layer, broken_layer)
