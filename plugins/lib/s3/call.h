/* SPDX-License-Identifier: MIT
 *
 * One request to S3 with all its attempts: signed anew each time, corrected
 * where clock or region were wrong, repeated where that can help.
 */
#ifndef S3_CALL_H
#define S3_CALL_H

#include <sluice/plugin.h>

#include "client.h"
#include "xml.h"

#define S3_CALL_QUERY_MAX 8
#define S3_CALL_HEADERS_MAX 40

struct s3_call;

struct s3_request {         /* lent until done */
  struct sluice_op *op;     /* to be told that it goes on; NULL: none */
  struct sluice_op *behind; /* whose it is, where `op` is NULL: for its trace,
                               and its attempts; NULL: nobody's */
  const char *method;
  const char *key; /* NULL: the bucket */
  struct sigv4_pair query[S3_CALL_QUERY_MAX];
  struct sigv4_pair headers[S3_CALL_HEADERS_MAX]; /* beside the signature's */
  /* The body: none, memory, or a range of a spool. */
  const void *data;
  struct spool *spool;
  uint64_t first, length;
  const char *sha256; /* of the body, in hex; NULL: unknown, or none */
  enum xml_kind expected;
  bool wants_xml; /* in a 2xx; an error's is read anyway */
  bool fresh;     /* on a connection of its own: on one that was kept, the
                     client itself may send a request without a body twice */
  const struct xml_events *xml_events;
};

struct s3_answer { /* lent during done() */
  enum sluice_status status;
  int http;         /* 0: there was no answer */
  const char *code; /* S3's word for an error, or "" */
  const char *why;  /* for the log: with the service's request id */
  const struct xml_result *xml; /* where one was wanted and came */
  bool outcome_unknown; /* an attempt that failed may have been done all the
                           same */
};

struct s3_events {
  /* A 2xx came; the body follows as data(), as httpc has it.  Both NULL: the
   * body doesn't matter. */
  void (*head)(void *arg, struct s3_call *);
  bool (*data)(void *arg, const char *data, size_t len);
  void (*done)(void *arg, struct s3_call *, const struct s3_answer *);
};

/* done() is always called, never from inside this. */
struct s3_call *s3_call_start(struct s3_loop *, const struct s3_request *,
                              const struct s3_events *, void *arg);
void s3_call_continue(struct s3_call *); /* after data() said "not yet" */
void s3_call_cancel(struct s3_call *);   /* no event follows */
int s3_call_status(const struct s3_call *);
/* Of the answer, valid in head() and done(); NULL: it isn't there. */
const char *s3_call_header(const struct s3_call *, const char *name);
/* Each of them, in their order; false: there are fewer. */
bool s3_call_header_each(const struct s3_call *, size_t index,
                         const char **name, const char **value);

/* An answer's error, by its status and S3's code. */
struct s3_error_class {
  enum sluice_status status;
  bool again; /* another attempt may help */
};
enum s3_subject { /* of a request: has a client chosen it? */
                  S3_NO_KEY,
                  S3_KEY, /* one that may be there, or those below a prefix */
                  S3_NEW_KEY
};
struct s3_error_class s3_error_class(int http, const char *code,
                                     enum s3_subject);

#endif
