/* SPDX-License-Identifier: MIT
 *
 * One server that is STS, a container's service, the instance metadata
 * service and S3, and a backend that gets its credentials there.  Keys are
 * numbered: AKIDEXAMPLE1, AKIDEXAMPLE2, ...
 *
 * Everything that is secret has the word EXAMPLE in it and an S before, so
 * that a log can be searched for it.
 */
#ifndef TESTS_CREDENTIALSKIT_H
#define TESTS_CREDENTIALSKIT_H

#include "call.h"
#include "httpckit.h"
#include "loop.h"
#include "op.h"
#include "work.h"

#define SECRET_WORD "SEXAMPLE"
#define WEB_TOKEN "web.SEXAMPLE/+="
#define AUTHORIZATION "Basic SEXAMPLE"

enum service_mood {
  MOOD_GOOD,
  MOOD_NONSENSE,  /* neither JSON nor XML, with a secret in it */
  MOOD_NO_KEYS,   /* JSON or XML without them */
  MOOD_NO_EXPIRY, /* they don't say when they end */
  MOOD_PAST,      /* they have ended */
  MOOD_TOO_LONG,  /* an answer without end */
  MOOD_HELD,      /* no answer, until service_go_on() */
  MOOD_REFUSING,  /* 403 with a code */
  MOOD_BUSY_ONCE  /* 503, then GOOD */
};

struct service {
  struct server server; /* first */
  atomic_int mood;
  atomic_int lives_ms;   /* what it hands out */
  atomic_int number;     /* of the keys it handed out last */
  atomic_int asked;      /* times */
  atomic_int valid_from; /* S3 takes keys from this number on */
  atomic_int gets;       /* S3 requests that came */
  atomic_bool s3_held;   /* until service_s3_goes_on() */
  sem_t s3_gate;
  sem_t noting;           /* of what follows, between connections */
  char asked_with[65536]; /* head and body of the last round's request */
};

struct rig {
  struct service service;
  char folder[64];
  struct s3_conf conf;
  struct s3 s3;
  struct work_pool *pool;
  struct loop *loop;
  struct sluice_host host;
  struct s3_loop handle;
  bool opened;
  struct errmsg errmsg;
};

enum provider { BY_WEB, BY_CONTAINER, BY_IMDS, BY_FILE };

/* An empty environment, the server, and no provider. */
void rig_init(struct rig *);
void rig_fini(struct rig *);
void rig_set(const char *name, const char *fmt, ...) SLUICE_PRINTF(2, 3);
void rig_use(struct rig *, enum provider);
/* A file of the rig's folder; its path. */
const char *rig_write(struct rig *, const char *name, const char *fmt, ...)
    SLUICE_PRINTF(3, 4);
void rig_write_keys(struct rig *, int number);
/* Finds the source; false: errmsg. */
bool rig_find(struct rig *);
/* And gets the first credentials there. */
bool rig_first(struct rig *);
/* And opens a handle on a loop. */
void rig_open(struct rig *);
void rig_close(struct rig *);
void rig_pass(struct rig *); /* waits for one event at least */
void rig_wait_ms(struct rig *, int ms);
int rig_number(const struct credentials *); /* 0: not one of ours */

void service_go_on(struct service *, int times);
/* This is what it was asked with last, when nobody asks any more. */
const char *service_asked_with(struct service *);
void service_s3_goes_on(struct service *, int times);

struct get {
  struct s3_request request;
  struct s3_call *call;
  bool over;
  enum sluice_status status;
  unsigned attempts;
};

void get_start(struct get *, struct rig *, const char *method);
void get_wait(struct get *, struct rig *);

/* Everything said to stderr from now on, and then what it was. */
void capture_start(void);
const char *capture_end(void);

#endif
