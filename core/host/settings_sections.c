/* SPDX-License-Identifier: MIT
 *
 * The sections server, uploads, presign and limits: a table of keys with their
 * defaults, and a table of what range each may have.
 */
#include "address.h"
#include "key.h"
#include "options.h"
#include "quantity.h"
#include "settings_parts.h"
#include "settings_tables.h"
#include <sched.h>
#include <string.h>

#define WORKERS_MAX 256

#define KIB ((uint64_t)1 << 10)
#define MIB (KIB << 10)
#define TIB (MIB << 20)
#define SECOND 1000u
#define HOUR (3600u * SECOND)
#define DAY (UINT64_C(24) * HOUR)

/* A number's bounds.  The field is an int64_t or a uint64_t: both are read as
 * the latter, which makes a negative one too large. */
struct range {
  const char *key;
  size_t offset;
  uint64_t min, max;
  const char *text;
};

#define SERVER(f) offsetof(struct settings_server, f)
#define UPLOADS(f) offsetof(struct settings_uploads, f)
#define PRESIGN(f) offsetof(struct settings_presign, f)
#define LIMITS(f) offsetof(struct settings_limits, f)

static const struct sluice_option server_table[] = {
    {"listen", SLUICE_LIST, "[0.0.0.0:8000]", SERVER(listen),
     "addresses: host:port, [v6]:port, unix:/path"},
    {"socket_mode", SLUICE_STRING, "", SERVER(socket_mode_text),
     "permissions of UNIX sockets, as 0660; default: by the umask"},
    {"workers", SLUICE_STRING, "auto", SERVER(workers_text),
     "event loops; auto: one a core"},
    {"public_url", SLUICE_STRING, "", SERVER(public_url),
     "for absolute URLs; default: the request's Host"},
    {"hosts", SLUICE_LIST, "", SERVER(hosts),
     "names that links may begin with: files.example, files.example:*"},
    {"console", SLUICE_STRING, "on", SERVER(console_text),
     "a page for people at /console/, which does what its reader may do"},
    {"console_issuer", SLUICE_STRING, "", SERVER(console_issuer),
     "its readers sign in there, by OpenID Connect: https://id.example"},
    {"console_client", SLUICE_STRING, "", SERVER(console_client),
     "the console's client_id there"},
    {"console_scope", SLUICE_STRING, "openid", SERVER(console_scope),
     "what it asks for there: openid email"},
    {"core_dumps", SLUICE_BOOL, "false", SERVER(core_dumps),
     "of the process, and of what it remembers, may be written"},
    {"log_level", SLUICE_STRING, "info", SERVER(log_level),
     "error, warn, info or debug"},
    {"trusted_proxies", SLUICE_LIST, "", SERVER(proxies),
     "addresses, 10.0.0.0/8 or unix:, whose forwarding headers are believed"},
    {0}};

static const struct sluice_option uploads_table[] = {
    {"max_bytes", SLUICE_SIZE, "50MiB", UPLOADS(max_bytes),
     "the largest file that is taken"},
    {"prefix", SLUICE_STRING, "uploads", UPLOADS(prefix),
     "key prefix of uploads that name none"},
    {"spool_directory", SLUICE_STRING, "/var/tmp", UPLOADS(spool_directory),
     "folder for bytes that wait for their backend"},
    {"guess", SLUICE_BOOL, "false", UPLOADS(guess),
     "the type by the name where the client says application/octet-stream"},
    {"expire_min", SLUICE_TIME, "1s", UPLOADS(expire_min_ms),
     "the least time after which an object may be told to end"},
    {"expire_max", SLUICE_TIME, "3650d", UPLOADS(expire_max_ms),
     "the longest; 0: no upload may tell its object to end"},
    {"idempotency_expires", SLUICE_TIME, "24h", UPLOADS(once_expires_ms),
     "how long an Idempotency-Key is remembered"},
    {"sha256", SLUICE_BOOL, "false", UPLOADS(sha256),
     "every object has its SHA-256, as if each upload wanted it"},
    {"early_parts", SLUICE_BOOL, "false", UPLOADS(early_parts),
     "to S3: parts of an upload go out while the next one comes in"},
    {0}};
static const struct range uploads_ranges[] = {
    {"max_bytes", UPLOADS(max_bytes), 1, 5 * TIB, "1B to 5TiB"},
    {"expire_min", UPLOADS(expire_min_ms), SECOND, 3650 * DAY, "1s to 3650d"},
    {"expire_max", UPLOADS(expire_max_ms), 0, 3650 * DAY, "0 to 3650d"},
    {"idempotency_expires", UPLOADS(once_expires_ms), SECOND, 30 * DAY,
     "1s to 30d"},
    {0}};

static const struct sluice_option resumable_table[] = {
    {"expires", SLUICE_TIME, "24h", UPLOADS(expires_ms),
     "how long an upload may stand still before it is forgotten"},
    {"max_open", SLUICE_INT, "1000", UPLOADS(max_open),
     "uploads of one identity that aren't complete; 0: any number"},
    {"min_append", SLUICE_SIZE, "0B", UPLOADS(min_append),
     "bytes that a request has to bring, but for the last; 0: any"},
    {0}};
static const struct range resumable_ranges[] = {
    {"expires", UPLOADS(expires_ms), SECOND, 30 * DAY, "1s to 30d"},
    {"max_open", UPLOADS(max_open), 0, 1000000, "0 to 1000000"},
    {"min_append", UPLOADS(min_append), 0, 64 * MIB, "0 to 64MiB"},
    {0}};

static const struct sluice_option presign_table[] = {
    {"default", SLUICE_TIME, "1h", PRESIGN(default_ms),
     "how long a link is valid when nobody says"},
    {"min", SLUICE_TIME, "1m", PRESIGN(min_ms), "shorter ones count as this"},
    {"max", SLUICE_TIME, "24h", PRESIGN(max_ms), "longer ones count as this"},
    {"via", SLUICE_STRING, "storage", PRESIGN(via),
     "storage: its own links where it can; gateway: none of them"},
    {0}};
static const struct range presign_ranges[] = {
    {"min", PRESIGN(min_ms), SECOND, 7 * DAY, "1s to 7d"},
    {"max", PRESIGN(max_ms), SECOND, 7 * DAY, "1s to 7d"},
    {"default", PRESIGN(default_ms), SECOND, 7 * DAY, "1s to 7d"},
    {0}};

static const struct sluice_option limits_table[] = {
    {"connections", SLUICE_INT, "10000", LIMITS(connections),
     "open connections, in the whole process"},
    {"memory", SLUICE_SIZE, "256MiB", LIMITS(memory),
     "memory for requests in flight, in the whole process"},
    {"threads", SLUICE_INT, "0", LIMITS(threads),
     "threads for blocking calls; 0: by the cores"},
    {"threads_per_plugin", SLUICE_INT, "0", LIMITS(threads_per_plugin),
     "of those, at once for one backend or hook; 0: some are left to others"},
    {"head_timeout", SLUICE_TIME, "10s", LIMITS(head_timeout_ms),
     "for a whole request head"},
    {"body_timeout", SLUICE_TIME, "30s", LIMITS(body_timeout_ms),
     "silence inside a request body"},
    {"idle_timeout", SLUICE_TIME, "60s", LIMITS(idle_timeout_ms),
     "silence between two requests"},
    {"write_timeout", SLUICE_TIME, "30s", LIMITS(write_timeout_ms),
     "the client takes nothing of an answer"},
    {"backend_timeout", SLUICE_TIME, "60s", LIMITS(backend_timeout_ms),
     "a backend neither gets on nor ends"},
    {"drain_timeout", SLUICE_TIME, "30s", LIMITS(drain_timeout_ms),
     "for requests in flight, once the gateway is told to stop"},
    {"handover_timeout", SLUICE_TIME, "1h", LIMITS(handover_timeout_ms),
     "for requests in flight, once another process has taken over"},
    {"min_rate", SLUICE_SIZE, "1KiB", LIMITS(min_rate),
     "bytes a second that a client has to send or take; 0: any"},
    {0}};
static const struct range limits_ranges[] = {
    {"connections", LIMITS(connections), 1, 1000000, "1 to 1000000"},
    {"memory", LIMITS(memory), MIB, TIB, "1MiB to 1TiB"},
    {"threads", LIMITS(threads), 0, 1024, "0 to 1024"},
    {"threads_per_plugin", LIMITS(threads_per_plugin), 0, 1024, "0 to 1024"},
    {"head_timeout", LIMITS(head_timeout_ms), 100, HOUR, "100ms to 1h"},
    {"body_timeout", LIMITS(body_timeout_ms), 100, HOUR, "100ms to 1h"},
    {"idle_timeout", LIMITS(idle_timeout_ms), 100, HOUR, "100ms to 1h"},
    {"write_timeout", LIMITS(write_timeout_ms), 100, HOUR, "100ms to 1h"},
    {"backend_timeout", LIMITS(backend_timeout_ms), 100, DAY, "100ms to 1d"},
    {"drain_timeout", LIMITS(drain_timeout_ms), 0, HOUR, "0 to 1h"},
    {"handover_timeout", LIMITS(handover_timeout_ms), 0, DAY, "0 to 1d"},
    {"min_rate", LIMITS(min_rate), 0, MIB, "0 to 1MiB"},
    {0}};

static const struct sluice_option per_client_table[] = {
    {"connections", SLUICE_INT, "256", LIMITS(client_connections),
     "open connections of one address; 0: any number"},
    {"requests", SLUICE_INT, "256", LIMITS(client_requests),
     "requests in flight of one address; 0: any number"},
    {0}};
static const struct range per_client_ranges[] = {
    {"connections", LIMITS(client_connections), 0, 1000000, "0 to 1000000"},
    {"requests", LIMITS(client_requests), 0, 1000000, "0 to 1000000"},
    {0}};

static bool check_ranges(const struct settings *s,
                         const struct config_node *section,
                         const struct range *range, const void *conf,
                         struct errmsg *err) {
  for (; range->key != NULL; range++) {
    uint64_t value;
    memcpy(&value, (const char *)conf + range->offset, sizeof value);
    if (value >= range->min && value <= range->max)
      continue;
    /* The defaults are in range, so the key is there. */
    return config_fault(s->config, settings_line(section, range->key), err,
                        "'%s': %.64s is out of range; write %s", range->key,
                        config_get(section, range->key)->text, range->text);
  }
  return true;
}

static bool fill(struct settings *s, const char *name,
                 const struct sluice_option *table, const char *const *others,
                 void *conf, struct errmsg *err) {
  return options_fill(table, others, s->config,
                      config_get(s->config->root, name), name, conf, err);
}

/* ---- server ------------------------------------------------------------ */

static bool check_listen(const struct settings *s, unsigned line,
                         struct errmsg *err) {
  const char *const *listen = s->server.listen;
  size_t n = 0;
  for (; listen[n] != NULL; n++) {
    const char *why = address_listen_fault(listen[n]);
    if (n == SETTINGS_LISTEN_MAX)
      why = "more than 64 addresses; drop some";
    for (size_t i = 0; i < n && why == NULL; i++)
      if (strcmp(listen[i], listen[n]) == 0)
        why = "it is here twice; remove one";
    if (why != NULL)
      return config_fault(s->config, line, err, "'listen': '%.128s': %s",
                          listen[n], why);
  }
  return n > 0 || config_fault(s->config, line, err,
                               "'listen': no address; write one, as in "
                               "[\"0.0.0.0:8000\"]");
}

static bool read_socket_mode(struct settings *s, unsigned line,
                             struct errmsg *err) {
  const char *text = s->server.socket_mode_text;
  const char *const *listen = s->server.listen;
  size_t len = strlen(text);
  s->server.socket_mode = -1;
  if (len == 0)
    return true;
  while (*listen != NULL && strncmp(*listen, "unix:", 5) != 0)
    listen++;
  if (*listen == NULL)
    return config_fault(s->config, line, err,
                        "'socket_mode' is of UNIX sockets, and 'listen' has "
                        "none; remove it, or add one, as in unix:/run/s");
  if (len > 4 || len < 3 || strspn(text, "01234567") != len ||
      (len == 4 && *text != '0'))
    return config_fault(s->config, line, err,
                        "'socket_mode': '%.64s' is no mode; write three octal "
                        "digits, as in 0660",
                        text);
  s->server.socket_mode = 0;
  for (; *text != '\0'; text++)
    s->server.socket_mode = s->server.socket_mode * 8 + (*text - '0');
  return true;
}

static unsigned count_cores(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0)
    return 1;
  int n = CPU_COUNT(&set);
  return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}

static bool read_workers(struct settings *s, unsigned line,
                         struct errmsg *err) {
  int64_t n = 0;
  if (strcmp(s->server.workers_text, "auto") == 0)
    n = count_cores();
  else if (!quantity_int(s->server.workers_text, &n) || n < 1 ||
           n > WORKERS_MAX)
    return config_fault(s->config, line, err,
                        "'workers': '%.64s' is no number of loops; write auto "
                        "or 1 to 256",
                        s->server.workers_text);
  s->server.workers = (unsigned)n;
  return true;
}

static bool check_public_url(const struct settings *s, unsigned line,
                             struct errmsg *err) {
  const char *why = *s->server.public_url == '\0'
                        ? NULL
                        : address_url_fault(s->server.public_url);
  return why == NULL ||
         config_fault(s->config, line, err, "'public_url': '%.128s': %s",
                      s->server.public_url, why);
}

static bool read_proxies(struct settings *s, unsigned line,
                         struct errmsg *err) {
  const char *const *texts = s->server.proxies;
  size_t count = 0;
  while (texts[count] != NULL)
    count++;
  if (count > SETTINGS_PROXIES_MAX)
    return config_fault(s->config, line, err,
                        "'trusted_proxies': more than %d; join some to blocks "
                        "as 10.0.0.0/8",
                        SETTINGS_PROXIES_MAX);
  s->server.trusted =
      config_alloc(s->config, (count + 1) * sizeof *s->server.trusted);
  if (s->server.trusted == NULL)
    return settings_no_memory(s, err);
  for (; s->server.trusted_count < count; s->server.trusted_count++) {
    size_t i = s->server.trusted_count;
    const char *why = cidr_parse(&s->server.trusted[i], texts[i]);
    if (why != NULL)
      return config_fault(s->config, line, err,
                          "'trusted_proxies': '%.64s': %s", texts[i], why);
  }
  return true;
}

static bool read_server(struct settings *s, struct errmsg *err) {
  static const char *const others[] = {"admin", "confine", "headers",
                                       "ready", "tls",     NULL};
  static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
  const struct config_node *server = config_get(s->config->root, "server");
  if (!fill(s, "server", server_table, others, &s->server, err) ||
      !check_listen(s, settings_line(server, "listen"), err) ||
      !settings_read_admin(s, err) ||
      !read_socket_mode(s, settings_line(server, "socket_mode"), err) ||
      !read_workers(s, settings_line(server, "workers"), err) ||
      !check_public_url(s, settings_line(server, "public_url"), err) ||
      !settings_read_console(s, err) ||
      !read_proxies(s, settings_line(server, "trusted_proxies"), err))
    return false;
  if (!words_has(levels, s->server.log_level))
    return settings_not_one_of(s, settings_line(server, "log_level"),
                               "log_level", s->server.log_level, levels, err);
  return settings_read_confine(s, err) && settings_read_tls(s, err);
}

/* ---- uploads, presign, limits ------------------------------------------ */

static bool read_prefix(struct settings *s, unsigned line,
                        struct errmsg *err) {
  const char *prefix = s->uploads.prefix;
  char *clean = config_alloc(s->config, KEY_MAX + 1);
  if (clean == NULL)
    return settings_no_memory(s, err);
  const char *why = key_prefix(clean, prefix, strlen(prefix), "");
  if (why == NULL && *clean == '\0')
    why = "it is empty";
  if (why == NULL)
    why = key_user_fault(clean);
  s->uploads.prefix = clean;
  return why == NULL ||
         config_fault(s->config, line, err,
                      "'prefix': '%.64s': %s; write a key prefix, as in "
                      "uploads",
                      prefix, why);
}

/* Moments are whole seconds. */
static bool check_expiry(const struct settings *s,
                         const struct config_node *uploads,
                         struct errmsg *err) {
  int64_t min = s->uploads.expire_min_ms, max = s->uploads.expire_max_ms;
  if (min % SECOND == 0 && max % SECOND == 0 && (max == 0 || min <= max))
    return true;
  return config_fault(s->config, uploads->line, err,
                      "uploads: expire_min and expire_max are whole seconds, "
                      "and the first isn't the longer one");
}

static bool read_uploads(struct settings *s, struct errmsg *err) {
  static const char *const others[] = {"resumable", "types", NULL};
  const struct config_node *uploads = config_get(s->config->root, "uploads");
  const struct config_node *resumable = config_get(uploads, "resumable");
  if (!fill(s, "uploads", uploads_table, others, &s->uploads, err) ||
      !check_ranges(s, uploads, uploads_ranges, &s->uploads, err) ||
      !options_fill(resumable_table, NULL, s->config, resumable, "resumable",
                    &s->uploads, err) ||
      !check_ranges(s, resumable, resumable_ranges, &s->uploads, err))
    return false;
  if (*s->uploads.spool_directory == '\0')
    return config_fault(s->config, settings_line(uploads, "spool_directory"),
                        err, "'spool_directory': it is empty; write a folder");
  return check_expiry(s, uploads, err) &&
         read_prefix(s, settings_line(uploads, "prefix"), err);
}

static bool check_whole_seconds(const struct settings *s,
                                const struct config_node *presign,
                                struct errmsg *err) {
  for (const struct range *range = presign_ranges; range->key; range++) {
    int64_t ms;
    memcpy(&ms, (const char *)&s->presign + range->offset, sizeof ms);
    if (ms % SECOND != 0)
      return config_fault(s->config, settings_line(presign, range->key), err,
                          "'%s': links count in whole seconds; write one, as "
                          "in 90s",
                          range->key);
  }
  return true;
}

static const char *const vias[] = {"storage", "gateway", NULL};

static bool read_presign(struct settings *s, struct errmsg *err) {
  const struct config_node *presign = config_get(s->config->root, "presign");
  const struct settings_presign *p = &s->presign;
  if (!fill(s, "presign", presign_table, NULL, &s->presign, err) ||
      !check_ranges(s, presign, presign_ranges, p, err) ||
      !check_whole_seconds(s, presign, err))
    return false;
  if (!words_has(vias, p->via))
    return settings_not_one_of(s, settings_line(presign, "via"), "via", p->via,
                               vias, err);
  s->presign.by_gateway = strcmp(p->via, "gateway") == 0;
  if (p->min_ms <= p->default_ms && p->default_ms <= p->max_ms)
    return true;
  return config_fault(s->config, presign->line, err,
                      "presign: min (%lds), default (%lds) and max (%lds) are "
                      "not in this order; change one of them",
                      (long)(p->min_ms / SECOND),
                      (long)(p->default_ms / SECOND),
                      (long)(p->max_ms / SECOND));
}

static bool read_limits(struct settings *s, struct errmsg *err) {
  static const char *const others[] = {"per_client", NULL};
  const struct config_node *limits = config_get(s->config->root, "limits");
  const struct config_node *client = config_get(limits, "per_client");
  return fill(s, "limits", limits_table, others, &s->limits, err) &&
         check_ranges(s, limits, limits_ranges, &s->limits, err) &&
         options_fill(per_client_table, NULL, s->config, client, "per_client",
                      &s->limits, err) &&
         check_ranges(s, client, per_client_ranges, &s->limits, err);
}

bool settings_read_sections(struct settings *s, struct errmsg *err) {
  return read_server(s, err) && read_uploads(s, err) && read_presign(s, err) &&
         read_limits(s, err);
}

/* ---- for who describes them --------------------------------------------- */

const struct settings_table settings_tables_sections[] = {
    {"server", server_table},
    {"uploads", uploads_table},
    {"uploads.resumable", resumable_table},
    {"presign", presign_table},
    {"limits", limits_table},
    {"limits.per_client", per_client_table},
    {NULL, NULL}};

bool settings_range(const char *section, const char *key, uint64_t *min,
                    uint64_t *max) {
  static const struct {
    const char *section;
    const struct range *ranges;
  } all[] = {{"uploads", uploads_ranges},
             {"uploads.resumable", resumable_ranges},
             {"presign", presign_ranges},
             {"limits", limits_ranges},
             {"limits.per_client", per_client_ranges}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    if (strcmp(all[i].section, section) != 0)
      continue;
    for (const struct range *at = all[i].ranges; at->key != NULL; at++)
      if (strcmp(at->key, key) == 0) {
        *min = at->min;
        *max = at->max;
        return true;
      }
  }
  return false;
}
