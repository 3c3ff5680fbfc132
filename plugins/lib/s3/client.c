/* SPDX-License-Identifier: MIT
 *
 * A configured S3 service: options checked, endpoints read, handles.
 */
#include "client.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "eraser.h"
#include "exposure_tell.h"
#include "leftovers.h"

static const char *authority(const char *url, bool *tls) {
  *tls = strncmp(url, "https://", 8) == 0;
  if (*tls)
    return url + 8;
  return strncmp(url, "http://", 7) == 0 ? url + 7 : NULL;
}

bool s3_endpoint_parse(struct s3_endpoint *endpoint, const char *url,
                       bool virtual_host, const char *bucket,
                       struct errmsg *errmsg) {
  const char *host = authority(url, &endpoint->tls);
  size_t len = host == NULL ? 0 : strcspn(host, "/?#@");
  if (len == 0 || strlen(host + len) > (host[len] == '/'))
    return errmsg_set(errmsg,
                      "endpoint '%s' isn't http://host[:port] or "
                      "https://host[:port]",
                      url);
  const char *port = endpoint->tls ? ":443" : ":80";
  if (len > strlen(port) &&
      strncmp(host + len - strlen(port), port, strlen(port)) == 0)
    len -= strlen(port);
  endpoint->virtual_host = virtual_host;
  int n = virtual_host ? snprintf(endpoint->host, sizeof endpoint->host,
                                  "%s.%.*s", bucket, (int)len, host)
                       : snprintf(endpoint->host, sizeof endpoint->host,
                                  "%.*s", (int)len, host);
  return n < (int)sizeof endpoint->host ||
         errmsg_set(errmsg, "endpoint '%s' is too long", url);
}

bool s3_path(struct buf *path, const struct s3 *s3,
             const struct s3_endpoint *endpoint, const char *key) {
  buf_clear(path);
  buf_addc(path, '/');
  if (!endpoint->virtual_host) {
    buf_adds(path, s3->conf->bucket);
    if (key != NULL)
      buf_addc(path, '/');
  }
  if (key != NULL)
    buf_adds(path, key);
  return !path->overflown;
}

unsigned s3_guards(const struct s3 *s3) {
  unsigned guards = s3->dialect->guards;
  return s3->conf->conditional_put ? guards : guards & S3_GUARDS_SOURCE;
}

unsigned s3_can(void *instance) {
  const struct s3 *s3 = instance;
  unsigned guards = s3_guards(s3), can = SLUICE_CAN_COPY | SLUICE_CAN_EARLY;
  if (guards & S3_GUARDS_PUT)
    can |= SLUICE_CAN_CREATE | SLUICE_CAN_REPLACE;
  if ((guards & S3_GUARDS_PARTS) && (guards & S3_GUARDS_SOURCE))
    can |= SLUICE_CAN_COPY_NEW;
  if (s3->conf->conditional_delete)
    can |= SLUICE_CAN_REMOVE;
  return can;
}

struct sigv4_key s3_signing_key(struct s3_loop *loop) {
  const struct credentials *credentials = &loop->credentials;
  credentials_look(loop->refresh);
  return (struct sigv4_key){.access_key = credentials->access_key,
                            .secret_key = credentials->secret_key,
                            .session_token = credentials->session_token,
                            .region = loop->region,
                            .service = "s3",
                            .cache = &loop->signing};
}

int64_t s3_now(const struct s3_loop *loop) {
  return date_now_ms() / 1000 + loop->skew_s;
}

bool s3_etag_is_md5(const struct s3_loop *loop) {
  return loop->s3->dialect->etag_is_md5 && loop->s3->conf->strict_etag;
}

bool s3_etag_is_of_parts(const struct s3_loop *loop) {
  return loop->s3->dialect->multipart_etag && loop->s3->conf->strict_etag;
}

/* ---- options ------------------------------------------------------------ */

static bool check_int(const char *name, int64_t value, int64_t most,
                      struct errmsg *errmsg) {
  return (value >= 1 && value <= most) ||
         errmsg_set(errmsg, "'%s' must be between 1 and %lld", name,
                    (long long)most);
}

static bool check_sizes(const struct s3_conf *conf,
                        const struct s3_dialect *dialect,
                        struct errmsg *errmsg) {
  if (conf->part_size < dialect->part_min ||
      conf->part_size > dialect->part_max)
    return errmsg_set(errmsg,
                      "'part_size' must be between %llu and %llu bytes",
                      (unsigned long long)dialect->part_min,
                      (unsigned long long)dialect->part_max);
  if (conf->multipart_threshold < dialect->part_min ||
      conf->multipart_threshold > dialect->put_max)
    return errmsg_set(
        errmsg, "'multipart_threshold' must be between %llu and %llu bytes",
        (unsigned long long)dialect->part_min,
        (unsigned long long)dialect->put_max);
  return true;
}

/* RFC 1123 labels, as the strictest provider wants them. */
static bool check_bucket(const char *bucket, struct errmsg *errmsg) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
  size_t len = strlen(bucket);
  return (len >= 3 && len <= 63 && strspn(bucket, letters) == len) ||
         errmsg_set(errmsg,
                    "'%s' is no bucket name: 3 to 63 small letters, digits, "
                    "dots and hyphens",
                    bucket);
}

bool s3_is_region(const char *region) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789-._";
  size_t len = strspn(region, letters);
  return len > 0 && len <= S3_REGION_MAX && region[len] == '\0';
}

static bool check_region(const char *region, struct errmsg *errmsg) {
  return s3_is_region(region) ||
         errmsg_set(errmsg,
                    "'%s' is no region: 1 to %d letters, digits, hyphens, "
                    "dots and underscores",
                    region, S3_REGION_MAX);
}

/* Has it names below it, for buckets?  An address hasn't, nor has localhost or
 * another name without a dot, as containers have. */
static bool has_names_below(const char *url) {
  unsigned char address[4];
  char host[300];
  bool tls;
  const char *at = authority(url, &tls);
  size_t len = at == NULL ? 0 : strcspn(at, ":/");
  if (len == 0 || len >= sizeof host || at[0] == '[')
    return false;
  memcpy(host, at, len);
  host[len] = '\0';
  return strchr(host, '.') != NULL && inet_pton(AF_INET, host, address) != 1;
}

static bool is_virtual(const struct s3_conf *conf,
                       const struct s3_dialect *dialect) {
  if (strcmp(conf->addressing, "auto") != 0)
    return strcmp(conf->addressing, "virtual") == 0;
  /* A wildcard certificate covers one label. */
  return dialect->virtual_host && strchr(conf->bucket, '.') == NULL &&
         has_names_below(conf->endpoint);
}

static bool check_addressing(const char *word, struct errmsg *errmsg) {
  return strcmp(word, "auto") == 0 || strcmp(word, "path") == 0 ||
         strcmp(word, "virtual") == 0 ||
         errmsg_set(errmsg, "'addressing' must be path, virtual or auto");
}

static bool read_endpoints(struct s3 *s3, struct errmsg *errmsg) {
  const struct s3_conf *conf = s3->conf;
  bool vhost = is_virtual(conf, s3->dialect);
  const char *presign = conf->presign_endpoint[0] != '\0'
                            ? conf->presign_endpoint
                            : conf->endpoint;
  if (!s3_endpoint_parse(&s3->endpoint, conf->endpoint, vhost, conf->bucket,
                         errmsg) ||
      !s3_endpoint_parse(&s3->presign, presign, vhost, conf->bucket, errmsg))
    return false;
  return s3->endpoint.tls || !s3->dialect->require_tls ||
         errmsg_set(errmsg, "'endpoint' must be https:// for %s",
                    s3->dialect->name);
}

static bool read_conf(struct s3 *s3, struct errmsg *errmsg) {
  const struct s3_conf *conf = s3->conf;
  return check_bucket(conf->bucket, errmsg) &&
         check_region(conf->region, errmsg) &&
         check_addressing(conf->addressing, errmsg) &&
         check_int("attempts", conf->attempts, 20, errmsg) &&
         check_int("connections", conf->connections, 10000, errmsg) &&
         check_int("parallel_parts", conf->parallel_parts, 64, errmsg) &&
         check_sizes(conf, s3->dialect, errmsg) &&
         read_endpoints(s3, errmsg) &&
         credentials_source_find(&s3->source, conf, errmsg);
}

/* ---- what is counted ---------------------------------------------------- */

#define TELL_MS 1000

const struct sluice_metric s3_metrics[] = {
    [S3_SPOOL_BYTES] = {"s3_spool_bytes", SLUICE_GAUGE,
                        "Bytes of files in which uploads wait, kept ones too.",
                        NULL, NULL},
    [S3_SPOOL_FILES] = {"s3_spool_files", SLUICE_GAUGE, "Such files.", NULL,
                        NULL},
    [S3_SPOOL_MAX] =
        {"s3_spool_max_bytes", SLUICE_GAUGE,
         "As many bytes as there may be: spool_max, or its default now.", NULL,
         NULL},
    [S3_CREDENTIALS_END] = {"s3_credentials_not_after_seconds", SLUICE_GAUGE,
                            "When the credentials that came last end, in "
                            "seconds since 1970; 0: they don't, or nobody "
                            "says.",
                            NULL, NULL},
    [S3_CREDENTIALS_RENEWED] = {"s3_credentials_renewed_total", SLUICE_COUNTER,
                                "New credentials, of each loop.", NULL, NULL},
    [S3_CREDENTIALS_FAILED] = {"s3_credentials_failures_total", SLUICE_COUNTER,
                               "Times that none came.", NULL, NULL},
    {NULL, 0, NULL, NULL, NULL}};

static void tell_bound(struct s3 *s3) {
  uint64_t bound = spool_bound(&s3->spools);
  sluice_gauge(s3->host, S3_SPOOL_MAX,
               (int64_t)(bound < INT64_MAX ? bound : INT64_MAX));
}

static void tell_spools(void *arg) {
  struct s3 *s3 = arg;
  sluice_gauge(s3->host, S3_SPOOL_BYTES,
               (int64_t)atomic_load(&s3->spools.used));
  sluice_gauge(s3->host, S3_SPOOL_FILES,
               (int64_t)atomic_load(&s3->spools.files));
  tell_bound(s3);
}

static void begin_telling(struct s3 *s3) {
  tell_bound(s3);
  sluice_gauge(s3->host, S3_CREDENTIALS_END, s3->first.expires_ms / 1000);
  s3->timer = sluice_timer_new(s3->host, TELL_MS, tell_spools, s3);
}

/* ---- instance and handles ----------------------------------------------- */

void *s3_start(const struct s3_conf *conf, struct sluice_host *host,
               const struct s3_dialect *dialect) {
  struct errmsg errmsg = {0};
  struct s3 *s3 = calloc(1, sizeof *s3);
  if (s3 == NULL) {
    sluice_fail(host, "out of memory");
    return NULL;
  }
  s3->host = host;
  s3->conf = conf;
  s3->dialect = dialect;
  s3->spools.directory = sluice_spool_directory(host);
  s3->spools.memory = (size_t)conf->spool_memory;
  s3->spools.max = conf->spool_max;
  s3->spools.keep = conf->spool_keep;
  atomic_init(&s3->spools.used, 0);
  atomic_init(&s3->spools.files, 0);
  atomic_init(&s3->early, 0);
  atomic_init(&s3->sweeping, false);
  httpc_init();
  if (!read_conf(s3, &errmsg) ||
      !credentials_first(&s3->first, &s3->source, host, &errmsg)) {
    sluice_fail(host, "%s", errmsg.text);
    s3_stop(s3);
    return NULL;
  }
  if (s3->source.kind == CREDENTIALS_FILE)
    exposure_tell(host, s3->source.file, EXPOSURE_SECRET);
  memcpy(s3->region, conf->region, strlen(conf->region)); /* zeroes follow */
  if (s3->first.session_token != NULL && s3->first.expires_ms == 0)
    sluice_log(host, SLUICE_LOG_WARN,
               "links end with the session token, and nobody says when that "
               "is: they may be promised for longer");
  if (!s3_bucket_check(s3, host)) {
    s3_stop(s3);
    return NULL;
  }
  begin_telling(s3);
  return s3;
}

void s3_stop(void *instance) {
  struct s3 *s3 = instance;
  sluice_timer_free(s3->timer);
  spool_close_kept(&s3->spools);
  credentials_fini(&s3->first);
  credentials_source_fini(&s3->source);
  free(s3);
}

bool s3_loop_init(struct s3_loop *loop, struct s3 *s3,
                  struct sluice_host *host, struct event_base *base,
                  bool starting) {
  const struct s3_conf *conf = s3->conf;
  struct httpc_settings settings = {.host = host,
                                    .connect_timeout_ms =
                                        conf->connect_timeout_ms,
                                    .idle_timeout_ms = conf->idle_timeout_ms,
                                    .connections = (uint32_t)conf->connections,
                                    .proxy = conf->proxy,
                                    .ca_file = conf->ca_file,
                                    .verify = conf->verify};
  *loop = (struct s3_loop){
      .s3 = s3, .host = host, .base = base, .starting = starting};
  memcpy(loop->region, s3->region, sizeof loop->region);
  loop->skew_s = s3->skew_s;
  loop->http = httpc_new(base, &settings);
  if (loop->http != NULL && credentials_copy(&loop->credentials, &s3->first))
    loop->refresh = credentials_refresh_new(loop);
  loop->leftovers = leftovers_new(loop);
  loop->eraser = eraser_new(loop);
  if (loop->refresh != NULL && loop->leftovers != NULL && loop->eraser != NULL)
    return true;
  s3_loop_fini(loop);
  sluice_fail(host, "out of memory for an HTTP client");
  return false;
}

void s3_loop_fini(struct s3_loop *loop) {
  eraser_free(loop->eraser);
  leftovers_free(loop->leftovers);
  credentials_refresh_free(loop->refresh);
  credentials_fini(&loop->credentials);
  sigv4_cache_fini(&loop->signing);
  httpc_free(loop->http);
}

static void on_age(evutil_socket_t fd, short what, void *arg) {
  struct s3_loop *loop = arg;
  (void)fd, (void)what;
  spool_age(loop->host, &loop->s3->spools);
}

void *s3_open(void *instance, struct sluice_host *host) {
  static const struct timeval second = {.tv_sec = 1};
  struct s3_loop *loop = calloc(1, sizeof *loop);
  if (loop == NULL ||
      !s3_loop_init(loop, instance, host, sluice_loop(host), false)) {
    free(loop);
    return NULL;
  }
  if (loop->s3->conf->spool_keep == 0)
    return loop;
  loop->age = event_new(loop->base, -1, EV_PERSIST, on_age, loop);
  if (loop->age != NULL && event_add(loop->age, &second) == 0)
    return loop;
  s3_close(loop);
  sluice_fail(host, "out of memory for a timer");
  return NULL;
}

void s3_close(void *handle) {
  struct s3_loop *loop = handle;
  if (loop->age != NULL)
    event_free(loop->age);
  s3_loop_fini(loop);
  free(loop);
}
