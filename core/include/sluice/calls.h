/* SPDX-License-Identifier: MIT
 *
 * The calls that a plugin may make.  A part of <sluice/plugin.h>, which says
 * by which rules and is what a plugin includes.
 */
#ifndef SLUICE_CALLS_H
#define SLUICE_CALLS_H

#include <sluice/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what a plugin may call (core/sluice.syms) ------------------------- */

#pragma GCC visibility push(default)

/* The plugin's memory for this operation: zeroed at the first call, freed
 * with the operation.  `size` is the same at each call, at most 64 KiB. */
void *sluice_op_state(struct sluice_op *, size_t size);
/* Ends the operation.  `why` is for the log and is never shown to a client;
 * NULL: the status says enough. */
void sluice_done(struct sluice_op *, enum sluice_status, const char *why, ...)
    SLUICE_PRINTF(3, 4);
/* A long operation goes on, though there is nothing to tell yet: without a
 * word for limits.backend_timeout it would be given up. */
void sluice_alive(struct sluice_op *);
void sluice_meta(struct sluice_op *, const struct sluice_meta *);
/* The chunk's bytes stay as they are until more() or cancel(). */
void sluice_send(struct sluice_op *, const struct sluice_chunk *);
void sluice_next(struct sluice_op *);
/* The meta's type, encoding and user may be told, too, where that costs the
 * storage nothing: layers use them, the gateway doesn't. */
void sluice_entry(struct sluice_op *, const char *key,
                  const struct sluice_meta *);
void sluice_prefix(struct sluice_op *, const char *prefix);
/* There is more; `token` (at most 4 KiB) finds the rest later. */
void sluice_truncated(struct sluice_op *, const char *token);
void sluice_text(struct sluice_op *, const char *text);
/* Since 1.1.  Of remove_many(): the key of this index is still there. */
void sluice_failed(struct sluice_op *, size_t index, enum sluice_status);

/* Since 1.1.  The state is copied. */
void sluice_staged(struct sluice_op *, const struct sluice_staged *);

/* Why start() or open() fails: what is wrong and what to change, one line. */
void sluice_fail(struct sluice_host *, const char *fmt, ...)
    SLUICE_PRINTF(2, 3);

enum sluice_level {
  SLUICE_LOG_ERROR,
  SLUICE_LOG_WARN,
  SLUICE_LOG_INFO,
  SLUICE_LOG_DEBUG
};
/* Any thread.  The line gets the time and the plugin's name. */
void sluice_log(struct sluice_host *, enum sluice_level, const char *fmt, ...)
    SLUICE_PRINTF(3, 4);

/* The loop of a handle; NULL in start() and stop(). */
struct event_base *sluice_loop(struct sluice_host *);
/* The folder where uploads may wait (uploads.spool_directory). */
const char *sluice_spool_directory(const struct sluice_host *);
/* Runs work(arg) on a thread of the pool, then then(arg) on the handle's
 * loop.  The loop lives until each then() has run. */
void sluice_work(struct sluice_host *, void (*work)(void *arg),
                 void (*then)(void *arg), void *arg);

/* A lane runs its jobs one batch after the other, never two at once: what is
 * added while a batch runs makes up the next one.  So jobs that wait together
 * share what a batch costs (one transaction, one fsync). */
#define SLUICE_LANE_BATCH 256
struct sluice_lane;
/* run() is called on a thread of the pool with 1..SLUICE_LANE_BATCH jobs in
 * the order in which they were added. */
struct sluice_lane *
sluice_lane_new(struct sluice_host *,
                void (*run)(void *arg, void **jobs, size_t count), void *arg);
/* From any loop that has a handle of this plugin; then(job) runs there. */
void sluice_lane_add(struct sluice_lane *, struct sluice_host *, void *job,
                     void (*then)(void *job));
void sluice_lane_free(struct sluice_lane *); /* with no job in it */

/* Since 1.1: memory of limits.memory, for what an operation or a request needs
 * beside its state and a chunk.  Taken before it is allocated; false: there
 * isn't so much, so do with less, or end with SLUICE_ENOMEM.  Given back when
 * it is freed, all of it before close() or start() returns. */
bool sluice_memory_take(struct sluice_host *, size_t bytes);
void sluice_memory_give(struct sluice_host *, size_t bytes);

/* ---- hooks only ---- */

/* NULL when it isn't there.  Valid until the request's on_log returns. */
const char *sluice_request_header(const struct sluice_request *,
                                  const char *name);
const char *sluice_request_method(const struct sluice_request *);
const char *sluice_request_path(const struct sluice_request *);
const char *sluice_request_query(const struct sluice_request *);
const char *sluice_request_id(const struct sluice_request *);
/* "HTTP/1.1"; NULL when the head was refused. */
const char *sluice_request_protocol(const struct sluice_request *);
/* "upload", "presign", "download", "list", "delete", "replace", "copy",
 * "revoke"; in on_key of a copy what is done to that key: "download" of the
 * source, "upload" or "replace" of the target; of a link to upload, when it is
 * made and when it is used, "upload" or "replace", too.  "signed": a link that
 * carries its own permission, about which hooks with `guards` aren't asked;
 * NULL where it is none of them: health, a path or method that isn't known. */
const char *sluice_request_operation(const struct sluice_request *);
/* The key, or the prefix of a list; NULL while unknown. */
const char *sluice_request_key(const struct sluice_request *);
/* The other end of the connection: an address without port, or "unix:". */
const char *sluice_request_peer(const struct sluice_request *);
/* The address of the client: the peer's, or by X-Forwarded-For where the peer
 * is one of server.trusted_proxies. */
const char *sluice_request_client(const struct sluice_request *);
/* Of the answer; 0 before there is one. */
int sluice_request_status(const struct sluice_request *);
/* The calling hook's memory for this request: zeroed at the first call, the
 * same in all phases and while it waits, freed after on_log.  `size` is the
 * same at each call, at most 4 KiB. */
void *sluice_request_state(struct sluice_request *, size_t size);
/* The identity that a hook established; NULL: nobody said. */
const char *sluice_request_identity(const struct sluice_request *);
/* UTF-8 without control characters, at most 256 bytes; else false. */
bool sluice_request_identify(struct sluice_request *, const char *identity);
/* In on_response: adds a header to the answer; false when it isn't a sane one,
 * or is the gateway's own.  A Retry-After takes the place of the gateway's. */
bool sluice_request_answer(struct sluice_request *, const char *name,
                           const char *value);
/* Before DENY: which status, and what the client is told. */
void sluice_request_refuse(struct sluice_request *, enum sluice_status,
                           const char *message);
/* After WAIT, once, from any event of the loop: also when on_log came before
 * it, as the client left or waited too long. */
void sluice_request_resume(struct sluice_request *, enum sluice_verdict);
/* Since 1.1: the subject of the client's certificate, which is verified by
 * server.tls.client_ca, as RFC 4514 writes it: "CN=alice,O=Example".  NULL: it
 * came without one, or with a subject of more than 1024 bytes. */
const char *sluice_request_subject(const struct sluice_request *);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#include <sluice/lane.h>
#include <sluice/metrics.h>
#include <sluice/reach.h>
#include <sluice/request.h>
#include <sluice/texts.h>
#include <sluice/timer.h>
#include <sluice/trace.h>

#endif
