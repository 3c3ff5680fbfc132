/* SPDX-License-Identifier: MIT
 *
 * The operations that are one request: head, remove, ping; a conditional
 * remove asks once more where it isn't known what became of it.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "task.h"

#define PING_S 2 /* who asks whether it is ready doesn't wait */

struct simple {
  struct s3_loop *loop;
  struct sluice_op *op;
  struct s3_call *call;
  struct s3_request request;
  struct event *limit; /* of a ping */
  char *key;
  char if_match[164]; /* of a conditional remove */
};

static void simple_free(struct simple *simple) {
  if (simple->limit != NULL)
    event_free(simple->limit);
  free(simple->key);
  free(simple);
}

static void simple_cancel(void *work) {
  struct simple *simple = work;
  struct sluice_op *op = simple->op;
  s3_call_cancel(simple->call);
  simple_free(simple);
  sluice_done(op, SLUICE_ECANCELED, NULL);
}

static struct simple *simple_start(struct s3_loop *loop, struct sluice_op *op,
                                   const char *method, const char *key,
                                   const struct s3_events *events) {
  struct simple *simple = calloc(1, sizeof *simple);
  must_have(simple); /* charged with the request */
  simple->loop = loop;
  simple->op = op;
  simple->request.behind = op;
  simple->request.method = method;
  if (key != NULL) {
    simple->key = strdup(key);
    must_have(simple->key);
  }
  simple->request.key = simple->key;
  *s3_task_of(op) = (struct s3_task){.cancel = simple_cancel, .work = simple};
  simple->call = s3_call_start(loop, &simple->request, events, simple);
  return simple;
}

static void simple_end(struct simple *simple, enum sluice_status status,
                       const char *why) {
  struct sluice_op *op = simple->op;
  if (status == SLUICE_OK)
    sluice_done(op, SLUICE_OK, NULL);
  else
    sluice_done(op, status, "%s", why);
  simple_free(simple);
}

static void object_on_head(void *arg, struct s3_call *call,
                           const struct s3_answer *answer) {
  struct simple *simple = arg;
  uint64_t length;
  if (answer->status != SLUICE_OK) {
    simple_end(simple, answer->status, answer->why);
  } else if (!s3_length(call, &length)) {
    simple_end(simple, SLUICE_EUPSTREAM,
               "an answer doesn't say the object's length");
  } else {
    s3_meta_tell(simple->op, call, length);
    simple_end(simple, SLUICE_OK, NULL);
  }
}

bool s3_is_no_key(const struct s3_loop *loop, const char *key) {
  const struct s3_dialect *dialect = loop->s3->dialect;
  if (dialect->slash_aliases && key[0] == '/')
    return true;
  for (; dialect->no_controls && *key != '\0'; key++)
    if ((unsigned char)*key < ' ' || *key == 0x7F)
      return true;
  return false;
}

void s3_head(void *handle, struct sluice_op *op, const char *key) {
  static const struct s3_events events = {.done = object_on_head};
  if (s3_is_no_key(handle, key)) {
    sluice_done(op, SLUICE_ENOENT, NULL);
    return;
  }
  simple_start(handle, op, "HEAD", key, &events);
}

static void object_on_removed(void *arg, struct s3_call *call,
                              const struct s3_answer *answer) {
  /* A 404 that no S3 service sends says nothing of the object. */
  bool stranger = answer->http == 404 && answer->code[0] == '\0';
  (void)call;
  simple_end(arg, stranger ? SLUICE_EUPSTREAM : answer->status, answer->why);
}

void s3_remove(void *handle, struct sluice_op *op, const char *key) {
  static const struct s3_events events = {.done = object_on_removed};
  if (s3_is_no_key(handle, key)) {
    sluice_done(op, SLUICE_OK, NULL);
    return;
  }
  simple_start(handle, op, "DELETE", key, &events);
}

/* An attempt before may have removed it; what is there now was put since, or
 * is what had to stay. */
static void on_looked(void *arg, struct s3_call *call,
                      const struct s3_answer *answer) {
  (void)call;
  if (answer->http == 404)
    simple_end(arg, SLUICE_OK, NULL);
  else
    simple_end(arg, SLUICE_EUPSTREAM,
               "nobody can say whether the object was removed");
}

static void on_removed_if(void *arg, struct s3_call *call,
                          const struct s3_answer *answer) {
  static const struct s3_events events = {.done = on_looked};
  struct simple *simple = arg;
  bool refused = answer->status == SLUICE_EPRECOND ||
                 (answer->status == SLUICE_ENOENT && answer->code[0] != '\0');
  if (!refused || !answer->outcome_unknown) {
    object_on_removed(arg, call, answer);
    return;
  }
  simple->request = (struct s3_request){
      .behind = simple->op, .method = "HEAD", .key = simple->key};
  simple->call =
      s3_call_start(simple->loop, &simple->request, &events, simple);
}

void s3_remove_if(void *handle, struct sluice_op *op,
                  const struct sluice_removal *removal) {
  static const struct s3_events events = {.done = on_removed_if};
  if (s3_is_no_key(handle, removal->key)) {
    sluice_done(op, SLUICE_ENOENT, NULL);
    return;
  }
  struct simple *simple =
      simple_start(handle, op, "DELETE", removal->key, &events);
  snprintf(simple->if_match, sizeof simple->if_match, "\"%s\"",
           removal->if_match);
  simple->request.headers[0] =
      (struct sigv4_pair){"If-Match", simple->if_match};
}

/* Any answer to a signed request for the bucket says that the service is
 * there; whether the bucket is, start() has asked. */
static void on_ping(void *arg, struct s3_call *call,
                    const struct s3_answer *answer) {
  (void)call;
  bool there = answer->http > 0 && answer->http < 500;
  simple_end(arg, there ? SLUICE_OK : SLUICE_EUPSTREAM, answer->why);
}

static void on_limit(evutil_socket_t fd, short what, void *arg) {
  struct simple *simple = arg;
  (void)fd, (void)what;
  s3_call_cancel(simple->call);
  simple_end(simple, SLUICE_ETIMEOUT, "no answer within 2 s");
}

void s3_ping(void *handle, struct sluice_op *op) {
  static const struct s3_events events = {.done = on_ping};
  static const struct timeval limit = {.tv_sec = PING_S};
  const struct s3_loop *loop = handle;
  struct simple *simple = simple_start(handle, op, "HEAD", NULL, &events);
  simple->limit = evtimer_new(loop->base, on_limit, simple);
  if (simple->limit != NULL)
    event_add(simple->limit, &limit);
}

void s3_cancel(void *handle, struct sluice_op *op) {
  struct s3_task task = *s3_task_of(op);
  (void)handle;
  task.cancel(task.work);
}
