/* SPDX-License-Identifier: MIT
 *
 * The S3 client that provider plugins share: their options, and the
 * operations of a backend.
 */
#ifndef S3_S3_H
#define S3_S3_H

#include <sluice/plugin.h>

#include "dialect.h"

struct s3_conf {
  const char *endpoint, *presign_endpoint, *region, *bucket;
  const char *access_key, *secret_key, *session_token;
  const char *credentials_file, *profile;
  const char *addressing;
  bool create_bucket, verify, conditional_put, conditional_delete, strict_etag;
  bool trace;
  const char *ca_file, *proxy;
  int64_t connect_timeout_ms, idle_timeout_ms, retry_time_ms, attempts;
  int64_t sweep_uploads_ms, wait_ms;
  int64_t connections, parallel_parts;
  uint64_t multipart_threshold, part_size, spool_memory, spool_max, spool_keep;
};

#define S3_OPTION(type, name, fallback, field, help) \
  { name, type, fallback, offsetof(struct s3_conf, field), help }

/* The options of every provider; `endpoint` and `region` as it wants them:
 * NULL where they must be given.  `put_` and `delete_`: whether its PUT knows
 * If-None-Match, and its DELETE If-Match. */
#define S3_OPTIONS(endpoint_, region_, put_, delete_)                         \
  S3_OPTION(SLUICE_STRING, "endpoint", endpoint_, endpoint,                   \
            "URL of the S3 service"),                                         \
      S3_OPTION(SLUICE_STRING, "presign_endpoint", "", presign_endpoint,      \
                "URL that presigned links begin with; empty: endpoint"),      \
      S3_OPTION(SLUICE_STRING, "region", region_, region,                     \
                "region that requests are signed for"),                       \
      S3_OPTION(SLUICE_STRING, "bucket", NULL, bucket, "name of the bucket"), \
      S3_OPTION(SLUICE_STRING, "access_key", "", access_key,                  \
                "access key id; empty: environment or profile"),              \
      S3_OPTION(SLUICE_SECRET, "secret_key", "", secret_key,                  \
                "secret access key"),                                         \
      S3_OPTION(SLUICE_SECRET, "session_token", "", session_token,            \
                "session token of temporary credentials"),                    \
      S3_OPTION(SLUICE_STRING, "credentials_file", "", credentials_file,      \
                "shared credentials file; empty: AWS's own place"),           \
      S3_OPTION(SLUICE_STRING, "profile", "", profile,                        \
                "profile in it; empty: AWS_PROFILE or default"),              \
      S3_OPTION(SLUICE_STRING, "addressing", "auto", addressing,              \
                "path, virtual (bucket in the host name) or auto"),           \
      S3_OPTION(SLUICE_BOOL, "create_bucket", "true", create_bucket,          \
                "create the bucket when it isn't there"),                     \
      S3_OPTION(SLUICE_BOOL, "conditional_put", put_, conditional_put,        \
                "the service refuses to overwrite; false: ask it before"),    \
      S3_OPTION(SLUICE_BOOL, "conditional_delete", delete_,                   \
                conditional_delete,                                           \
                "it compares If-Match of a DELETE; false: don't offer it"),   \
      S3_OPTION(SLUICE_BOOL, "strict_etag", "true", strict_etag,              \
                "an ETag is the MD5; false: the length is compared"),         \
      S3_OPTION(SLUICE_BOOL, "verify", "true", verify,                        \
                "check the server's certificate"),                            \
      S3_OPTION(SLUICE_STRING, "ca_file", "", ca_file,                        \
                "CA certificates in PEM; empty: the system's"),               \
      S3_OPTION(SLUICE_STRING, "proxy", "", proxy,                            \
                "URL of an HTTP proxy; empty: none"),                         \
      S3_OPTION(SLUICE_TIME, "connect_timeout", "5s", connect_timeout_ms,     \
                "for a connection"),                                          \
      S3_OPTION(SLUICE_TIME, "idle_timeout", "20s", idle_timeout_ms,          \
                "silence of the server within a request"),                    \
      S3_OPTION(SLUICE_TIME, "retry_time", "30s", retry_time_ms,              \
                "for all attempts at a request but the last"),                \
      S3_OPTION(SLUICE_TIME, "wait", "0", wait_ms,                            \
                "at the start, for a service that isn't there yet"),          \
      S3_OPTION(SLUICE_INT, "attempts", "5", attempts,                        \
                "attempts at a request, 1 to 20"),                            \
      S3_OPTION(SLUICE_BOOL, "trace", "true", trace,                          \
                "send the trace of requests: traceparent, tracestate"),       \
      S3_OPTION(SLUICE_INT, "connections", "128", connections,                \
                "open at once on each loop, 1 to 10000"),                     \
      S3_OPTION(SLUICE_INT, "parallel_parts", "4", parallel_parts,            \
                "parts of an upload sent at once, 1 to 64"),                  \
      S3_OPTION(SLUICE_SIZE, "multipart_threshold", "64MiB",                  \
                multipart_threshold, "larger objects are sent in parts"),     \
      S3_OPTION(SLUICE_SIZE, "part_size", "16MiB", part_size,                 \
                "of a part, at least; more where there would be too many"),   \
      S3_OPTION(SLUICE_SIZE, "spool_memory", "1MiB", spool_memory,            \
                "of an upload that waits in memory, not on disk"),            \
      S3_OPTION(                                                              \
          SLUICE_SIZE, "spool_max", "0", spool_max,                           \
          "of all that wait on disk; 0: a quarter of what it has left"),      \
      S3_OPTION(SLUICE_SIZE, "spool_keep", "1GiB", spool_keep,                \
                "of files kept on disk for the next uploads; 0: none"),       \
      S3_OPTION(SLUICE_TIME, "sweep_uploads", "0", sweep_uploads_ms,          \
                "at the start, give up multipart uploads of this bucket "     \
                "older than that, whoever began them; 0: never")

void *s3_start(const struct s3_conf *, struct sluice_host *,
               const struct s3_dialect *);
void s3_stop(void *instance);
void *s3_open(void *instance, struct sluice_host *);
void s3_close(void *handle);
void s3_head(void *handle, struct sluice_op *, const char *key);
void s3_get(void *handle, struct sluice_op *, const struct sluice_get *);
void s3_read(void *handle, struct sluice_op *, uint64_t first, uint64_t count);
void s3_more(void *handle, struct sluice_op *);
void s3_put(void *handle, struct sluice_op *, const struct sluice_put *);
void s3_data(void *handle, struct sluice_op *, const struct sluice_chunk *);
void s3_commit(void *handle, struct sluice_op *, const struct sluice_object *);
void s3_list(void *handle, struct sluice_op *, const struct sluice_list *);
void s3_remove(void *handle, struct sluice_op *, const char *key);
void s3_cancel(void *handle, struct sluice_op *);
void s3_ping(void *handle, struct sluice_op *);
void s3_presign(void *handle, struct sluice_op *, const struct sluice_link *);
unsigned s3_can(void *instance);
void s3_remove_if(void *handle, struct sluice_op *,
                  const struct sluice_removal *);
void s3_copy(void *handle, struct sluice_op *, const struct sluice_copy *);
void s3_remove_many(void *handle, struct sluice_op *, const char *const *keys,
                    size_t count);
void s3_stage(void *handle, struct sluice_op *, const struct sluice_stage *);
void s3_save(void *handle, struct sluice_op *, const struct sluice_save *);
void s3_stage_commit(void *handle, struct sluice_op *,
                     const struct sluice_object *, const struct sluice_save *);
void s3_stage_get(void *handle, struct sluice_op *, const char *id);
void s3_stage_remove(void *handle, struct sluice_op *, const char *id);
void s3_stage_sweep(void *handle, struct sluice_op *, int64_t now_s);

enum sluice_status s3_chore(const struct s3_conf *, struct sluice_host *,
                            const struct sluice_chore *,
                            const struct s3_dialect *);

/* Of all of them: a family of metrics is the same whichever it is. */
extern const struct sluice_metric s3_metrics[];

/* Of every provider: the service, and the places where AWS's own tools look
 * for credentials, which are asked by 80 or 443 unless a variable says other.
 */
#define S3_REACH                                                            \
  {"endpoint", SLUICE_REACH_ADDRESS, NULL},                                 \
      {"proxy", SLUICE_REACH_ADDRESS, NULL},                                \
      {"ca_file", SLUICE_REACH_READ, NULL},                                 \
      {"credentials_file", SLUICE_REACH_READ, NULL},                        \
      {"$AWS_SHARED_CREDENTIALS_FILE", SLUICE_REACH_READ, NULL},            \
      {"$AWS_CONFIG_FILE", SLUICE_REACH_READ, NULL},                        \
      {"$AWS_WEB_IDENTITY_TOKEN_FILE", SLUICE_REACH_READ, NULL},            \
      {"$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", SLUICE_REACH_READ, NULL}, \
      {"$AWS_CONTAINER_CREDENTIALS_FULL_URI", SLUICE_REACH_ADDRESS, NULL},  \
      {"$AWS_EC2_METADATA_SERVICE_ENDPOINT", SLUICE_REACH_ADDRESS, NULL},   \
      {"$AWS_ENDPOINT_URL_STS", SLUICE_REACH_ADDRESS, NULL},                \
      {"=~/.aws/config", SLUICE_REACH_READ, NULL},                          \
      {"=~/.aws/credentials", SLUICE_REACH_READ, NULL},                     \
      {"=http://169.254.169.254", SLUICE_REACH_ADDRESS, NULL}, {            \
    "=https://amazonaws.com", SLUICE_REACH_ADDRESS, NULL                    \
  }

/* The descriptor of a provider: its options and its dialect, and for the rest
 * what all of them have.  `name_` is no text but a word. */
#define S3_BACKEND(name_, summary_, options_, dialect_)           \
  static void *plugin_##name_##_start(const void *conf,           \
                                      struct sluice_host *host) { \
    return s3_start(conf, host, &(dialect_));                     \
  }                                                               \
  static enum sluice_status plugin_##name_##_chore(               \
      const void *conf, struct sluice_host *host,                 \
      const struct sluice_chore *chore) {                         \
    return s3_chore(conf, host, chore, &(dialect_));              \
  }                                                               \
  static const struct sluice_backend plugin_##name_ = {           \
      SLUICE_HEAD(sluice_backend),                                \
      .name = #name_,                                             \
      .version = SLUICE_VERSION,                                  \
      .summary = (summary_),                                      \
      .options = (options_),                                      \
      .conf_size = sizeof(struct s3_conf),                        \
      .start = plugin_##name_##_start,                            \
      .stop = s3_stop,                                            \
      .open = s3_open,                                            \
      .close = s3_close,                                          \
      .head = s3_head,                                            \
      .get = s3_get,                                              \
      .read = s3_read,                                            \
      .more = s3_more,                                            \
      .put = s3_put,                                              \
      .data = s3_data,                                            \
      .commit = s3_commit,                                        \
      .list = s3_list,                                            \
      .remove = s3_remove,                                        \
      .cancel = s3_cancel,                                        \
      .ping = s3_ping,                                            \
      .presign = s3_presign,                                      \
      .can = s3_can,                                              \
      .remove_if = s3_remove_if,                                  \
      .copy = s3_copy,                                            \
      .remove_many = s3_remove_many,                              \
      .stage = s3_stage,                                          \
      .save = s3_save,                                            \
      .stage_commit = s3_stage_commit,                            \
      .stage_get = s3_stage_get,                                  \
      .stage_remove = s3_stage_remove,                            \
      .stage_sweep = s3_stage_sweep,                              \
      .chore = plugin_##name_##_chore,                            \
      .metrics = s3_metrics};                                     \
  SLUICE_REACH(S3_REACH)                                          \
  SLUICE_BACKEND(name_, plugin_##name_)

#endif
