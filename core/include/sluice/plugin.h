/* SPDX-License-Identifier: MIT
 *
 * The whole contract between the gateway and a plugin.  Guide:
 * sluice-plugin(3).
 *
 * The promise: a plugin built against an older 1.x header works with a newer
 * 1.y gateway.  Fields are added only at the end of a struct, NULL in a
 * descriptor means "not offered" (the gateway answers 501).
 *
 * Three rules cover the rest.
 *   THREAD  A handle is used by one event loop only.  A plugin takes no locks
 *           and never blocks: blocking calls go through sluice_work() or a
 *           lane.  sluice_* calls are made on the loop's own thread, unless
 *           they say otherwise.
 *   DONE    Every operation ends in exactly one sluice_done(), also when it
 *           was canceled.  After it the operation must not be touched.
 *   LENT    A chunk is lent from its send until the receiver asks for the
 *           next one; there is never more than one.  Who lent it doesn't end
 *           the operation before that, cancel() excepted.
 * And the gateway's side: no call re-enters.  sluice_send(), sluice_next()
 * and sluice_done() return before the other end runs.
 *
 * All strings are UTF-8 and end in NUL.  What the gateway passes to a plugin
 * (keys, requests, objects) is lent until the plugin's function returns,
 * unless it says otherwise; what a plugin passes to the gateway is copied
 * before the call returns, chunks excepted.
 */
#ifndef SLUICE_PLUGIN_H
#define SLUICE_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_ABI_MAJOR 1u
#define SLUICE_ABI_MINOR 1u
#define SLUICE_ABI (SLUICE_ABI_MAJOR << 16 | SLUICE_ABI_MINOR)

#ifdef __cplusplus
#define SLUICE_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define SLUICE_EXPORT __attribute__((visibility("default")))
#endif
#define SLUICE_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* How an operation ends.  The HTTP status that a client sees is beside it. */
enum sluice_status {
  SLUICE_OK,        /* 200, 201, 206 */
  SLUICE_EINVAL,    /* 400  the request makes no sense to this backend */
  SLUICE_EAUTH,     /* 401  who is it? */
  SLUICE_EDENIED,   /* 403  not this one, or a link that doesn't verify */
  SLUICE_ENOENT,    /* 404  no such object */
  SLUICE_EEXIST,    /* 409  an object of that key is there */
  SLUICE_EPRECOND,  /* 412  the object changed meanwhile */
  SLUICE_ERANGE,    /* 416 */
  SLUICE_ETOOBIG,   /* 413 */
  SLUICE_EBUSY,     /* 503  try again later */
  SLUICE_ERATE,     /* 429  too many requests of this client */
  SLUICE_EIO,       /* 500  the backend's own machinery failed */
  SLUICE_EUPSTREAM, /* 502  the storage failed, or answered nonsense */
  SLUICE_ETIMEOUT,  /* 504 */
  SLUICE_ENOSPC,    /* 507  disk, quota or bucket full */
  SLUICE_ENOTSUP,   /* 501 */
  SLUICE_ENOMEM,    /* 503 */
  SLUICE_ECANCELED  /* never seen by a client */
};

/* ---- configuration: a table, not a callback ---------------------------- */

enum sluice_type { /* the field at `offset` is a        written as */
                   SLUICE_STRING, /* const char *                      text */
                   SLUICE_SECRET, /* const char *, never logged        text */
                   SLUICE_BOOL,   /* bool                              true,
                                     false */
                   SLUICE_INT,    /* int64_t                           12 */
                   SLUICE_SIZE,   /* uint64_t, bytes                   64KiB,
                                     50MiB */
                   SLUICE_TIME,   /* int64_t, milliseconds             250ms,
                                     30s, 1h */
                   SLUICE_LIST, /* const char *const *, NULL at end  [a, b] */
                   /* Since 1.1, of a backend that stands on others, a layer
                      (<sluice/ask.h>): names of configured backends, as
                      SLUICE_STRING and SLUICE_LIST.  "": none. */
                   SLUICE_BACKEND_NAME,
                   SLUICE_BACKEND_NAMES
};

/* One key of a backend's or hook's YAML mapping.  The table ends with a NULL
 * name.  Strings live as long as the process. */
struct sluice_option { /* frozen for major 1 */
  const char *name;
  int type;             /* enum sluice_type */
  const char *fallback; /* as written in YAML; NULL: required;
                           "": empty, for a list: no item */
  size_t offset;        /* into the plugin's conf struct */
  const char *help;     /* one line: --plugins, the man page and its test */
};

/* ---- what gateway and plugin say to each other ------------------------- */

struct sluice_host;    /* one configured plugin: as a whole, or on one loop */
struct sluice_op;      /* one operation in flight */
struct sluice_request; /* one HTTP request, seen by hooks */
struct event_base;
struct sluice_object;
struct sluice_chore; /* <sluice/chore.h> */

struct sluice_pair {
  const char *name, *value;
};

/* The facts about an object.  Filled by plugins, so the size goes first. */
struct sluice_meta {
  uint32_t size;
  uint64_t length;                /* bytes of the whole object */
  int64_t mtime_ms;               /* since 1970, UTC */
  const char *etag;               /* without quotes; NULL: none */
  const char *type;               /* media type; NULL: unknown */
  const struct sluice_pair *user; /* metadata, ends with a NULL name */
  /* Since 1.1: what another tool stored with the object.  A download is
   * answered with each as the header of that name; NULL: none. */
  const char *encoding; /* Content-Encoding: the bytes are encoded so */
  const char *language; /* Content-Language */
  const char *cache_control;
  const char *expires; /* as the header has it */
  int before;          /* of a commit or a copy: enum sluice_before */
  /* Since 1.1: the MD5 of all the object's bytes, 32 hex digits.  Where the
   * gateway reads a whole object from the chunks' file itself, as for TLS, it
   * breaks the download off, before its end, when they have another; NULL: it
   * compares nothing. */
  const char *md5;
};
/* The state of the key before it was written. */
enum sluice_before {
  SLUICE_BEFORE_UNKNOWN, /* the storage doesn't say */
  SLUICE_BEFORE_FREE,
  SLUICE_BEFORE_THERE
};
#ifdef __cplusplus
#define SLUICE_META                                                           \
  {                                                                           \
    (uint32_t)sizeof(struct sluice_meta), 0, 0, NULL, NULL, NULL, NULL, NULL, \
        NULL, NULL, 0, NULL                                                   \
  }
#else
#define SLUICE_META \
  { .size = (uint32_t)sizeof(struct sluice_meta) }
#endif

/* Bytes: in memory when fd is -1, else in a file that can be read with
 * pread(2) or sendfile(2) from `offset`.  A put's chunks are in memory. */
struct sluice_chunk { /* frozen for major 1 */
  const void *data;
  uint64_t length;
  uint64_t offset;
  int fd;
  bool last; /* get: nothing follows.  put: set on the last one, maybe empty */
};

struct sluice_get {
  const char *key;
  /* The range that read() will probably ask for: one round trip may do. */
  uint64_t first; /* 0: from the start */
  uint64_t count; /* UINT64_MAX: to the end */
};

struct sluice_put {
  int64_t length; /* of the object, a hint: at most this; -1: unknown */
  /* Since 1.1, for SLUICE_CAN_EARLY: what commit() will say, but for length
   * and md5; pairs that come only then needn't be kept.  NULL: unknown. */
  const struct sluice_object *object;
};

struct sluice_object { /* at commit: what the bytes become */
  const char *key, *type;
  uint64_t length;                /* of all chunks */
  const char *md5;                /* of all chunks, 32 hex digits */
  const struct sluice_pair *user; /* ends with a NULL name */
  bool exclusive;                 /* refuse to replace: SLUICE_EEXIST */
  /* Since 1.1: replace an object that has this ETag, or, as "*", any object,
   * and nothing else: SLUICE_EPRECOND.  NULL: whatever is there. */
  const char *if_match;
};

struct sluice_removal { /* since 1.1 */
  const char *key;
  const char *if_match; /* its ETag, or "*": any; SLUICE_EPRECOND */
  bool if_ended;        /* no other than what has ended: SLUICE_CAN_END */
};

struct sluice_copy {
  const char *from, *to; /* never the same */
  const char *if_match;  /* the ETag that `from` must have: SLUICE_EPRECOND */
  bool exclusive;        /* refuse to replace `to`: SLUICE_EEXIST */
};

/* Bits: a backend decides this together with the write, so that of many at
 * once one succeeds.  The gateway doesn't ask for the others. */
enum sluice_ability {
  SLUICE_CAN_CREATE = 1,     /* commit(): `exclusive` */
  SLUICE_CAN_REPLACE = 2,    /* commit(): `if_match` */
  SLUICE_CAN_REMOVE = 4,     /* remove_if() */
  SLUICE_CAN_COPY = 8,       /* copy(), also of what is replaced meanwhile */
  SLUICE_CAN_COPY_NEW = 16,  /* copy(): `exclusive` */
  SLUICE_CAN_TELL = 32,      /* a commit, a copy: sluice_meta() has `before` */
  SLUICE_CAN_MATCH_ANY = 64, /* `if_match` may be "*" */
  /* A put gives its bytes back, between the last chunk's sluice_next() and
   * commit(): read() comes for all of them, once at most; sluice_send() of one
   * chunk, which is the last; after its more(): sluice_next(). */
  SLUICE_CAN_REREAD = 128,
  SLUICE_CAN_EARLY = 256, /* a put, told its `object`: bytes before commit() */
  SLUICE_CAN_END = 512    /* an object past its sluice-expires isn't there */
};

struct sluice_list {
  const char *prefix;    /* "": all */
  const char *delimiter; /* NULL: none */
  const char *token;     /* NULL: from the start; else as sluice_truncated
                            gave it for this prefix and delimiter */
  uint32_t max;          /* entries and folded prefixes together, 1..1000 */
};

struct sluice_link { /* presign */
  const char *key;
  const char *method;      /* GET; since 1.1 also PUT, over what is there */
  int64_t expires_s;       /* since 1970, UTC */
  uint32_t seconds;        /* from now */
  const char *disposition; /* Content-Disposition to answer with, or NULL */
  const char *type;        /* Content-Type to answer with, or NULL */
  const char *signed_url;  /* where the gateway serves links of a backend
                              that has verify(): no query */
};

struct sluice_claim { /* verify: a link that came back */
  const char *method;
  const char *query; /* as received, percent-encoded, without "?" */
};

/* ---- staging, since 1.1 ------------------------------------------------ */

/* An upload that goes on over several requests, by any gateway.  Its bytes
 * wait in a stage, which no list and no read shows, until they are committed
 * as an object, or expire. */

#define SLUICE_STAGE_ID_MAX 4096    /* bytes of its name, which is text */
#define SLUICE_STAGE_STATE_MAX 1024 /* bytes that are saved with an offset */

/* Saved together with a durable offset, and only with it. */
struct sluice_save {
  const void *state; /* the gateway's: the plugin doesn't look into it */
  size_t state_size;
  int64_t expires_s; /* since 1970, UTC: from then on the stage is swept */
};

struct sluice_stage {
  const char *id; /* as sluice_text() gave it; NULL: a new one, of which: */
  const struct sluice_save *save;     /* with the offset 0 */
  const struct sluice_object *object; /* its likely key, type, user; or NULL */
  int64_t length;                     /* at most so many bytes; -1: unknown */
  const char *owner;                  /* whose it is; "": nobody's */
  uint64_t owner_max; /* stages that the owner may have which aren't complete:
                         SLUICE_ERATE; 0: any number */
  bool unheard; /* nobody hears of it before it was saved or committed: it has
                   to be durable only then */
};

/* The facts about a stage.  Filled by plugins, so the size goes first. */
struct sluice_staged {
  uint32_t size;
  uint64_t offset;   /* so many bytes are durable, whatever happens */
  const void *state; /* saved with just that offset */
  size_t state_size;
  int64_t expires_s;
  bool complete; /* it was committed: `offset` is the object's length */
};

/* ---- backend ----------------------------------------------------------- */

struct sluice_backend {
  uint32_t abi, size; /* SLUICE_HEAD() */
  const char *name, *version, *summary;
  const struct sluice_option *options;
  size_t conf_size;

  /* Once per configured backend, before the loops run; may block.  Makes sure
   * that the storage is there.  NULL after sluice_fail() stops the gateway.
   * The host may be used until stop(). */
  void *(*start)(const void *conf, struct sluice_host *);
  void (*stop)(void *instance); /* once, after every close(); may block */
  /* Once per loop, on its thread. */
  void *(*open)(void *instance, struct sluice_host *);
  void (*close)(void *handle); /* no operation is in flight any more */

  /* head, get, put, list, remove, ping, presign and verify start an operation,
   * which ends in one sluice_done(). */

  /* sluice_meta(), done; SLUICE_ENOENT */
  void (*head)(void *handle, struct sluice_op *, const char *key);
  /* sluice_meta(), then wait for read(), which comes at most once; then
   * sluice_send() and wait for more(), again and again; after the more() of
   * the last chunk: done. */
  void (*get)(void *handle, struct sluice_op *, const struct sluice_get *);
  void (*read)(void *handle, struct sluice_op *, uint64_t first,
               uint64_t count);
  void (*more)(void *handle, struct sluice_op *);
  /* sluice_next() asks for the first chunk; data() lends one and sluice_next()
   * returns it; after the last chunk's sluice_next() comes commit(). */
  void (*put)(void *handle, struct sluice_op *, const struct sluice_put *);
  void (*data)(void *handle, struct sluice_op *, const struct sluice_chunk *);
  /* Nothing is visible before; when it is done, all of it is durable. */
  void (*commit)(void *handle, struct sluice_op *,
                 const struct sluice_object *);
  /* sluice_entry() and sluice_prefix(), the keys in byte order and so are the
   * prefixes, in any mixture; sluice_truncated(), done */
  void (*list)(void *handle, struct sluice_op *, const struct sluice_list *);
  /* done, also when no such object is there */
  void (*remove)(void *handle, struct sluice_op *, const char *key);
  /* Any time before done: end soon, undo what isn't committed.  SLUICE_OK says
   * of a commit or a remove that it took place, as SLUICE_ENOENT does of a
   * remove, and of a remove_many() what sluice_failed() doesn't name; else the
   * status of that sluice_done() doesn't matter. */
  void (*cancel)(void *handle, struct sluice_op *);
  /* Is the storage reachable?  done */
  void (*ping)(void *handle, struct sluice_op *);

  /* ---- optional ---- */

  /* sluice_text() with the URL, then, where it ends before link->seconds,
   * with the seconds after which it does; done */
  void (*presign)(void *handle, struct sluice_op *,
                  const struct sluice_link *);
  /* For a backend whose links the gateway serves: sluice_text() with the key,
   * then, where the link has them, with disposition and type ("" else); done;
   * SLUICE_EDENIED when anything is wrong. */
  void (*verify)(void *handle, struct sluice_op *,
                 const struct sluice_claim *);

  /* ---- optional, since 1.1 ---- */

  /* Bits of enum sluice_ability; asked once, after start().  Not offered:
   * none.  A commit of such a backend may call sluice_meta() before done, with
   * the ETag of what was stored and what was there before. */
  unsigned (*can)(void *instance);
  /* done; SLUICE_ENOENT, SLUICE_EPRECOND: nothing was removed.  Where a
   * storage can't tell that nothing was there, SLUICE_OK. */
  void (*remove_if)(void *handle, struct sluice_op *,
                    const struct sluice_removal *);
  /* The object with its type and metadata, without its bytes passing through
   * the gateway: sluice_meta() of the new one, done; SLUICE_ENOENT: there is
   * no `from`. */
  void (*copy)(void *handle, struct sluice_op *, const struct sluice_copy *);
  /* Removes up to 1000 keys, none twice, in any order: sluice_failed() for
   * each that couldn't be, done.  What isn't there counts as removed.  The
   * keys are lent until done; not offered: remove() is called for each. */
  void (*remove_many)(void *handle, struct sluice_op *,
                      const char *const *keys, size_t count);

  /* ---- staging, since 1.1: all of it, or nothing ---- */

  /* Opens a stage, or makes one: then sluice_text() with its id comes first.
   * sluice_staged(); then wait for data(), save() or stage_commit(), each
   * after the answer to the one before.  data() lends a chunk, as in a put,
   * and sluice_next() returns it.  SLUICE_ENOENT: there is no such stage, or
   * it has expired.
   * Whoever opened it before has lost it, in any gateway: nothing of that one
   * changes a byte any more, and its next call ends with SLUICE_EPRECOND.
   * Bytes that weren't saved don't count.  cancel() leaves the stage as it was
   * saved last. */
  void (*stage)(void *handle, struct sluice_op *, const struct sluice_stage *);
  /* Makes durable what was lent, with this state: sluice_staged(), whose
   * offset is all of it. */
  void (*save)(void *handle, struct sluice_op *, const struct sluice_save *);
  /* As commit() of a put, of all bytes of the stage; and in the same step, all
   * or nothing, the stage is complete and has this state.  It is kept until it
   * expires, so that it can be asked for again, and takes no bytes. */
  void (*stage_commit)(void *handle, struct sluice_op *,
                       const struct sluice_object *,
                       const struct sluice_save *);
  /* As get(): sluice_meta() with the durable bytes' length, then read() and
   * more().  It opens nothing. */
  void (*stage_get)(void *handle, struct sluice_op *, const char *id);
  /* It is gone, and whoever has it open has lost it; an object that it became
   * stays.  done; SLUICE_ENOENT */
  void (*stage_remove)(void *handle, struct sluice_op *, const char *id);
  /* Removes the stages that have expired by then, and what no stage needs:
   * done.  Comes every few minutes. */
  void (*stage_sweep)(void *handle, struct sluice_op *, int64_t now_s);

  /* ---- layers, since 1.1 ---- */

  /* Bytes that the layer keeps for one get, put or stage, beyond 1 KiB; its
   * sluice_op_state() is a part of them.  They are taken of limits.memory for
   * as long as the operation lasts: where there isn't so much, it isn't asked
   * for, and ends with SLUICE_ENOMEM. */
  size_t op_memory;

  /* Since 1.1: <sluice/chore.h>, <sluice/handover.h>, <sluice/metrics.h>. */
  enum sluice_status (*chore)(const void *conf, struct sluice_host *,
                              const struct sluice_chore *);
  size_t (*hand_over)(void *instance, int *fds);
  const struct sluice_metric *metrics;
};

/* ---- hook -------------------------------------------------------------- */

enum sluice_verdict {
  SLUICE_PASS,  /* no opinion */
  SLUICE_ALLOW, /* one is needed once a hook with `guards` is configured */
  SLUICE_DENY,  /* the request ends: 403, or as sluice_request_refuse() said */
  SLUICE_WAIT   /* the answer comes through sluice_request_resume() */
};

struct sluice_record { /* what became of a request */
  uint32_t size;
  int status;
  uint64_t bytes_in, bytes_out; /* bodies */
  uint64_t usec;                /* from the head's first byte to the end */
  const char *code;             /* of the error, or NULL */
  /* Since 1.1: whose doing it was that the request didn't come to the end that
   * its client wanted: "client", "storage", "gateway", "hook", "time" or
   * "limit"; NULL when it came to it. */
  const char *ended_by;
  /* Since 1.1, parts of `usec`: hooks were waited for, the backend was, and
   * the rest, which is the client's or the gateway's own. */
  uint64_t hooks_us, backend_us, client_us;
};

struct sluice_hook {
  uint32_t abi, size; /* SLUICE_HEAD() */
  const char *name, *version, *summary;
  const struct sluice_option *options;
  size_t conf_size;
  bool guards; /* its ALLOW admits; what no such hook allows is denied */

  void *(*start)(const void *conf, struct sluice_host *); /* as a backend's */
  void (*stop)(void *instance);
  void *(*open)(void *instance, struct sluice_host *);
  void (*close)(void *handle);

  /* Each may be NULL.  All run in the order of the configuration. */

  /* The head is known, the body isn't; nothing has been looked up. */
  enum sluice_verdict (*on_request)(void *handle, struct sluice_request *);
  /* The key (or the prefix of a list) is known, nothing has been looked up,
   * and an upload isn't committed.  ALLOW is PASS here. */
  enum sluice_verdict (*on_key)(void *handle, struct sluice_request *);
  /* The head of the answer is about to go: headers may be added. */
  void (*on_response)(void *handle, struct sluice_request *);
  /* The last byte went, or the client did.  Comes for every request, also for
   * one that no hook was asked about, or while a hook still waits. */
  void (*on_log)(void *handle, struct sluice_request *,
                 const struct sluice_record *);
  /* An upload is durable, or an object was deleted (its key alone is known),
   * and nobody was told yet: for what has to be certain before the answer.
   * WAIT holds that back, at most limits.backend_timeout, any other verdict
   * lets it go.  Comes also if the client left, or was answered with 504. */
  enum sluice_verdict (*on_change)(void *handle, struct sluice_request *,
                                   const struct sluice_object *);
  /* SIGHUP: open files again, read them again. */
  void (*reload)(void *handle);
  /* Since 1.1: bytes of an upload, before anybody sees them. */
  enum sluice_verdict (*on_body)(void *handle, struct sluice_request *,
                                 const struct sluice_chunk *);
  const struct sluice_metric *metrics; /* since 1.1: <sluice/metrics.h> */
  bool tried; /* since 1.1: start() only reads, and sluice -t calls it, too */
};

/* ---- registration: const data, one symbol named after the plugin ------- */

#if defined __cplusplus && __cplusplus < 202002L /* has no designators */
#define SLUICE_HEAD(t) SLUICE_ABI, (uint32_t)sizeof(struct t)
#else
#define SLUICE_HEAD(t) .abi = SLUICE_ABI, .size = (uint32_t)sizeof(struct t)
#endif
#define SLUICE_BACKEND(n, desc)                                        \
  SLUICE_EXPORT const struct sluice_backend *sluice_backend_##n(void); \
  const struct sluice_backend *sluice_backend_##n(void) {              \
    return &(desc);                                                    \
  }
#define SLUICE_HOOK(n, desc)                                     \
  SLUICE_EXPORT const struct sluice_hook *sluice_hook_##n(void); \
  const struct sluice_hook *sluice_hook_##n(void) {              \
    return &(desc);                                              \
  }

#ifdef __cplusplus
}
#endif

#include <sluice/ask.h>
#include <sluice/calls.h>
#include <sluice/chore.h>
#include <sluice/handover.h>
#include <sluice/upload.h>

#endif
