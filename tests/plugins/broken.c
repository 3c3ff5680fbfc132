/* SPDX-License-Identifier: MIT
 *
 * A backend in memory that keeps every rule but the one that its option names,
 * most of them only for keys that have certain words in them: so that each is
 * found by the check that is for it, and by no other.
 */
#include "boxes.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#define PIECE 65536
#define KEPT 64

struct conf {
  const char *rule;
};

struct instance {
  const struct conf *conf;
  struct boxes boxes;
};

struct handle {
  struct instance *instance;
  struct boxes *boxes, own;
  struct sluice_host *host;
  char shared[PIECE]; /* for the rule chunk_changes */
  bool blocked;
};

struct call {
  struct handle *handle;
  struct sluice_op *op;
  struct box *box;
  uint64_t at, end;
  struct sluice_get hint;
  struct sluice_chunk kept[KEPT];
  size_t count;
};

static const struct sluice_option options[] = {{"rule", SLUICE_STRING, "none",
                                                offsetof(struct conf, rule),
                                                "the rule to break"},
                                               {0}};

static bool breaks(const struct handle *handle, const char *rule) {
  return strcmp(handle->instance->conf->rule, rule) == 0;
}

/* Only for keys with that word. */
static bool breaks_at(const struct handle *handle, const char *rule,
                      const char *key, const char *word) {
  return breaks(handle, rule) && strstr(key, word) != NULL;
}

static struct call *call_of(struct sluice_op *op) {
  return sluice_op_state(op, sizeof(struct call));
}

static struct call *call_new(void *handle, struct sluice_op *op) {
  struct call *call = call_of(op);
  call->handle = handle;
  call->op = op;
  return call;
}

static void end(struct call *call, enum sluice_status status) {
  struct box *box = call->box;
  call->box = NULL;
  box_drop(call->handle->boxes, box);
  sluice_done(call->op, status, NULL);
}

/* ---- head, get ---------------------------------------------------------- */

static struct sluice_meta told(const struct handle *handle,
                               const struct box *box) {
  struct sluice_meta meta = box->meta;
  if (breaks_at(handle, "wrong_length", box->key, "/heads"))
    meta.length++;
  if (breaks(handle, "no_metadata"))
    meta.user = NULL;
  if (breaks(handle, "no_type"))
    meta.type = NULL;
  if (breaks(handle, "no_time"))
    meta.mtime_ms = 0;
  if (breaks(handle, "same_etag"))
    meta.etag = "etag";
  if (breaks_at(handle, "quoted_etag", box->key, "/etags"))
    meta.etag = "\"etag\"";
  return meta;
}

static bool look_up(struct call *call, const char *key) {
  call->box = boxes_find(call->handle->boxes, key);
  if (call->box == NULL) {
    sluice_done(call->op, SLUICE_ENOENT, NULL);
    return false;
  }
  struct sluice_meta meta = told(call->handle, call->box);
  sluice_meta(call->op, &meta);
  return true;
}

static void head(void *arg, struct sluice_op *op, const char *key) {
  struct call *call = call_new(arg, op);
  if (look_up(call, key))
    end(call, SLUICE_OK);
}

static void get(void *arg, struct sluice_op *op,
                const struct sluice_get *get) {
  struct call *call = call_new(arg, op);
  call->hint = *get;
  look_up(call, get->key);
}

static void send_piece(struct call *call) {
  struct handle *handle = call->handle;
  uint64_t left = call->end - call->at;
  struct sluice_chunk chunk = {.data = call->box->bytes + call->at,
                               .length = left < PIECE ? left : PIECE,
                               .fd = -1};
  if (breaks_at(handle, "chunk_changes", call->box->key, "/out")) {
    memcpy(handle->shared, chunk.data, chunk.length);
    chunk.data = handle->shared;
  }
  call->at += chunk.length;
  chunk.last = call->at == call->end;
  sluice_send(call->op, &chunk);
}

static void read_range(void *arg, struct sluice_op *op, uint64_t first,
                       uint64_t count) {
  struct call *call = call_of(op);
  struct handle *handle = arg;
  const char *key = call->box->key;
  uint64_t length = call->box->meta.length;
  if (breaks(handle, "keeps_text") &&
      strcmp(call->hint.key, call->box->key) != 0) {
    end(call, SLUICE_ENOENT);
    return;
  }
  if (breaks_at(handle, "trusts_hint", key, "/hints")) {
    first = call->hint.first;
    count = call->hint.count;
  }
  if (first >= length && !breaks_at(handle, "behind", key, "/behind")) {
    end(call, SLUICE_ERANGE);
    return;
  }
  if (first >= length)
    first = length - 1;
  if (breaks_at(handle, "wrong_range", key, "/ranges") && first > 1)
    first--;
  call->at = first;
  call->end = count < length - first ? first + count : length;
  send_piece(call);
  if (breaks_at(handle, "send_twice", key, "/ranges") && call->at < call->end)
    send_piece(call);
}

static void more(void *arg, struct sluice_op *op) {
  struct call *call = call_of(op);
  (void)arg;
  if (call->at < call->end)
    send_piece(call);
  else
    end(call, SLUICE_OK);
}

/* ---- put, remove -------------------------------------------------------- */

static void put(void *arg, struct sluice_op *op,
                const struct sluice_put *put) {
  struct call *call = call_new(arg, op);
  (void)put;
  call->box = box_new();
  if (breaks(call->handle, "visible")) {
    struct box *part = box_new();
    box_name(part, &(struct sluice_object){.key = "part",
                                           .user = &(struct sluice_pair){0}});
    boxes_put(call->handle->boxes, part, false);
  }
  sluice_next(op);
}

static void data(void *arg, struct sluice_op *op,
                 const struct sluice_chunk *chunk) {
  struct call *call = call_of(op);
  (void)arg;
  box_add(call->box, chunk->data, (size_t)chunk->length);
  if (call->count < KEPT)
    call->kept[call->count++] = *chunk;
  sluice_next(op);
}

static void use_kept(struct call *call) {
  size_t at = 0;
  for (size_t i = 0; i < call->count; i++) {
    memcpy(call->box->bytes + at, call->kept[i].data, call->kept[i].length);
    at += call->kept[i].length;
  }
}

/* Readers of the old object see the new bytes in it. */
static bool overwrite(struct call *call, const char *key) {
  struct box *old = boxes_find(call->handle->boxes, key);
  if (old == NULL || old->meta.length != call->box->meta.length) {
    box_drop(call->handle->boxes, old);
    return false;
  }
  memcpy(old->bytes, call->box->bytes, old->meta.length);
  box_drop(call->handle->boxes, old);
  return true;
}

static void commit(void *arg, struct sluice_op *op,
                   const struct sluice_object *object) {
  struct call *call = call_of(op);
  struct handle *handle = arg;
  if (breaks(handle, "visible"))
    boxes_remove(handle->boxes, "part");
  if (breaks_at(handle, "keeps_chunk", object->key, "/in"))
    use_kept(call);
  if (object->length == 0 &&
      breaks_at(handle, "crash_on_empty", object->key, "/empty"))
    raise(SIGSEGV);
  if (breaks(handle, "short_keys") && strlen(object->key) > 255) {
    end(call, SLUICE_EINVAL);
    return;
  }
  if (breaks_at(handle, "not_atomic", object->key, "/race") &&
      overwrite(call, object->key)) {
    end(call, SLUICE_OK);
    return;
  }
  bool exclusive = object->exclusive && !breaks_at(handle, "not_exclusive",
                                                   object->key, "/refused");
  box_name(call->box, object);
  bool stored = boxes_put(handle->boxes, call->box, exclusive);
  if (stored)
    call->box = NULL;
  end(call, stored ? SLUICE_OK : SLUICE_EEXIST);
}

static void remove_key(void *arg, struct sluice_op *op, const char *key) {
  struct call *call = call_new(arg, op);
  struct handle *handle = arg;
  if (breaks_at(handle, "never_done", key, "/never"))
    return;
  if (breaks_at(handle, "never_returns", key, "/never"))
    for (;;)
      pause();
  if (!breaks_at(handle, "remains", key, "/removed"))
    boxes_remove(handle->boxes, key);
  end(call, SLUICE_OK);
}

static void cancel(void *arg, struct sluice_op *op) {
  struct call *call = call_of(op);
  struct handle *handle = arg;
  if (breaks(handle, "visible"))
    boxes_remove(handle->boxes, "part");
  if (call->box != NULL && call->box->key != NULL &&
      breaks_at(handle, "deaf", call->box->key, "/get"))
    return;
  end(call, SLUICE_ECANCELED);
}

/* ---- list --------------------------------------------------------------- */

static bool begins(const struct handle *handle, const char *key,
                   const char *prefix) {
  bool pattern = breaks(handle, "pattern");
  for (; *prefix != '\0'; key++, prefix++)
    if (*key != *prefix && !(pattern && *prefix == '_' && *key != '\0'))
      return false;
  return true;
}

/* What a key is folded to, its length; 0: it isn't. */
static size_t fold(const char *key, const struct sluice_list *list) {
  const char *at = list->delimiter == NULL
                       ? NULL
                       : strstr(key + strlen(list->prefix), list->delimiter);
  return at == NULL ? 0 : (size_t)(at - key) + strlen(list->delimiter);
}

static bool ends(const char *text, const char *with) {
  size_t len = strlen(text), tail = strlen(with);
  return len >= tail && strcmp(text + len - tail, with) == 0;
}

/* Behind the token, and not below it where that is a folded prefix. */
static bool is_new(const char *key, const char *last, size_t folded) {
  if (last == NULL)
    return true;
  return strcmp(key, last) > 0 &&
         !(folded > 0 && strncmp(key, last, folded) == 0 &&
           last[folded] == '\0');
}

static const char *start_of(struct handle *handle,
                            const struct sluice_list *list) {
  const char *token = list->token;
  if (token != NULL && list->max == 5 && ends(token, "/A") &&
      breaks(handle, "ignores_token"))
    return NULL;
  if (token != NULL && breaks(handle, "forged_token") &&
      strncmp(token, list->prefix, strlen(list->prefix)) != 0)
    raise(SIGSEGV);
  if (token != NULL && list->delimiter == NULL &&
      breaks(handle, "token_object")) {
    struct box *box = boxes_find(handle->boxes, token);
    box_drop(handle->boxes, box);
    return box == NULL ? NULL : token;
  }
  return token;
}

static void tell(struct call *call, const struct box *box, size_t folded) {
  struct sluice_meta meta = told(call->handle, box);
  char *name = strdup(box->key);
  if (folded > 0)
    name[folded] = '\0';
  if (folded > 0 && !breaks(call->handle, "folded_entry"))
    sluice_prefix(call->op, name);
  else
    sluice_entry(call->op, name, &meta);
  free(name);
}

static void list(void *arg, struct sluice_op *op,
                 const struct sluice_list *list) {
  struct call *call = call_new(arg, op);
  struct handle *handle = arg;
  struct sluice_list how = *list;
  char *last = box_text(start_of(handle, list));
  uint32_t count = 0;
  bool whole = breaks(handle, "unordered") && list->max == 1000 &&
               list->token == NULL && list->delimiter == NULL;
  if (breaks(handle, "unfolded") && ends(list->prefix, "b"))
    how.delimiter = NULL;
  pthread_mutex_lock(&handle->boxes->lock);
  const struct box *box = handle->boxes->first;
  for (; box != NULL; box = box->next) {
    if (!begins(handle, box->key, list->prefix))
      continue;
    size_t folded = fold(box->key, &how);
    if (!is_new(box->key, last, folded))
      continue;
    if (count == list->max)
      break;
    if (whole && count == 0 && ends(box->key, "/A") && box->next != NULL) {
      tell(call, box->next, 0);
      tell(call, box, 0);
      box = box->next;
      count++;
    } else {
      tell(call, box, folded);
    }
    free(last);
    last = strdup(box->key);
    if (folded > 0)
      last[folded] = '\0';
    count++;
  }
  pthread_mutex_unlock(&handle->boxes->lock);
  if (count == list->max && (box != NULL || breaks(handle, "token_at_end")))
    sluice_truncated(op, last);
  free(last);
  end(call, SLUICE_OK);
}

/* ---- links -------------------------------------------------------------- */

static unsigned long long sign(const char *text) {
  unsigned long long sum = 14695981039346656037u;
  for (; *text != '\0'; text++)
    sum = (sum ^ (unsigned char)*text) * 1099511628211u;
  return sum ^ (sum >> 29);
}

static void add_hex(char **at, const char *text) {
  for (; text != NULL && *text != '\0'; text++)
    *at += snprintf(*at, 3, "%02x", (unsigned char)*text);
}

static bool is_raw(const struct handle *handle,
                   const struct sluice_link *link) {
  return breaks(handle, "raw_url") && link->disposition != NULL &&
         strstr(link->disposition, "UTF-8") != NULL;
}

static void presign(void *arg, struct sluice_op *op,
                    const struct sluice_link *link) {
  struct handle *handle = arg;
  char query[8192], url[10000], *at = query;
  at += snprintf(at, 64, "%s&%lld&", link->method, (long long)link->expires_s);
  add_hex(&at, link->key);
  *at++ = '&';
  add_hex(&at, link->disposition);
  *at++ = '&';
  add_hex(&at, link->type);
  *at = '\0';
  snprintf(url, sizeof url, "%s?%s&%016llx%s", link->signed_url, query,
           sign(query), is_raw(handle, link) ? " " : "");
  sluice_text(op, url);
  sluice_done(op, SLUICE_OK, NULL);
}

static bool say_hex(struct sluice_op *op, const char *hex) {
  char text[4096];
  size_t len = strlen(hex) / 2;
  for (size_t i = 0; i < len; i++) {
    char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'}, *stop;
    text[i] = (char)strtoul(digits, &stop, 16);
    if (*stop != '\0' || text[i] == '\0')
      return false;
  }
  text[len] = '\0';
  sluice_text(op, text);
  return true;
}

static bool check(struct handle *handle, struct sluice_op *op,
                  const struct sluice_claim *claim, char *query) {
  char *parts[6], *rest = query, *mark = strrchr(query, '&');
  if (mark == NULL)
    return false;
  *mark = '\0';
  char sum[17];
  snprintf(sum, sizeof sum, "%016llx", sign(query));
  if (strcmp(sum, mark + 1) != 0 && !breaks(handle, "verifies_all"))
    return false;
  for (int i = 0; i < 5; i++)
    if ((parts[i] = strsep(&rest, "&")) == NULL)
      return false;
  if (breaks(handle, "loses_disposition"))
    parts[3][0] = '\0';
  if (strcmp(parts[0], claim->method) != 0 &&
      !(breaks(handle, "any_method") && parts[0][0] == 'G'))
    return false;
  if (strtoll(parts[1], NULL, 10) < time(NULL) && !breaks(handle, "forever"))
    return false;
  return say_hex(op, parts[2]) && say_hex(op, parts[3]) &&
         say_hex(op, parts[4]);
}

static void verify(void *arg, struct sluice_op *op,
                   const struct sluice_claim *claim) {
  char *query = strdup(claim->query);
  bool ok = check(arg, op, claim, query);
  free(query);
  sluice_done(op, ok ? SLUICE_OK : SLUICE_EDENIED, NULL);
}

/* ---- ping: what needs no key -------------------------------------------- */

static void work(void *arg) {
  struct call *call = arg;
  if (breaks(call->handle, "other_thread"))
    sluice_done(call->op, SLUICE_OK, NULL);
}

static void after(void *arg) {
  struct call *call = arg;
  if (breaks(call->handle, "word_after_done"))
    sluice_alive(call->op);
}

static void *sleep_on(void *arg) {
  for (;;)
    pause();
  return arg;
}

static void ping(void *arg, struct sluice_op *op) {
  struct handle *handle = arg;
  struct call *call = call_new(arg, op);
  pthread_t thread;
  if (breaks(handle, "other_thread") || breaks(handle, "word_after_done"))
    sluice_work(handle->host, work, after, call);
  if (breaks(handle, "other_thread"))
    return;
  if (breaks(handle, "leaks_file") && open("/dev/null", O_RDONLY) < 0)
    abort();
  if (breaks(handle, "leaks_memory") && strdup("32 bytes that nobody frees "
                                               "again") == NULL)
    abort();
  if (breaks(handle, "leaks_thread") &&
      pthread_create(&thread, NULL, sleep_on, NULL) != 0)
    abort();
  if (breaks(handle, "blocks") && !handle->blocked)
    usleep(400000);
  handle->blocked = true;
  sluice_done(op, SLUICE_OK, NULL);
  if (breaks(handle, "done_twice"))
    sluice_done(op, SLUICE_OK, NULL);
}

/* ---- life --------------------------------------------------------------- */

static int same_case(const char *a, const char *b) {
  return strcasestr(a, "/name") != NULL ? strcasecmp(a, b) : strcmp(a, b);
}

static void *start(const void *conf, struct sluice_host *host) {
  struct instance *instance = calloc(1, sizeof *instance);
  (void)host;
  instance->conf = conf;
  pthread_mutex_init(&instance->boxes.lock, NULL);
  instance->boxes.compare =
      strcmp(instance->conf->rule, "no_case") == 0 ? same_case : strcmp;
  if (strcmp(instance->conf->rule, "keeps_file") == 0 &&
      open("/dev/null", O_RDONLY) < 0)
    abort();
  return instance;
}

static void stop(void *arg) {
  struct instance *instance = arg;
  boxes_clear(&instance->boxes);
  free(instance);
}

static void *open_handle(void *instance, struct sluice_host *host) {
  struct handle *handle = calloc(1, sizeof *handle);
  handle->instance = instance;
  handle->host = host;
  handle->own = (struct boxes){.compare = strcmp};
  pthread_mutex_init(&handle->own.lock, NULL);
  handle->boxes =
      breaks(handle, "own_objects") ? &handle->own : &handle->instance->boxes;
  return handle;
}

static void close_handle(void *arg) {
  struct handle *handle = arg;
  boxes_clear(&handle->own);
  free(handle);
}

static const struct sluice_backend backend = {
    SLUICE_HEAD(sluice_backend),
    .name = "broken",
    .version = "1.0.0",
    .summary = "breaks one rule, for the tests of sluice-plugin-check",
    .options = options,
    .conf_size = sizeof(struct conf),
    .start = start,
    .stop = stop,
    .open = open_handle,
    .close = close_handle,
    .head = head,
    .get = get,
    .read = read_range,
    .more = more,
    .put = put,
    .data = data,
    .commit = commit,
    .list = list,
    .remove = remove_key,
    .cancel = cancel,
    .ping = ping,
    .presign = presign,
    .verify = verify,
};
SLUICE_BACKEND(broken, backend)
