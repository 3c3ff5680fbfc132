/* SPDX-License-Identifier: MIT
 *
 * Has clamd(8) look at each object before it is stored.  Guide:
 * sluice-scan_clamd(7).
 *
 * Each upload is one INSTREAM on a connection of its own.  A chunk is lent to
 * the connection, and its request waits until the kernel has it; at the end it
 * waits for clamd's word.  What isn't known to be clean isn't stored.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <sluice/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clamd.h"
#include "clock.h"

#define TICK_US 500000 /* a scan that goes on says so */
#define SCAN_COST 8192 /* bytes of memory, beside the chunk that is lent */

struct conf {
  const char *socket, *on_failure, *too_large;
  int64_t timeout, scans;
  uint64_t max_size;
};

struct instance {
  struct conf conf;
  struct clamd_address address;
  bool failure_passes, large_passes;
};

struct scanner { /* of a loop */
  const struct instance *instance;
  struct sluice_host *host;
  int64_t scans; /* that are open */
};

enum scan_state {
  SCAN_IDLE,    /* the client's next bytes are waited for */
  SCAN_SENDING, /* a chunk is lent to the connection */
  SCAN_ASKING,  /* all is sent: clamd's word is waited for */
  SCAN_LEFT     /* its request is over, and has to be resumed */
};

struct scan {
  struct scanner *scanner;
  struct sluice_request *request;
  struct bufferevent *connection;
  struct event *tick;
  enum scan_state state;
  bool last;
  bool over;      /* clamd has closed, with a word that isn't read yet */
  uint64_t sent;  /* bytes of the object */
  uint64_t since; /* when this wait began */
  char id[129];   /* of the request, for the log */
};

struct state { /* of a request */
  struct scan *scan;
};

#define OPTION(field) offsetof(struct conf, field)

static const struct sluice_option options[] = {
    {"socket", SLUICE_STRING, "/run/clamav/clamd.ctl", OPTION(socket),
     "where clamd listens: a path, or ADDRESS:PORT"},
    {"timeout", SLUICE_TIME, "60s", OPTION(timeout),
     "how long one of its steps may take"},
    {"scans", SLUICE_INT, "16", OPTION(scans), "at once, on each loop"},
    {"max_size", SLUICE_SIZE, "25MiB", OPTION(max_size),
     "the largest object that is looked at, at most clamd's StreamMaxLength"},
    {"too_large", SLUICE_STRING, "deny", OPTION(too_large),
     "what becomes of larger ones: deny, or pass (they aren't looked at)"},
    {"on_failure", SLUICE_STRING, "deny", OPTION(on_failure),
     "what becomes of an object when clamd fails: deny, or pass"},
    {0}};

/* ---- the end of a scan -------------------------------------------------- */

static void scan_free(struct scan *scan) {
  struct scanner *scanner = scan->scanner;
  if (scan->connection != NULL)
    bufferevent_free(scan->connection);
  if (scan->tick != NULL)
    event_free(scan->tick);
  scanner->scans--;
  sluice_memory_give(scanner->host, SCAN_COST);
  free(scan);
}

static void forget(struct sluice_request *request) {
  struct state *state = sluice_request_state(request, sizeof *state);
  if (state != NULL)
    state->scan = NULL;
}

/* For which verdict the request waits, or, in on_body(), what is answered. */
static enum sluice_verdict scan_end(struct scan *scan,
                                    enum sluice_verdict verdict) {
  bool waits = scan->state != SCAN_IDLE;
  struct sluice_request *request = scan->request;
  forget(request);
  scan_free(scan);
  if (waits)
    sluice_request_resume(request, verdict);
  return verdict;
}

enum { SCANS };
enum { SCAN_CLEAN, SCAN_INFECTED, SCAN_TOO_LARGE, SCAN_FAILED };

static const char *const scan_results[] = {[SCAN_CLEAN] = "clean",
                                           [SCAN_INFECTED] = "infected",
                                           [SCAN_TOO_LARGE] = "too_large",
                                           [SCAN_FAILED] = "failed",
                                           NULL};

static const struct sluice_metric metrics[] = {
    [SCANS] = {"scan_clamd_scans_total", SLUICE_COUNTER,
               "Objects that were looked at, or couldn't be, by what came of "
               "it.",
               "result", scan_results},
    {NULL, 0, NULL, NULL, NULL}};

static void scan_count(const struct scanner *scanner, unsigned result) {
  sluice_count(scanner->host, SLUICE_SERIES(SCANS, result), 1);
}

static enum sluice_verdict refuse(struct sluice_request *request,
                                  enum sluice_status status,
                                  const char *message) {
  sluice_request_refuse(request, status, message);
  return SLUICE_DENY;
}

static enum sluice_verdict failed(struct scanner *scanner,
                                  struct sluice_request *request,
                                  const char *id, const char *why) {
  bool passes = scanner->instance->failure_passes;
  scan_count(scanner, SCAN_FAILED);
  sluice_log(scanner->host, SLUICE_LOG_ERROR, "request %s: %s: %s", id, why,
             passes ? "the object is stored unseen (on_failure: pass)"
                    : "the object is refused");
  if (passes)
    return SLUICE_ALLOW;
  return refuse(request, SLUICE_EBUSY,
                "The object can't be looked at for malware now; try again");
}

static enum sluice_verdict too_large(struct scanner *scanner,
                                     struct sluice_request *request,
                                     const char *id) {
  bool passes = scanner->instance->large_passes;
  scan_count(scanner, SCAN_TOO_LARGE);
  sluice_log(scanner->host, SLUICE_LOG_WARN,
             "request %s: too large to be looked at: %s", id,
             passes ? "the object is stored unseen (too_large: pass)"
                    : "the object is refused");
  if (passes)
    return SLUICE_ALLOW;
  return refuse(request, SLUICE_ETOOBIG,
                "The object is too large to be looked at for malware");
}

static void scan_failed(struct scan *scan, const char *why) {
  if (scan->state == SCAN_LEFT)
    scan_end(scan, SLUICE_DENY);
  else if (scan->state == SCAN_IDLE) { /* the next chunk is told */
    bufferevent_free(scan->connection);
    scan->connection = NULL;
  } else
    scan_end(scan, failed(scan->scanner, scan->request, scan->id, why));
}

/* ---- clamd's word ------------------------------------------------------- */

static enum sluice_verdict found(struct scan *scan, const char *name) {
  char message[CLAMD_NAME_MAX + 64];
  scan_count(scan->scanner, SCAN_INFECTED);
  sluice_log(scan->scanner->host, SLUICE_LOG_WARN,
             "request %s: %s was found: the object is refused", scan->id,
             name);
  snprintf(message, sizeof message, "Malware was found in the object: %s",
           name);
  return refuse(scan->request, SLUICE_EDENIED, message);
}

/* Before the end it can only be against it. */
static void on_word(struct scan *scan, const char *reply) {
  char name[CLAMD_NAME_MAX], why[160];
  const struct evbuffer *out = bufferevent_get_output(scan->connection);
  switch (clamd_read(reply, name)) {
  case CLAMD_CLEAN:
    if (!scan->last || evbuffer_get_length(out) > 0) {
      scan_failed(scan, "clamd answered before it had all bytes");
      return;
    }
    scan_count(scan->scanner, SCAN_CLEAN);
    scan_end(scan, SLUICE_PASS);
    return;
  case CLAMD_FOUND:
    scan_end(scan, found(scan, name));
    return;
  case CLAMD_TOO_LARGE:
    scan_end(scan, too_large(scan->scanner, scan->request, scan->id));
    return;
  case CLAMD_NONSENSE:
    snprintf(why, sizeof why, "clamd says '%.100s'", reply);
    scan_failed(scan, why);
    return;
  }
}

static bool has_word(const struct scan *scan) {
  struct evbuffer *input = bufferevent_get_input(scan->connection);
  return evbuffer_get_length(input) > 0;
}

static void on_read(struct bufferevent *connection, void *arg) {
  struct scan *scan = arg;
  char reply[CLAMD_REPLY_MAX];
  struct evbuffer *input = bufferevent_get_input(connection);
  if (scan->state == SCAN_IDLE || scan->state == SCAN_LEFT)
    return; /* read when its request waits again */
  ev_ssize_t got = evbuffer_copyout(input, reply, sizeof reply);
  if (got > 0 && memchr(reply, '\0', (size_t)got) != NULL)
    on_word(scan, reply);
  else if (got == sizeof reply)
    scan_failed(scan, "clamd answers without an end");
}

/* No more of it comes. */
static void on_last_word(struct scan *scan, struct bufferevent *connection) {
  char reply[CLAMD_REPLY_MAX];
  struct evbuffer *input = bufferevent_get_input(connection);
  ev_ssize_t got = evbuffer_copyout(input, reply, sizeof reply - 1);
  reply[got < 0 ? 0 : got] = '\0';
  on_word(scan, reply);
}

static void on_event(struct bufferevent *connection, short what, void *arg) {
  struct scan *scan = arg;
  if ((what & BEV_EVENT_CONNECTED) != 0)
    return;
  bool error = (what & BEV_EVENT_ERROR) != 0;
  char why[200];
  snprintf(why, sizeof why, "clamd: %s",
           error ? evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR())
                 : "it closed the connection without a word");
  if (!has_word(scan) || scan->state == SCAN_LEFT)
    scan_failed(scan, why);
  else if (scan->state != SCAN_IDLE)
    on_last_word(scan, connection);
  else
    scan->over = true;
}

/* ---- bytes -------------------------------------------------------------- */

static void on_sent(struct bufferevent *connection, void *arg) {
  struct scan *scan = arg;
  (void)connection;
  if (scan->state != SCAN_SENDING)
    return;
  if (scan->last) {
    scan->state = SCAN_ASKING;
    scan->since = clock_us();
    return;
  }
  scan->state = SCAN_IDLE;
  event_del(scan->tick);
  sluice_request_resume(scan->request, SLUICE_PASS);
}

static void set_tick(struct scan *scan) {
  static const struct timeval tick = {.tv_usec = TICK_US};
  event_add(scan->tick, &tick);
}

static void on_tick(evutil_socket_t fd, short what, void *arg) {
  struct scan *scan = arg;
  const struct conf *conf = &scan->scanner->instance->conf;
  (void)fd, (void)what;
  if (scan->state == SCAN_LEFT) {
    scan_end(scan, SLUICE_DENY);
  } else if (clock_us() - scan->since >= (uint64_t)conf->timeout * 1000) {
    scan_failed(scan, "clamd took longer than timeout");
  } else {
    sluice_request_alive(scan->request);
    set_tick(scan);
  }
}

static bool add_length(struct evbuffer *out, size_t length) {
  unsigned char bytes[4] = {
      (unsigned char)(length >> 24), (unsigned char)(length >> 16),
      (unsigned char)(length >> 8), (unsigned char)length};
  return evbuffer_add(out, bytes, sizeof bytes) == 0;
}

/* The chunk itself is lent, until the request is resumed. */
static bool add_chunk(struct scan *scan, const struct sluice_chunk *chunk) {
  struct evbuffer *out = bufferevent_get_output(scan->connection);
  size_t length = (size_t)chunk->length;
  return (length == 0 || (add_length(out, length) &&
                          evbuffer_add_reference(out, chunk->data, length,
                                                 NULL, NULL) == 0)) &&
         (!chunk->last || add_length(out, 0));
}

/* NULL: no memory, or no descriptor. */
static struct scan *scan_new(struct scanner *scanner,
                             struct sluice_request *request) {
  static const char hello[] = "zINSTREAM"; /* with its NUL */
  const struct clamd_address *address = &scanner->instance->address;
  struct event_base *loop = sluice_loop(scanner->host);
  if (!sluice_memory_take(scanner->host, SCAN_COST))
    return NULL;
  struct scan *scan = calloc(1, sizeof *scan);
  if (scan == NULL) {
    sluice_memory_give(scanner->host, SCAN_COST);
    return NULL;
  }
  scan->scanner = scanner;
  scanner->scans++;
  scan->request = request;
  snprintf(scan->id, sizeof scan->id, "%s", sluice_request_id(request));
  scan->tick = event_new(loop, -1, 0, on_tick, scan);
  scan->connection = bufferevent_socket_new(
      loop, -1, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
  if (scan->tick != NULL && scan->connection != NULL) {
    bufferevent_setcb(scan->connection, on_read, on_sent, on_event, scan);
    if (bufferevent_enable(scan->connection, EV_READ | EV_WRITE) == 0 &&
        evbuffer_add(bufferevent_get_output(scan->connection), hello,
                     sizeof hello) == 0 &&
        bufferevent_socket_connect(scan->connection,
                                   (const struct sockaddr *)&address->at,
                                   (int)address->size) == 0)
      return scan;
  }
  scan_free(scan);
  return NULL;
}

static enum sluice_verdict send_chunk(struct scan *scan,
                                      const struct sluice_chunk *chunk) {
  if (scan->connection == NULL || !add_chunk(scan, chunk)) {
    struct scanner *scanner = scan->scanner;
    char id[sizeof scan->id];
    memcpy(id, scan->id, sizeof id);
    struct sluice_request *request = scan->request;
    forget(request);
    scan_free(scan);
    return failed(scanner, request, id, "the connection to clamd is lost");
  }
  scan->sent += chunk->length;
  scan->last = chunk->last;
  scan->state = SCAN_SENDING;
  scan->since = clock_us();
  set_tick(scan);
  if (scan->over) /* it came between two chunks */
    bufferevent_trigger_event(scan->connection, BEV_EVENT_EOF, 0);
  else if (has_word(scan))
    bufferevent_trigger(scan->connection, EV_READ, 0);
  return SLUICE_WAIT;
}

/* ---- phases ------------------------------------------------------------- */

static enum sluice_verdict scan_clamd_on_body(void *arg,
                                              struct sluice_request *request,
                                              const struct sluice_chunk *it) {
  struct scanner *scanner = arg;
  const struct conf *conf = &scanner->instance->conf;
  struct state *state = sluice_request_state(request, sizeof *state);
  const struct sluice_upload *object = sluice_request_object(request);
  const char *id = sluice_request_id(request);
  uint64_t sent = state->scan == NULL ? 0 : state->scan->sent;
  bool large = it->length > conf->max_size - sent ||
               (object != NULL && object->length >= 0 &&
                (uint64_t)object->length > conf->max_size);
  if (large && state->scan != NULL) {
    scan_free(state->scan);
    state->scan = NULL;
  }
  if (large)
    return too_large(scanner, request, id);
  if (state->scan == NULL && scanner->scans == conf->scans)
    return failed(scanner, request, id, "as many scans as may be are open");
  if (state->scan == NULL)
    state->scan = scan_new(scanner, request);
  if (state->scan == NULL)
    return failed(scanner, request, id, "no connection to clamd can be made");
  return send_chunk(state->scan, it);
}

/* A chunk may still be lent to it: resumed in a turn of its own. */
static void scan_clamd_on_log(void *arg, struct sluice_request *request,
                              const struct sluice_record *record) {
  struct state *state = sluice_request_state(request, sizeof *state);
  struct scan *scan = state->scan;
  (void)arg, (void)record;
  if (scan == NULL)
    return;
  if (scan->state == SCAN_IDLE) {
    state->scan = NULL;
    scan_free(scan);
    return;
  }
  scan->state = SCAN_LEFT;
  event_active(scan->tick, EV_TIMEOUT, 1);
}

/* ---- life --------------------------------------------------------------- */

static bool read_choice(const char *name, const char *text, bool *passes,
                        struct errmsg *err) {
  *passes = strcmp(text, "pass") == 0;
  if (*passes || strcmp(text, "deny") == 0)
    return true;
  return errmsg_set(err, "%s: '%.50s' is neither deny nor pass", name, text);
}

static bool read_conf(struct instance *instance, struct errmsg *err) {
  const struct conf *conf = &instance->conf;
  if (conf->timeout < 100 || conf->timeout > 3600000)
    return errmsg_set(err, "timeout: 100ms to 1h");
  if (conf->scans < 1 || conf->scans > 1024)
    return errmsg_set(err, "scans: 1 to 1024");
  if (conf->max_size < 1 || conf->max_size > UINT64_C(4) << 30)
    return errmsg_set(err, "max_size: 1 byte to 4GiB, which is as much as "
                           "clamd takes");
  return clamd_address(&instance->address, conf->socket, err) &&
         read_choice("on_failure", conf->on_failure, &instance->failure_passes,
                     err) &&
         read_choice("too_large", conf->too_large, &instance->large_passes,
                     err);
}

static void *scan_clamd_start(const void *arg, struct sluice_host *host) {
  struct instance *instance = calloc(1, sizeof *instance);
  struct errmsg err;
  if (instance == NULL) {
    sluice_fail(host, "there is no memory");
    return NULL;
  }
  instance->conf = *(const struct conf *)arg;
  if (read_conf(instance, &err))
    return instance;
  sluice_fail(host, "%s", err.text);
  free(instance);
  return NULL;
}

static void *scan_clamd_open(void *instance, struct sluice_host *host) {
  struct scanner *scanner = calloc(1, sizeof *scanner);
  if (scanner == NULL)
    sluice_fail(host, "there is no memory");
  else
    *scanner = (struct scanner){.instance = instance, .host = host};
  return scanner;
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "scan_clamd",
    .version = SLUICE_VERSION,
    .summary = "has clamd look at each object before it is stored",
    .options = options,
    .conf_size = sizeof(struct conf),
    .start = scan_clamd_start,
    .stop = free,
    .open = scan_clamd_open,
    .close = free,
    .on_log = scan_clamd_on_log,
    .on_body = scan_clamd_on_body,
    .metrics = metrics,
};

SLUICE_REACH({"socket", SLUICE_REACH_ADDRESS, NULL})
SLUICE_HOOK(scan_clamd, hook)
