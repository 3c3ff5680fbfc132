/* SPDX-License-Identifier: MIT
 *
 * A download: one GET whose head describes the object and whose body waits for
 * read(); another one where read() wants something else, or where the first
 * broke in the middle.  Two buffers: one is lent while the other is filled.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "task.h"

#define CHUNK (64 * 1024) /* no less than curl gives at once */
#define RESUMES 3         /* after a break in the middle of an object */

struct get {
  struct s3_loop *loop;
  struct sluice_op *op;
  struct s3_call *call; /* NULL: none is under way */
  struct s3_request request;
  char *key;
  char range[64], etag[160], if_match[164];
  uint64_t length;   /* of the object, once it is described */
  uint64_t at;       /* offset of the next byte that the call brings */
  uint64_t next;     /* and of the next that is wanted */
  uint64_t call_end; /* one past the last */
  uint64_t receive;  /* bytes that are still wanted of it */
  uint64_t deliver;  /* and still to be sent to the gateway */
  bool described;    /* sluice_meta() was said */
  bool reading;      /* read() was called */
  bool asked;        /* the gateway waits for a chunk */
  bool lent;
  bool stopped; /* data() said "not yet" */
  bool ending;  /* all came, nobody waits: curl has to see the end too */
  enum sluice_status failure; /* kept while a chunk is lent */
  char why[256];
  unsigned resumes, filling;
  struct {
    char *data;
    size_t len;
  } buffers[2];
};

static const struct s3_events get_events, describe_events;

static void get_free(struct get *get) {
  if (get->call != NULL)
    s3_call_cancel(get->call);
  for (size_t i = 0; i < 2; i++)
    free(get->buffers[i].data);
  free(get->key);
  free(get);
}

static void get_cancel(void *work) {
  struct get *get = work;
  struct sluice_op *op = get->op;
  if (get->call != NULL && get->described && get->reading &&
      get->at == get->call_end) {
    get->ending = true; /* or the connection would be closed */
    return;
  }
  get_free(get);
  sluice_done(op, SLUICE_ECANCELED, NULL);
}

/* A chunk that is lent is waited for. */
static void get_fail(struct get *get, enum sluice_status status,
                     const char *why) {
  struct sluice_op *op = get->op;
  if (get->lent) {
    get->failure = status;
    snprintf(get->why, sizeof get->why, "%s", why);
    return;
  }
  sluice_done(op, status, "%s", why);
  get_free(get);
}

/* ---- requests ----------------------------------------------------------- */

/* Asks for [first, end); UINT64_MAX: to the end. */
static void get_ask(struct get *get, uint64_t first, uint64_t end) {
  get->request =
      (struct s3_request){.behind = get->op, .method = "GET", .key = get->key};
  struct sigv4_pair *header = get->request.headers;
  if (end != UINT64_MAX)
    snprintf(get->range, sizeof get->range, "bytes=%llu-%llu",
             (unsigned long long)first, (unsigned long long)end - 1);
  else
    snprintf(get->range, sizeof get->range, "bytes=%llu-",
             (unsigned long long)first);
  if (first > 0 || end != UINT64_MAX)
    *header++ = (struct sigv4_pair){"Range", get->range};
  if (get->etag[0] != '\0') {
    snprintf(get->if_match, sizeof get->if_match, "\"%s\"", get->etag);
    *header = (struct sigv4_pair){"If-Match", get->if_match};
  }
  get->at = get->next = first;
  get->call = s3_call_start(get->loop, &get->request, &get_events, get);
}

static void get_on_head(void *arg, struct s3_call *call) {
  struct get *get = arg;
  struct s3_span span;
  /* The answer says where it begins: a service that ignores Range sends all.
   */
  if (!s3_span(call, &span) || (get->described && span.total != get->length)) {
    get->call = NULL;
    s3_call_cancel(call);
    get_fail(get, SLUICE_EUPSTREAM,
             "an answer doesn't say which bytes of the object it brings");
    return;
  }
  get->at = span.first;
  get->call_end = span.first + span.count;
  if (get->described)
    return;
  get->described = true;
  get->length = span.total;
  s3_etag(get->etag, s3_call_header(call, "ETag"));
  s3_meta_tell(get->op, call, span.total);
}

/* ---- chunks ------------------------------------------------------------- */

static void push(struct get *get) {
  size_t len = get->buffers[get->filling].len;
  if (!get->asked || get->lent || len == 0)
    return;
  get->asked = false;
  get->lent = true;
  get->deliver -= len;
  sluice_send(get->op,
              &(struct sluice_chunk){.data = get->buffers[get->filling].data,
                                     .length = len,
                                     .fd = -1,
                                     .last = get->deliver == 0});
  get->filling = 1 - get->filling;
  get->buffers[get->filling].len = 0;
}

/* Takes a piece whole or not at all. */
static bool get_on_data(void *arg, const char *data, size_t len) {
  struct get *get = arg;
  if (!get->reading || get->receive == 0) {
    get->stopped = true;
    return false;
  }
  if (get->at > get->next || get->at + len <= get->next) { /* not wanted */
    get->at += len;
    return true;
  }
  size_t room = CHUNK - get->buffers[get->filling].len;
  if (len > room && !get->lent)
    push(get);
  room = CHUNK - get->buffers[get->filling].len;
  if (len > room) {
    get->stopped = true;
    return false;
  }
  char **buffer = &get->buffers[get->filling].data;
  if (*buffer == NULL)
    *buffer = malloc(CHUNK);
  must_have(*buffer); /* charged with the request */
  size_t before = (size_t)(get->next - get->at), wanted = len - before;
  if (wanted > get->receive)
    wanted = (size_t)get->receive;
  memcpy(*buffer + get->buffers[get->filling].len, data + before, wanted);
  get->buffers[get->filling].len += wanted;
  get->receive -= wanted;
  get->next += wanted;
  get->at += len;
  push(get);
  return true;
}

static void continue_call(struct get *get) {
  bool stopped = get->stopped;
  get->stopped = false;
  if (stopped && get->call != NULL)
    s3_call_continue(get->call);
}

static void get_on_done(void *arg, struct s3_call *call,
                        const struct s3_answer *answer) {
  struct get *get = arg;
  (void)call;
  get->call = NULL;
  if (answer->http == 416 && !get->described) {
    get->request = (struct s3_request){
        .behind = get->op, .method = "HEAD", .key = get->key};
    get->call = s3_call_start(get->loop, &get->request, &describe_events, get);
    return;
  }
  if (get->ending) {
    struct sluice_op *op = get->op;
    get_free(get);
    sluice_done(op, SLUICE_OK, NULL);
    return;
  }
  if (get->described && get->reading && get->receive == 0)
    return; /* the rest is between the gateway and us */
  if (get->described && !get->reading && answer->status == SLUICE_OK)
    return; /* an empty object, which nobody reads */
  if (get->reading && answer->status != SLUICE_EPRECOND &&
      get->resumes++ < RESUMES) {
    get_ask(get, get->next, get->next + get->receive);
    return;
  }
  get_fail(get,
           answer->status == SLUICE_OK ? SLUICE_EUPSTREAM : answer->status,
           answer->why);
}

/* The range lies behind the end: how long the object is, HEAD says. */
static void get_on_described(void *arg, struct s3_call *call,
                             const struct s3_answer *answer) {
  struct get *get = arg;
  get->call = NULL;
  if (answer->status != SLUICE_OK) {
    get_fail(get, answer->status, answer->why);
    return;
  }
  if (!s3_length(call, &get->length)) {
    get_fail(get, SLUICE_EUPSTREAM,
             "an answer doesn't say the object's length");
    return;
  }
  get->described = true;
  s3_etag(get->etag, s3_call_header(call, "ETag"));
  s3_meta_tell(get->op, call, get->length);
}

static const struct s3_events get_events = {
    .head = get_on_head, .data = get_on_data, .done = get_on_done};
static const struct s3_events describe_events = {.done = get_on_described};

/* ---- the vtable's ------------------------------------------------------- */

static void get_read(void *work, uint64_t first, uint64_t count) {
  struct get *get = work;
  if (first >= get->length) {
    get_fail(get, SLUICE_ERANGE, "the object ends before that");
    return;
  }
  if (count > get->length - first)
    count = get->length - first;
  get->reading = get->asked = true;
  get->receive = get->deliver = count;
  get->next = first;
  bool fits =
      get->call != NULL && get->at == first && get->call_end >= first + count;
  if (fits) {
    continue_call(get);
    return;
  }
  if (get->call != NULL)
    s3_call_cancel(get->call);
  get->stopped = false;
  get_ask(get, first, first + count);
}

static void get_more(void *work) {
  struct get *get = work;
  struct sluice_op *op = get->op;
  get->lent = false;
  if (get->failure != SLUICE_OK) {
    get_fail(get, get->failure, get->why);
    return;
  }
  if (get->deliver == 0 && get->call != NULL && get->at == get->call_end) {
    get->ending = true;
    return;
  }
  if (get->deliver == 0) {
    get_free(get);
    sluice_done(op, SLUICE_OK, NULL);
    return;
  }
  get->asked = true;
  push(get);
  continue_call(get);
}

void s3_get(void *handle, struct sluice_op *op,
            const struct sluice_get *wanted) {
  if (s3_is_no_key(handle, wanted->key)) {
    sluice_done(op, SLUICE_ENOENT, NULL);
    return;
  }
  struct get *get = calloc(1, sizeof *get);
  must_have(get); /* charged with the request */
  get->loop = handle;
  get->op = op;
  get->key = strdup(wanted->key);
  must_have(get->key);
  *s3_task_of(op) = (struct s3_task){
      .cancel = get_cancel, .work = get, .read = get_read, .more = get_more};
  uint64_t end =
      wanted->count == UINT64_MAX ? UINT64_MAX : wanted->first + wanted->count;
  get_ask(get, wanted->first, end);
}

void s3_read(void *handle, struct sluice_op *op, uint64_t first,
             uint64_t count) {
  struct s3_task *task = s3_task_of(op);
  (void)handle;
  task->read(task->work, first, count);
}

void s3_more(void *handle, struct sluice_op *op) {
  struct s3_task *task = s3_task_of(op);
  (void)handle;
  task->more(task->work);
}
