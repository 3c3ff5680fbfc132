/* SPDX-License-Identifier: MIT
 *
 * The whole configuration, typed and checked as far as it can be without
 * loading a plugin.
 */
#ifndef HOST_SETTINGS_H
#define HOST_SETTINGS_H

#include "cidr.h"
#include "config.h"
#include "pair.h"

#define SETTINGS_LISTEN_MAX 64
#define SETTINGS_ADMIN_MAX 8
#define SETTINGS_BACKENDS_MAX 64
#define SETTINGS_HOOKS_MAX 64
#define SETTINGS_ROUTES_MAX 256
#define SETTINGS_PROXIES_MAX 256
#define SETTINGS_ORIGINS_MAX 256
#define SETTINGS_HOSTS_MAX 256
#define SETTINGS_CORS_NAMES_MAX               \
  64 /* methods, headers: each of 1..64 bytes \
      */

/* The protocol of listeners; without a certificate it is plain HTTP. */
struct settings_tls {
  const char *certificate, *private_key; /* both or none ("") */
  const char *ciphers;     /* of TLS 1.2, as OpenSSL writes them; "": ours */
  const char *min_version; /* "1.2" or "1.3" */
  const char *client_ca;   /* who signs clients' certificates; "": nobody */
  const char *client_certificate; /* "required" or "optional" */
  int64_t interval_ms;            /* between two looks at the files; 0: none */
};

/* The process confines itself to these, too; see sluice.yaml(5). */
struct settings_confine {
  const char *mode_text; /* "on", "required" or "off"; "true", "false" */
  bool required, off;
  const char *const *read, *const *write; /* absolute paths */
  const char *const *connect;             /* ports, or "any" */
};

struct settings_server {
  const char *const *listen;    /* "0.0.0.0:8000", "[::]:8000", "unix:/path" */
  const char *socket_mode_text; /* "" or three octal digits */
  int socket_mode;          /* of UNIX sockets; -1: as the umask leaves it */
  const char *workers_text; /* "auto" or a number */
  unsigned workers;         /* 1..256 */
  const char *public_url; /* "" or http(s)://host[:port][/path], no final / */
  const char *log_level;  /* error, warn, info, debug */
  bool core_dumps;        /* may be written */
  const char *const *admin;   /* entries as of listen, for operators */
  const char *console_text;   /* "on" or "off" */
  bool console;               /* a page for people, at /console/ */
  const char *console_issuer; /* "" or http(s)://host[:port][/path] */
  const char *console_client; /* what the issuer knows it as; "": none */
  const char *console_scope;  /* it asks for there */
  struct settings_tls tls;
  struct settings_confine confine;
  const char *const *hosts;   /* that links may name; none: any */
  const struct pair *headers; /* of every answer, to a NULL name */
  const char *const *proxies; /* whose X-Forwarded-For is believed */
  struct cidr *trusted;       /* the same, parsed */
  size_t trusted_count;
};

struct settings_uploads {
  uint64_t max_bytes;
  const char *prefix; /* may hold KEY_USER once */
  const char *spool_directory;
  int64_t expires_ms;  /* of a resumable one, after its last byte */
  int64_t max_open;    /* of one client, that aren't complete; 0: any number */
  uint64_t min_append; /* bytes, but for the last; 0: any */
  int64_t once_expires_ms; /* of an Idempotency-Key */
  /* How long an object may be told to live; the latter 0: none may. */
  int64_t expire_min_ms, expire_max_ms;
  bool sha256;      /* of every object, also where no client wants it */
  bool early_parts; /* the storage has bytes before an upload is whole */
  bool guess; /* what "application/octet-stream" says nothing of, by name */
  const struct pair *types; /* extension, type; ends with a NULL name */
};

struct settings_downloads {
  const char *cache_control; /* "": none */
};

struct settings_links {
  const char *secret; /* "": none */
};

struct settings_presign {
  int64_t default_ms, min_ms, max_ms; /* min <= default <= max <= 7d */
  const char *via;                    /* "storage" or "gateway" */
  bool by_gateway;                    /* the latter: so are all links */
};

/* The rights of pages of other origins; without origins there is no CORS. */
struct settings_cors {
  const char *const *origins; /* as browsers write them, or "*" */
  const char *const *methods; /* none: those of the path */
  const char *const *headers; /* that requests may have */
  const char *const *expose;  /* of answers, that scripts may read */
  const char *methods_text, *headers_text, *expose_text; /* "a, b" */
  bool any;                                              /* "*" is there */
  bool credentials;                                      /* not with "*" */
  int64_t max_age_ms; /* how long a preflight's answer is good for */
};

struct settings_limits {
  int64_t connections; /* open at once, in the whole process */
  uint64_t memory;     /* for requests in flight, in the whole process */
  int64_t threads;     /* of the pool for blocking calls; 0: by cores */
  int64_t threads_per_plugin;  /* at once; 0: by their number */
  int64_t head_timeout_ms;     /* a whole head */
  int64_t body_timeout_ms;     /* silence inside a body */
  int64_t idle_timeout_ms;     /* silence between two requests */
  int64_t write_timeout_ms;    /* the client takes nothing */
  int64_t backend_timeout_ms;  /* the backend neither progresses nor ends */
  int64_t drain_timeout_ms;    /* after SIGTERM, for requests in flight */
  int64_t handover_timeout_ms; /* so, after another process took over */
  uint64_t min_rate; /* bytes a second of who sends or takes; 0: any */
  int64_t client_connections, client_requests; /* of one; 0: any number */
};

/* A backend or hook as configured; its options are for the plugin's table. */
struct settings_plugin {
  const char *name;               /* of a backend; a hook's is its plugin's */
  const char *plugin;             /* [a-z0-9_]{1,64} */
  const struct config_node *node; /* the mapping, with the key "plugin" */
  bool needed;                    /* of a backend: /readyz is 503 without it */
};

struct settings_route {
  const char *mount; /* NULL, or "/files": then path, method, operation are
                        NULL.  "/" is written as "" here. */
  const char *path, *method, *operation;
  size_t backend;          /* index into backends */
  int64_t expire_after_ms; /* what is uploaded here ends then; 0: it stays */
  /* The hooks of this route, as indices into hooks; the configuration's
   * common ones when the route names none. */
  size_t *hooks;
  size_t hook_count;
  unsigned line;
};

struct settings {
  struct config *config;
  struct settings_server server;
  struct settings_uploads uploads;
  struct settings_downloads downloads;
  struct settings_links links;
  struct settings_presign presign;
  struct settings_limits limits;
  struct settings_cors cors;
  const char *const *plugin_path; /* folders, the installed one last */
  struct settings_plugin *backends;
  size_t backend_count;
  struct settings_plugin *hooks; /* common ones first, then those of routes */
  size_t hook_count, common_hooks;
  struct settings_route *routes;
  size_t route_count;
  size_t keepers; /* beside the one who made it */
};

/* NULL and why: one line, with file:line where a line is to blame.  `folder`
 * is where plugins are installed. */
struct settings *settings_load(const char *file, const char *folder,
                               struct errmsg *);
/* The same from memory; `file` is for messages. */
struct settings *settings_parse(const char *file, const char *data, size_t len,
                                const char *folder, struct errmsg *);
/* One more settings_free() is needed; one thread's. */
struct settings *settings_keep(struct settings *);
void settings_free(struct settings *);

#endif
