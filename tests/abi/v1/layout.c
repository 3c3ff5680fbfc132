/* SPDX-License-Identifier: MIT
 *
 * What a plugin that was built against version 1.0 relies on: where each field
 * is, the value of each constant, and how each function is called.  Compiled
 * by tests/checks/abi.sh; what is added to plugin.h doesn't belong here.
 */
#include <sluice/plugin.h>

#ifdef __cplusplus
#define HOLDS(fact) static_assert(fact, #fact)
#else
#define HOLDS(fact) _Static_assert(fact, #fact)
#endif
#define AT(s, field, offset) HOLDS(offsetof(struct s, field) == (offset))
#define FROZEN(s, size) HOLDS(sizeof(struct s) == (size))
#define GROWS(s, size) HOLDS(sizeof(struct s) >= (size))

/* ---- fields, where pointers have 64 bits -------------------------------- */

#if UINTPTR_MAX == UINT64_MAX

FROZEN(sluice_option, 40);
AT(sluice_option, name, 0);
AT(sluice_option, type, 8);
AT(sluice_option, fallback, 16);
AT(sluice_option, offset, 24);
AT(sluice_option, help, 32);

FROZEN(sluice_pair, 16);
AT(sluice_pair, name, 0);
AT(sluice_pair, value, 8);

GROWS(sluice_meta, 48);
AT(sluice_meta, size, 0);
AT(sluice_meta, length, 8);
AT(sluice_meta, mtime_ms, 16);
AT(sluice_meta, etag, 24);
AT(sluice_meta, type, 32);
AT(sluice_meta, user, 40);

FROZEN(sluice_chunk, 32);
AT(sluice_chunk, data, 0);
AT(sluice_chunk, length, 8);
AT(sluice_chunk, offset, 16);
AT(sluice_chunk, fd, 24);
AT(sluice_chunk, last, 28);

GROWS(sluice_get, 24);
AT(sluice_get, key, 0);
AT(sluice_get, first, 8);
AT(sluice_get, count, 16);

GROWS(sluice_put, 8);
AT(sluice_put, length, 0);

GROWS(sluice_object, 48);
AT(sluice_object, key, 0);
AT(sluice_object, type, 8);
AT(sluice_object, length, 16);
AT(sluice_object, md5, 24);
AT(sluice_object, user, 32);
AT(sluice_object, exclusive, 40);

GROWS(sluice_list, 32);
AT(sluice_list, prefix, 0);
AT(sluice_list, delimiter, 8);
AT(sluice_list, token, 16);
AT(sluice_list, max, 24);

GROWS(sluice_link, 56);
AT(sluice_link, key, 0);
AT(sluice_link, method, 8);
AT(sluice_link, expires_s, 16);
AT(sluice_link, seconds, 24);
AT(sluice_link, disposition, 32);
AT(sluice_link, type, 40);
AT(sluice_link, signed_url, 48);

GROWS(sluice_claim, 16);
AT(sluice_claim, method, 0);
AT(sluice_claim, query, 8);

GROWS(sluice_backend, 184);
AT(sluice_backend, abi, 0);
AT(sluice_backend, size, 4);
AT(sluice_backend, name, 8);
AT(sluice_backend, version, 16);
AT(sluice_backend, summary, 24);
AT(sluice_backend, options, 32);
AT(sluice_backend, conf_size, 40);
AT(sluice_backend, start, 48);
AT(sluice_backend, stop, 56);
AT(sluice_backend, open, 64);
AT(sluice_backend, close, 72);
AT(sluice_backend, head, 80);
AT(sluice_backend, get, 88);
AT(sluice_backend, read, 96);
AT(sluice_backend, more, 104);
AT(sluice_backend, put, 112);
AT(sluice_backend, data, 120);
AT(sluice_backend, commit, 128);
AT(sluice_backend, list, 136);
AT(sluice_backend, remove, 144);
AT(sluice_backend, cancel, 152);
AT(sluice_backend, ping, 160);
AT(sluice_backend, presign, 168);
AT(sluice_backend, verify, 176);

GROWS(sluice_record, 40);
AT(sluice_record, size, 0);
AT(sluice_record, status, 4);
AT(sluice_record, bytes_in, 8);
AT(sluice_record, bytes_out, 16);
AT(sluice_record, usec, 24);
AT(sluice_record, code, 32);

GROWS(sluice_hook, 136);
AT(sluice_hook, abi, 0);
AT(sluice_hook, size, 4);
AT(sluice_hook, name, 8);
AT(sluice_hook, version, 16);
AT(sluice_hook, summary, 24);
AT(sluice_hook, options, 32);
AT(sluice_hook, conf_size, 40);
AT(sluice_hook, guards, 48);
AT(sluice_hook, start, 56);
AT(sluice_hook, stop, 64);
AT(sluice_hook, open, 72);
AT(sluice_hook, close, 80);
AT(sluice_hook, on_request, 88);
AT(sluice_hook, on_key, 96);
AT(sluice_hook, on_response, 104);
AT(sluice_hook, on_log, 112);
AT(sluice_hook, on_change, 120);
AT(sluice_hook, reload, 128);
#endif

/* ---- constants ---------------------------------------------------------- */

HOLDS(SLUICE_ABI_MAJOR == 1);
HOLDS(SLUICE_LANE_BATCH == 256);

HOLDS(SLUICE_OK == 0);
HOLDS(SLUICE_EINVAL == 1);
HOLDS(SLUICE_EAUTH == 2);
HOLDS(SLUICE_EDENIED == 3);
HOLDS(SLUICE_ENOENT == 4);
HOLDS(SLUICE_EEXIST == 5);
HOLDS(SLUICE_EPRECOND == 6);
HOLDS(SLUICE_ERANGE == 7);
HOLDS(SLUICE_ETOOBIG == 8);
HOLDS(SLUICE_EBUSY == 9);
HOLDS(SLUICE_ERATE == 10);
HOLDS(SLUICE_EIO == 11);
HOLDS(SLUICE_EUPSTREAM == 12);
HOLDS(SLUICE_ETIMEOUT == 13);
HOLDS(SLUICE_ENOSPC == 14);
HOLDS(SLUICE_ENOTSUP == 15);
HOLDS(SLUICE_ENOMEM == 16);
HOLDS(SLUICE_ECANCELED == 17);

HOLDS(SLUICE_STRING == 0);
HOLDS(SLUICE_SECRET == 1);
HOLDS(SLUICE_BOOL == 2);
HOLDS(SLUICE_INT == 3);
HOLDS(SLUICE_SIZE == 4);
HOLDS(SLUICE_TIME == 5);
HOLDS(SLUICE_LIST == 6);

HOLDS(SLUICE_PASS == 0);
HOLDS(SLUICE_ALLOW == 1);
HOLDS(SLUICE_DENY == 2);
HOLDS(SLUICE_WAIT == 3);

HOLDS(SLUICE_LOG_ERROR == 0);
HOLDS(SLUICE_LOG_WARN == 1);
HOLDS(SLUICE_LOG_INFO == 2);
HOLDS(SLUICE_LOG_DEBUG == 3);

/* ---- functions: declared twice, they have to agree -----------------------
 */

#ifdef __cplusplus
extern "C" {
#endif
void *sluice_op_state(struct sluice_op *, size_t size);
void sluice_done(struct sluice_op *, enum sluice_status, const char *why, ...);
void sluice_alive(struct sluice_op *);
void sluice_meta(struct sluice_op *, const struct sluice_meta *);
void sluice_send(struct sluice_op *, const struct sluice_chunk *);
void sluice_next(struct sluice_op *);
void sluice_entry(struct sluice_op *, const char *key,
                  const struct sluice_meta *);
void sluice_prefix(struct sluice_op *, const char *prefix);
void sluice_truncated(struct sluice_op *, const char *token);
void sluice_text(struct sluice_op *, const char *text);
void sluice_fail(struct sluice_host *, const char *fmt, ...);
void sluice_log(struct sluice_host *, enum sluice_level, const char *fmt, ...);
struct event_base *sluice_loop(struct sluice_host *);
const char *sluice_spool_directory(const struct sluice_host *);
void sluice_work(struct sluice_host *, void (*work)(void *arg),
                 void (*then)(void *arg), void *arg);
struct sluice_lane *
sluice_lane_new(struct sluice_host *,
                void (*run)(void *arg, void **jobs, size_t count), void *arg);
void sluice_lane_add(struct sluice_lane *, struct sluice_host *, void *job,
                     void (*then)(void *job));
void sluice_lane_free(struct sluice_lane *);
const char *sluice_request_header(const struct sluice_request *,
                                  const char *name);
const char *sluice_request_method(const struct sluice_request *);
const char *sluice_request_path(const struct sluice_request *);
const char *sluice_request_query(const struct sluice_request *);
const char *sluice_request_id(const struct sluice_request *);
const char *sluice_request_protocol(const struct sluice_request *);
const char *sluice_request_operation(const struct sluice_request *);
const char *sluice_request_key(const struct sluice_request *);
const char *sluice_request_peer(const struct sluice_request *);
const char *sluice_request_client(const struct sluice_request *);
int sluice_request_status(const struct sluice_request *);
void *sluice_request_state(struct sluice_request *, size_t size);
const char *sluice_request_identity(const struct sluice_request *);
bool sluice_request_identify(struct sluice_request *, const char *identity);
bool sluice_request_answer(struct sluice_request *, const char *name,
                           const char *value);
void sluice_request_refuse(struct sluice_request *, enum sluice_status,
                           const char *message);
void sluice_request_resume(struct sluice_request *, enum sluice_verdict);
#ifdef __cplusplus
}
#endif
