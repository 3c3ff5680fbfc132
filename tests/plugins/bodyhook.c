/* SPDX-License-Identifier: MIT
 *
 * A hook for tests that looks at the bytes of uploads and says in the log what
 * it was shown; by its options it refuses, waits, has enough, or wishes.
 */
#include <event2/event.h>
#include <sluice/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 64

struct bodyhook_conf {
  const char *word, *phase, *type, *meta, *prefix;
  int64_t enough, wait, alive;
  bool guards, mistyped;
};

struct bodyhook { /* one loop's */
  const struct bodyhook_conf *conf;
  struct sluice_host *host;
  struct later *laters; /* that haven't resumed */
};

struct seen { /* of a request */
  uint64_t bytes, sum;
  char tail[WORD_MAX]; /* the end of what came before */
  size_t kept;
  unsigned chunks;
};

struct later {
  struct later *next;
  struct bodyhook *hook;
  struct sluice_request *request;
  const struct sluice_chunk *chunk;
  char *copy; /* of the chunk's bytes, when it was lent */
  size_t length;
  const char *data;
  enum sluice_verdict verdict;
};

#define OPTION(field) offsetof(struct bodyhook_conf, field)

static const struct sluice_option options[] = {
    {"word", SLUICE_STRING, "", OPTION(word), "refused where it is"},
    {"mistyped", SLUICE_BOOL, "false", OPTION(mistyped),
     "the word is refused as another type"},
    {"phase", SLUICE_STRING, "key", OPTION(phase), "of wishes: key or body"},
    {"type", SLUICE_STRING, "", OPTION(type), "wished"},
    {"meta", SLUICE_STRING, "", OPTION(meta), "wished, NAME=VALUE"},
    {"prefix", SLUICE_STRING, "", OPTION(prefix), "wished"},
    {"enough", SLUICE_INT, "0", OPTION(enough), "bytes; 0: all"},
    {"wait", SLUICE_TIME, "0ms", OPTION(wait), "with each chunk"},
    {"alive", SLUICE_TIME, "0ms", OPTION(alive), "says that it goes on"},
    {NULL, 0, NULL, 0, NULL}};

static void *start(const void *conf, struct sluice_host *host) {
  (void)host;
  return (void *)(uintptr_t)conf;
}

static void stop(void *instance) {
  (void)instance;
}

static void *open_hook(void *instance, struct sluice_host *host) {
  struct bodyhook *hook = calloc(1, sizeof *hook);
  if (hook != NULL)
    *hook = (struct bodyhook){.conf = instance, .host = host};
  return hook;
}

static void close_hook(void *arg) {
  struct bodyhook *hook = arg;
  while (hook->laters != NULL) { /* the gateway doesn't wait for them */
    struct later *next = hook->laters->next;
    free(hook->laters->copy);
    free(hook->laters);
    hook->laters = next;
  }
  free(hook);
}

static const char *or_none(const char *text) {
  return text == NULL ? "-" : text;
}

static void wish(const struct bodyhook *hook, struct sluice_request *request) {
  const struct bodyhook_conf *conf = hook->conf;
  char name[WORD_MAX];
  const char *value = strchr(conf->meta, '=');
  if (*conf->type != '\0')
    sluice_log(hook->host, SLUICE_LOG_INFO, "type: %d",
               sluice_request_set_type(request, conf->type));
  if (*conf->prefix != '\0')
    sluice_log(hook->host, SLUICE_LOG_INFO, "prefix: %d",
               sluice_request_set_prefix(request, conf->prefix));
  if (value == NULL || value - conf->meta >= WORD_MAX)
    return;
  memcpy(name, conf->meta, (size_t)(value - conf->meta));
  name[value - conf->meta] = '\0';
  sluice_log(hook->host, SLUICE_LOG_INFO, "meta: %d",
             sluice_request_add_meta(request, name, value + 1));
}

static void testify(const struct bodyhook *hook,
                    const struct sluice_request *request, const char *phase) {
  const struct sluice_upload *object = sluice_request_object(request);
  const char *id = sluice_request_id(request);
  if (object == NULL) {
    sluice_log(hook->host, SLUICE_LOG_INFO, "%s %s: no object", id, phase);
    return;
  }
  char user[600] = "";
  size_t used = 0;
  for (const struct sluice_pair *pair = object->user; pair->name; pair++) {
    int len = snprintf(user + used, sizeof user - used, " %s=%s", pair->name,
                       pair->value);
    used += (size_t)len < sizeof user - used ? (size_t)len : 0;
  }
  sluice_log(hook->host, SLUICE_LOG_INFO,
             "%s %s: key %s name %s type %s length %lld md5 %s open %d user%s",
             id, phase, or_none(object->key), or_none(object->name),
             or_none(object->type), (long long)object->length,
             or_none(object->md5), object->prefix_is_open, user);
}

static enum sluice_verdict on_key(void *arg, struct sluice_request *request) {
  const struct bodyhook *hook = arg;
  testify(hook, request, "key");
  if (strcmp(hook->conf->phase, "key") == 0)
    wish(hook, request);
  return SLUICE_PASS;
}

/* ---- bytes -------------------------------------------------------------- */

/* Is the word in what came, also where it came in pieces? */
static bool has_word(const struct bodyhook *hook, struct seen *seen,
                     const struct sluice_chunk *chunk) {
  const char *word = hook->conf->word;
  size_t len = strlen(word), size = seen->kept + (size_t)chunk->length;
  char *text = malloc(size + 1);
  if (text == NULL)
    abort();
  memcpy(text, seen->tail, seen->kept);
  if (chunk->length > 0)
    memcpy(text + seen->kept, chunk->data, (size_t)chunk->length);
  bool found = len > 0 && memmem(text, size, word, len) != NULL;
  seen->kept = size < WORD_MAX ? size : WORD_MAX;
  memcpy(seen->tail, text + size - seen->kept, seen->kept);
  free(text);
  return found;
}

/* The lent bytes are as they were. */
static void resume(struct later *later) {
  if (memcmp(later->copy, later->data, later->length) != 0)
    sluice_log(later->hook->host, SLUICE_LOG_ERROR, "a lent chunk changed");
  sluice_request_resume(later->request, later->verdict);
  struct later **at = &later->hook->laters;
  while (*at != later)
    at = &(*at)->next;
  *at = later->next;
  free(later->copy);
  free(later);
}

static void on_time(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  resume(arg);
}

static void on_alive(evutil_socket_t fd, short what, void *arg) {
  struct later *later = arg;
  int64_t ms = later->hook->conf->alive;
  const struct timeval delay = {ms / 1000, ms % 1000 * 1000};
  (void)fd, (void)what;
  sluice_request_alive(later->request);
  event_base_once(sluice_loop(later->hook->host), -1, EV_TIMEOUT, on_time,
                  later, &delay);
}

static enum sluice_verdict sometime(struct bodyhook *hook,
                                    struct sluice_request *request,
                                    const struct sluice_chunk *chunk,
                                    enum sluice_verdict verdict) {
  int64_t ms = hook->conf->wait;
  const struct timeval delay = {ms / 1000, ms % 1000 * 1000};
  struct later *later = calloc(1, sizeof *later);
  if (later == NULL)
    abort();
  *later = (struct later){.hook = hook,
                          .request = request,
                          .data = chunk->data,
                          .length = (size_t)chunk->length,
                          .copy = malloc((size_t)chunk->length + 1),
                          .verdict = verdict};
  if (later->copy == NULL)
    abort();
  memcpy(later->copy, chunk->data, later->length);
  later->next = hook->laters;
  hook->laters = later;
  event_base_once(sluice_loop(hook->host), -1, EV_TIMEOUT,
                  hook->conf->alive > 0 ? on_alive : on_time, later, &delay);
  return SLUICE_WAIT;
}

static enum sluice_verdict on_body(void *arg, struct sluice_request *request,
                                   const struct sluice_chunk *chunk) {
  struct bodyhook *hook = arg;
  struct seen *seen = sluice_request_state(request, sizeof *seen);
  const unsigned char *data = chunk->data;
  for (size_t i = 0; i < chunk->length; i++)
    seen->sum = seen->sum * 31 + data[i];
  seen->bytes += chunk->length;
  if (seen->chunks++ == 0) {
    testify(hook, request, "body");
    if (strcmp(hook->conf->phase, "body") == 0)
      wish(hook, request);
  }
  enum sluice_verdict verdict = SLUICE_PASS;
  if (has_word(hook, seen, chunk)) {
    if (hook->conf->mistyped)
      sluice_request_refuse_type(request, "The word is no type");
    else
      sluice_request_refuse(request, SLUICE_EDENIED, "The word is in it");
    verdict = SLUICE_DENY;
  } else if (hook->conf->enough > 0 &&
             seen->bytes >= (uint64_t)hook->conf->enough) {
    verdict = SLUICE_ALLOW;
  }
  if (chunk->last || verdict != SLUICE_PASS)
    sluice_log(hook->host, SLUICE_LOG_INFO, "%s saw: %llu %llx %s",
               sluice_request_id(request), (unsigned long long)seen->bytes,
               (unsigned long long)seen->sum,
               chunk->last ? "to the end" : "not to the end");
  return hook->conf->wait > 0 ? sometime(hook, request, chunk, verdict)
                              : verdict;
}

static enum sluice_verdict on_change(void *arg, struct sluice_request *request,
                                     const struct sluice_object *object) {
  const struct bodyhook *hook = arg;
  (void)request;
  for (const struct sluice_pair *pair = object->user;
       pair != NULL && pair->name != NULL; pair++)
    sluice_log(hook->host, SLUICE_LOG_INFO, "stored %s: %s %s=%s", object->key,
               or_none(object->type), pair->name, pair->value);
  return SLUICE_PASS;
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "bodyhook",
    .version = "1.0",
    .summary = "looks at the bytes of uploads, for tests",
    .options = options,
    .conf_size = sizeof(struct bodyhook_conf),
    .start = start,
    .stop = stop,
    .open = open_hook,
    .close = close_hook,
    .on_key = on_key,
    .on_change = on_change,
    .on_body = on_body,
};
SLUICE_HOOK(bodyhook, hook)
