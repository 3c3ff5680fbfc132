/* SPDX-License-Identifier: MIT
 *
 * The certificate of TLS, with what belongs to it: loaded at the start, and
 * again when its files change or somebody asks for it.  What doesn't fit
 * together is told, and the last good one stays.
 *
 * All calls are the main thread's; files are read by threads of the pool.
 */
#ifndef SERVER_CERTIFICATE_H
#define SERVER_CERTIFICATE_H

#include <event2/event.h>
#include <openssl/ssl.h>
#include <sys/types.h>
#include <time.h>

#include "settings.h"

#define CERTIFICATE_FILES 3

struct loop;
struct work_share;

struct certificate_stamp { /* of a file; all bytes count */
  uint64_t error, device, inode, size;
  int64_t modified, modified_ns, changed, changed_ns;
};

struct certificate_fresh { /* that isn't in use yet */
  SSL_CTX *tls;            /* NULL: none is configured */
  struct certificate_stamp seen[CERTIFICATE_FILES];
};

struct certificate {
  struct settings *from; /* kept; NULL: none is configured */
  SSL_CTX *tls;          /* in use; NULL: none is configured */
  /* Of the files that were read last, whether they were good or not. */
  struct certificate_stamp seen[CERTIFICATE_FILES];

  struct loop *loop;
  struct work_share *share;
  void (*renewed)(void *arg, SSL_CTX *);
  void *arg;
  struct event *timer;
  time_t told;       /* when its age was looked at */
  bool asked, again; /* files are read in any case; and once more then */
  bool stale;        /* what is being read is another configuration's */

  /* A thread's, while it looks. */
  bool looking, read;
  struct settings *looks_at; /* kept */
  SSL_CTX *fresh;            /* NULL: `why` */
  struct errmsg why;
};

/* Reads the files.  True where none is configured; false and why. */
bool certificate_load(struct certificate_fresh *, const struct settings_tls *,
                      struct errmsg *);
/* False and why: its time is over, or hasn't come.  Near its end: a line. */
bool certificate_check(SSL_CTX *, const struct settings_tls *,
                       struct errmsg *);
/* Uses this one from now on, which is taken, and looks at its files; renewed()
 * is called, where loops run. */
void certificate_use(struct certificate *, struct settings *,
                     struct certificate_fresh *);
void certificate_fini(struct certificate *);

/* In seconds since 1970; one is configured. */
int64_t certificate_ends(const struct certificate *);

/* Before the others; renewed() is lent the new one.  False: no memory. */
bool certificate_start(struct certificate *, struct loop *,
                       struct work_share *,
                       void (*renewed)(void *arg, SSL_CTX *), void *arg);
void certificate_watch(struct certificate *);  /* looks now and then */
void certificate_reload(struct certificate *); /* reads the files at once */
void certificate_stop(struct certificate *);   /* nothing is being read */

#endif
