/* SPDX-License-Identifier: MIT
 *
 * The whole configuration: defaults, the shipped files, every check with its
 * line, and the limits.
 */
#include "settings.h"
#include "unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

/* Line 1 and 2 of most files here. */
#define BACKEND "backends: {main: {plugin: local}, cold: {plugin: b2}}\n"
#define ROUTE "routes: [{mount: /files, backend: main}]\n"

static struct settings *parse(const char *text, struct errmsg *err) {
  err->text[0] = '\0';
  return settings_parse("t.yaml", text, strlen(text), "/lib/plugins", err);
}

static void check_refused(const char *text, const char *want) {
  struct errmsg err;
  struct settings *s = parse(text, &err);
  ROW(text, s == NULL);
  ROW(err.text, strcmp(err.text, want) == 0);
  settings_free(s);
}

/* A row: `line` is line 3 of a file that is right without it. */
struct row {
  const char *line, *want; /* NULL: it is taken */
};

static void check_rows(const struct row *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char text[2048];
    snprintf(text, sizeof text, BACKEND ROUTE "%s\n", rows[i].line);
    struct errmsg err;
    struct settings *s = parse(text, &err);
    ROW(err.text[0] == '\0' ? rows[i].line : err.text,
        rows[i].want == NULL
            ? s != NULL
            : s == NULL && strcmp(err.text, rows[i].want) == 0);
    settings_free(s);
  }
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof *(rows))

/* ---- what is taken ----------------------------------------------------- */

static void check_defaults(const struct settings *s) {
  CU_ASSERT_STRING_EQUAL(s->server.listen[0], "0.0.0.0:8000");
  CU_ASSERT_PTR_NULL(s->server.listen[1]);
  CU_ASSERT_TRUE(s->server.workers >= 1 && s->server.workers <= 256);
  CU_ASSERT_STRING_EQUAL(s->server.public_url, "");
  CU_ASSERT_STRING_EQUAL(s->server.log_level, "info");
  CU_ASSERT_STRING_EQUAL(s->server.tls.certificate, "");
  CU_ASSERT_STRING_EQUAL(s->server.tls.private_key, "");
  CU_ASSERT_STRING_EQUAL(s->server.tls.min_version, "1.2");
  CU_ASSERT_STRING_EQUAL(s->server.tls.ciphers, "");
  CU_ASSERT_EQUAL(s->server.tls.interval_ms, 60000);
  CU_ASSERT_STRING_EQUAL(s->server.tls.client_ca, "");
  CU_ASSERT_STRING_EQUAL(s->server.tls.client_certificate, "required");
  CU_ASSERT_EQUAL(s->uploads.max_bytes, 52428800);
  CU_ASSERT_STRING_EQUAL(s->uploads.prefix, "uploads");
  CU_ASSERT_STRING_EQUAL(s->uploads.spool_directory, "/var/tmp");
  CU_ASSERT_FALSE(s->uploads.guess);
  CU_ASSERT_FALSE(s->uploads.sha256);
  CU_ASSERT_EQUAL(s->uploads.once_expires_ms, 24 * 3600 * 1000);
  CU_ASSERT_EQUAL(s->uploads.expires_ms, 24 * 3600 * 1000);
  CU_ASSERT_EQUAL(s->uploads.max_open, 1000);
  CU_ASSERT_EQUAL(s->uploads.min_append, 0);
  CU_ASSERT_PTR_NULL(s->server.headers[0].name);
  CU_ASSERT_STRING_EQUAL(s->links.secret, "");
  CU_ASSERT_STRING_EQUAL(s->downloads.cache_control, "private, max-age=3600");
  CU_ASSERT_PTR_NULL(s->uploads.types[0].name);
  CU_ASSERT_EQUAL(s->presign.default_ms, 3600000);
  CU_ASSERT_EQUAL(s->presign.min_ms, 60000);
  CU_ASSERT_EQUAL(s->presign.max_ms, 86400000);
  CU_ASSERT_EQUAL(s->limits.connections, 10000);
  CU_ASSERT_EQUAL(s->limits.memory, 268435456);
  CU_ASSERT_EQUAL(s->limits.threads, 0);
  CU_ASSERT_EQUAL(s->limits.threads_per_plugin, 0);
  CU_ASSERT_EQUAL(s->limits.head_timeout_ms, 10000);
  CU_ASSERT_EQUAL(s->limits.body_timeout_ms, 30000);
  CU_ASSERT_EQUAL(s->limits.idle_timeout_ms, 60000);
  CU_ASSERT_EQUAL(s->limits.write_timeout_ms, 30000);
  CU_ASSERT_EQUAL(s->limits.backend_timeout_ms, 60000);
  CU_ASSERT_EQUAL(s->limits.drain_timeout_ms, 30000);
  CU_ASSERT_EQUAL(s->limits.handover_timeout_ms, 3600000);
  CU_ASSERT_EQUAL(s->limits.min_rate, 1024);
  CU_ASSERT_EQUAL(s->limits.client_connections, 256);
  CU_ASSERT_EQUAL(s->limits.client_requests, 256);
  CU_ASSERT_STRING_EQUAL(s->plugin_path[0], "/lib/plugins");
  CU_ASSERT_PTR_NULL(s->plugin_path[1]);
}

static void test_least_file_has_all_defaults(void) {
  struct errmsg err;
  struct settings *s = parse(BACKEND ROUTE, &err);
  ROW(err.text, s != NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  check_defaults(s);
  CU_ASSERT_EQUAL(s->backend_count, 2);
  CU_ASSERT_STRING_EQUAL(s->backends[1].name, "cold");
  CU_ASSERT_STRING_EQUAL(s->backends[1].plugin, "b2");
  CU_ASSERT_EQUAL(s->hook_count, 0);
  CU_ASSERT_EQUAL(s->route_count, 1);
  CU_ASSERT_STRING_EQUAL(s->routes[0].mount, "/files");
  CU_ASSERT_PTR_NULL(s->routes[0].path);
  CU_ASSERT_EQUAL(s->routes[0].line, 2);
  settings_free(s);
}

static void test_empty_sections_have_their_defaults(void) {
  struct errmsg err;
  struct settings *s = parse(BACKEND ROUTE "server:\nuploads:\npresign:\n"
                                           "limits:\nhooks:\n",
                             &err);
  ROW(err.text, s != NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  check_defaults(s);
  settings_free(s);
}

static struct settings *load_shipped(const char *name, struct errmsg *err) {
  char file[4096];
  const char *srcdir = getenv("srcdir");
  snprintf(file, sizeof file, "%s/config/%s", srcdir == NULL ? "." : srcdir,
           name);
  err->text[0] = '\0';
  return settings_load(file, "/lib/plugins", err);
}

static void test_shipped_files_have_the_defaults(void) {
  static const char *const names[] = {"sluice.yaml", "example.yaml"};
  for (size_t i = 0; i < 2; i++) {
    struct errmsg err;
    struct settings *s = load_shipped(names[i], &err);
    ROW(err.text, s != NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    check_defaults(s);
    CU_ASSERT_STRING_EQUAL(s->backends[0].name, "main");
    CU_ASSERT_STRING_EQUAL(s->backends[0].plugin, "local");
    CU_ASSERT_STRING_EQUAL(config_get(s->backends[0].node, "directory")->text,
                           "./data");
    CU_ASSERT_STRING_EQUAL(s->routes[0].mount, "/files");
    settings_free(s);
  }
}

/* The keys of the example's sections, each with the section's own. */
static void test_example_shows_every_key(void) {
  static const struct {
    const char *section;
    size_t keys;
  } rows[] = {{"server", 11}, {"uploads", 10}, {"downloads", 1}, {"links", 1},
              {"presign", 4}, {"limits", 13},  {"cors", 6}};
  struct errmsg err;
  struct settings *s = load_shipped("example.yaml", &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  CU_ASSERT_EQUAL(s->config->root->count, 11);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].section,
        config_get(s->config->root, rows[i].section)->count == rows[i].keys);
  settings_free(s);
}

static void test_all_is_read(void) {
  struct errmsg err;
  struct settings *s =
      parse("server: {listen: ['[::1]:0', 'unix:/run/s'], workers: 3,\n"
            "  public_url: 'https://f.example/x', log_level: debug,\n"
            "  tls: {certificate: c.pem, private_key: k.pem}}\n"
            "plugin_path: [/a, b]\n"
            "uploads: {max_bytes: 1B, prefix: /a/b/, spool_directory: /s}\n"
            "presign: {default: 2m, min: 1s, max: 7d}\n"
            "limits: {connections: 1, memory: 1MiB, threads: 1024,\n"
            "  threads_per_plugin: 1024, head_timeout: 100ms, drain_timeout: "
            "0, min_rate: 1MiB,\n"
            "  per_client: {connections: 0, requests: 1}}\n" BACKEND ROUTE,
            &err);
  ROW(err.text, s != NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  CU_ASSERT_STRING_EQUAL(s->server.listen[1], "unix:/run/s");
  CU_ASSERT_EQUAL(s->server.workers, 3);
  CU_ASSERT_STRING_EQUAL(s->server.public_url, "https://f.example/x");
  CU_ASSERT_STRING_EQUAL(s->server.log_level, "debug");
  CU_ASSERT_STRING_EQUAL(s->server.tls.certificate, "c.pem");
  CU_ASSERT_STRING_EQUAL(s->server.tls.private_key, "k.pem");
  CU_ASSERT_STRING_EQUAL(s->plugin_path[0], "/a");
  CU_ASSERT_STRING_EQUAL(s->plugin_path[1], "b");
  CU_ASSERT_STRING_EQUAL(s->plugin_path[2], "/lib/plugins");
  CU_ASSERT_PTR_NULL(s->plugin_path[3]);
  CU_ASSERT_EQUAL(s->uploads.max_bytes, 1);
  CU_ASSERT_STRING_EQUAL(s->uploads.prefix, "a/b");
  CU_ASSERT_EQUAL(s->presign.max_ms, 604800000);
  CU_ASSERT_EQUAL(s->limits.threads, 1024);
  CU_ASSERT_EQUAL(s->limits.threads_per_plugin, 1024);
  CU_ASSERT_EQUAL(s->limits.drain_timeout_ms, 0);
  CU_ASSERT_EQUAL(s->limits.min_rate, 1048576);
  CU_ASSERT_EQUAL(s->limits.client_connections, 0);
  CU_ASSERT_EQUAL(s->limits.client_requests, 1);
  settings_free(s);
}

static void test_plugin_path_has_the_installed_folder_once(void) {
  struct errmsg err;
  struct settings *s =
      parse("plugin_path: [/lib/plugins, b]\n" BACKEND ROUTE, &err);
  ROW(err.text, s != NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  CU_ASSERT_STRING_EQUAL(s->plugin_path[0], "/lib/plugins");
  CU_ASSERT_STRING_EQUAL(s->plugin_path[1], "b");
  CU_ASSERT_PTR_NULL(s->plugin_path[2]);
  settings_free(s);
}

/* ---- what is refused --------------------------------------------------- */

static void test_server_is_checked(void) {
  static const struct row rows[] = {
      {"sever: {}", "t.yaml:3: unknown key 'sever' in the configuration; did "
                    "you mean 'server'?"},
      {"server: {lisen: []}", "t.yaml:3: unknown key 'lisen' in server; did "
                              "you mean 'listen'?"},
      {"server: {listen: []}", "t.yaml:3: 'listen': no address; write one, "
                               "as in [\"0.0.0.0:8000\"]"},
      {"server: {listen: ['a:1', 'a:1']}",
       "t.yaml:3: 'listen': 'a:1': it is here twice; remove one"},
      {"server: {listen: ['unix:/s'], socket_mode: 0660}", NULL},
      {"server: {listen: ['unix:/s'], socket_mode: '777'}", NULL},
      {"server: {listen: ['unix:/s'], socket_mode: 0}",
       "t.yaml:3: 'socket_mode': '0' is no mode; write three octal digits, "
       "as in 0660"},
      {"server: {listen: ['unix:/s'], socket_mode: 00660}",
       "t.yaml:3: 'socket_mode': '00660' is no mode; write three octal "
       "digits, "
       "as in 0660"},
      {"server: {listen: ['unix:/s'], socket_mode: 1660}",
       "t.yaml:3: 'socket_mode': '1660' is no mode; write three octal digits, "
       "as in 0660"},
      {"server: {listen: ['unix:/s'], socket_mode: 0680}",
       "t.yaml:3: 'socket_mode': '0680' is no mode; write three octal digits, "
       "as in 0660"},
      {"server: {listen: ['unix:/s'], socket_mode: rw}",
       "t.yaml:3: 'socket_mode': 'rw' is no mode; write three octal digits, "
       "as in 0660"},
      {"server: {socket_mode: 0660}",
       "t.yaml:3: 'socket_mode' is of UNIX sockets, and 'listen' has none; "
       "remove it, or add one, as in unix:/run/s"},
      {"server: {workers: 256}", NULL},
      {"server: {workers: 257}", "t.yaml:3: 'workers': '257' is no number of "
                                 "loops; write auto or 1 to 256"},
      {"server: {workers: 0}", "t.yaml:3: 'workers': '0' is no number of "
                               "loops; write auto or 1 to 256"},
      {"server: {log_level: warning}",
       "t.yaml:3: 'log_level': 'warning' is not known; did you mean 'warn'?"},
      {"server: {log_level: loud}",
       "t.yaml:3: 'log_level': 'loud' is not known; write one of error, warn, "
       "info, debug"},
      {"server: {tls: {certificate: x, private_key: y, min_version: 1.1}}",
       "t.yaml:3: 'min_version': '1.1' is not known; write one of 1.2, 1.3"},
      {"server: {tls: {client_ca: x}}",
       "t.yaml:3: 'client_ca' has no use without TLS; write 'certificate' and "
       "'private_key', too"},
      {"server: {tls: {client_certificate: optionally}}",
       "t.yaml:3: 'client_certificate': 'optionally' is not known; did you "
       "mean 'optional'?"},
      {"server: {tls: {interval: 99ms}}",
       "t.yaml:3: 'interval': 99ms is out of range; write 0, or 100ms to 1d"},
      {"server: {tls: {interval: 86400001ms}}",
       "t.yaml:3: 'interval': 86400001ms is out of range; write 0, or 100ms "
       "to 1d"},
      {"server: {tls: {min_version: 1.3, ciphers: A}}",
       "t.yaml:3: 'ciphers' are those of TLS 1.2, which 'min_version' leaves "
       "out; remove one of them"},
      {"server: {tls: {certificate: x}}",
       "t.yaml:3: tls: 'private_key' is missing; write both files, or "
       "neither"},
      {"server: {tls: {private_key: x}}",
       "t.yaml:3: tls: 'certificate' is missing; write both files, or "
       "neither"},
      {"server: {public_url: 'https://a/'}",
       "t.yaml:3: 'public_url': 'https://a/': it ends in /; leave the last / "
       "out"},
      {"plugin_path: ['']",
       "t.yaml:3: 'plugin_path': item 1 is empty; write a folder"},
  };
  CHECK_ROWS(rows);
}

static void test_each_number_has_its_range(void) {
  static const struct row rows[] = {
      {"uploads: {max_bytes: 5TiB}", NULL},
      {"uploads: {max_bytes: 5497558138881B}",
       "t.yaml:3: 'max_bytes': 5497558138881B is out of range; write 1B to "
       "5TiB"},
      {"uploads: {max_bytes: 0}",
       "t.yaml:3: 'max_bytes': 0 is out of range; write 1B to 5TiB"},
      {"limits: {connections: 1000000}", NULL},
      {"limits: {connections: 1000001}",
       "t.yaml:3: 'connections': 1000001 is out of range; write 1 to 1000000"},
      {"limits: {connections: -1}",
       "t.yaml:3: 'connections': -1 is out of range; write 1 to 1000000"},
      {"limits: {memory: 1048575B}",
       "t.yaml:3: 'memory': 1048575B is out of range; write 1MiB to 1TiB"},
      {"limits: {threads_per_plugin: 1025}",
       "t.yaml:3: 'threads_per_plugin': 1025 is out of range; write 0 to "
       "1024"},
      {"limits: {threads: 1025}",
       "t.yaml:3: 'threads': 1025 is out of range; write 0 to 1024"},
      {"limits: {head_timeout: 99ms}",
       "t.yaml:3: 'head_timeout': 99ms is out of range; write 100ms to 1h"},
      {"limits: {idle_timeout: 1h}", NULL},
      {"limits: {body_timeout: 3600001ms}",
       "t.yaml:3: 'body_timeout': 3600001ms is out of range; write 100ms to "
       "1h"},
      {"limits:\n  backend_timeout: 1d\n  write_timeout: 0",
       "t.yaml:5: 'write_timeout': 0 is out of range; write 100ms to 1h"},
      {"limits: {drain_timeout: 2h}",
       "t.yaml:3: 'drain_timeout': 2h is out of range; write 0 to 1h"},
      {"limits: {handover_timeout: 1d}", NULL},
      {"limits: {handover_timeout: 86400001ms}",
       "t.yaml:3: 'handover_timeout': 86400001ms is out of range; write 0 to "
       "1d"},
      {"limits: {min_rate: 0}", NULL},
      {"limits: {min_rate: 1048577B}",
       "t.yaml:3: 'min_rate': 1048577B is out of range; write 0 to 1MiB"},
      {"limits: {per_client: {connections: 1000000}}", NULL},
      {"limits:\n  per_client:\n    connections: 1000001",
       "t.yaml:5: 'connections': 1000001 is out of range; write 0 to "
       "1000000"},
      {"limits: {per_client: {requests: -1}}",
       "t.yaml:3: 'requests': -1 is out of range; write 0 to 1000000"},
      {"limits: {per_client: {request: 1}}",
       "t.yaml:3: unknown key 'request' in per_client; did you mean "
       "'requests'?"},
  };
  CHECK_ROWS(rows);
}

static void test_uploads_and_presign_are_checked(void) {
  static const struct row rows[] = {
      {"uploads: {resumable: {expires: 1s, min_append: 64MiB}}", NULL},
      {"uploads: {resumable: {expires: 30d}}", NULL},
      {"uploads: {idempotency_expires: 1s}", NULL},
      {"uploads: {idempotency_expires: 30d}", NULL},
      {"uploads: {idempotency_expires: 999ms}",
       "t.yaml:3: 'idempotency_expires': 999ms is out of range; write 1s to "
       "30d"},
      {"uploads: {idempotency_expires: 721h}",
       "t.yaml:3: 'idempotency_expires': 721h is out of range; write 1s to "
       "30d"},
      {"uploads: {resumable: {expires: 999ms}}",
       "t.yaml:3: 'expires': 999ms is out of range; write 1s to 30d"},
      {"uploads: {resumable: {max_open: -1}}",
       "t.yaml:3: 'max_open': -1 is out of range; write 0 to 1000000"},
      {"uploads: {prefix: ''}", "t.yaml:3: 'prefix': '': it is empty; write a "
                                "key prefix, as in uploads"},
      {"uploads: {prefix: /}", "t.yaml:3: 'prefix': '/': it is empty; write a "
                               "key prefix, as in uploads"},
      {"uploads: {spool_directory: ''}",
       "t.yaml:3: 'spool_directory': it is empty; write a folder"},
      {"presign: {min: 1h, default: 1h, max: 1h}", NULL},
      {"presign:\n  max: 30m",
       "t.yaml:4: presign: min (60s), default (3600s) and max (1800s) are not "
       "in this order; change one of them"},
      {"presign: {default: 59s}",
       "t.yaml:3: presign: min (60s), default (59s) and max (86400s) are not "
       "in this order; change one of them"},
      {"presign: {min: 999ms}",
       "t.yaml:3: 'min': 999ms is out of range; write 1s to 7d"},
      {"presign: {max: 604801s}",
       "t.yaml:3: 'max': 604801s is out of range; write 1s to 7d"},
      {"presign: {min: 1500ms}", "t.yaml:3: 'min': links count in whole "
                                 "seconds; write one, as in 90s"},
  };
  CHECK_ROWS(rows);
}

static void test_bad_prefix_is_refused(void) {
  struct errmsg err;
  struct settings *s =
      parse(BACKEND ROUTE "uploads: {prefix: a/../b}\n", &err);
  CU_ASSERT_PTR_NULL(s);
  ROW(err.text, strncmp(err.text, "t.yaml:3: 'prefix': 'a/../b': ", 30) == 0);
  settings_free(s);
}

static void test_backends_are_checked(void) {
  static const char none[] = "t.yaml:1: no backend; write backends: {main: "
                             "{plugin: local, directory: ./data}}";
  check_refused(ROUTE, none);
  check_refused("~", none);
  check_refused("backends: {}\n" ROUTE, none);
  check_refused("backends: []\n" ROUTE, none);
  check_refused("backends: {main: local}\n" ROUTE,
                "t.yaml:1: backend 'main' is not a mapping; write {plugin: "
                "NAME} and its options");
  check_refused("backends:\n  main:\n    directory: x\n" ROUTE,
                "t.yaml:3: backend 'main' needs 'plugin' (which one it is); "
                "write plugin: NAME");
  check_refused("backends: {main: {plugin: ../x}}\n" ROUTE,
                "t.yaml:1: 'plugin': not a plugin's name; write 1 to 64 of "
                "a-z, 0-9 and _");
  check_refused("backends: {main: {plugin: null}}\n" ROUTE,
                "t.yaml:1: 'plugin': not a plugin's name; write 1 to 64 of "
                "a-z, 0-9 and _");
  check_refused("backends: {'a b': {plugin: x}}\n" ROUTE,
                "t.yaml:1: backends: 'a b' is no name; write 1 to 64 letters, "
                "digits, _, . and -");
}

static void test_hooks_are_checked(void) {
  static const struct row rows[] = {
      {"hooks: {plugin: x}", "t.yaml:3: hooks: not a list; write [{plugin: "
                             "NAME}], or [] for none"},
      {"hooks: [log_json]", "t.yaml:3: a hook is not a mapping; write "
                            "{plugin: NAME} and its options"},
      {"hooks:\n  - {path: x}", "t.yaml:4: a hook needs 'plugin' (which one "
                                "it is); write plugin: NAME"},
  };
  CHECK_ROWS(rows);
}

static void test_proxies_and_prefix_of_users_are_checked(void) {
  static const struct row rows[] = {
      {"server: {trusted_proxies: [10.0.0.0/8, '::1', 'unix:']}", NULL},
      {"server: {trusted_proxies: []}", NULL},
      {"server: {trusted_proxies: [10.0.0.1/8]}",
       "t.yaml:3: 'trusted_proxies': '10.0.0.1/8': it has bits behind its "
       "mask; write zeroes there"},
      {"server: {trusted_proxies: [proxy.example]}",
       "t.yaml:3: 'trusted_proxies': 'proxy.example': it is no address; write "
       "one, as in 10.0.0.0/8, ::1 or unix:"},
      {"uploads: {prefix: 'users/{user}/in'}", NULL},
      {"uploads: {prefix: '{user}/{user}'}",
       "t.yaml:3: 'prefix': '{user}/{user}': it has {user} more than once; "
       "write a key prefix, as in uploads"},
  };
  CHECK_ROWS(rows);
}

static void test_cors_is_checked(void) {
  static const struct row rows[] = {
      {"cors:", NULL},
      {"cors: {origins: ['*']}", NULL},
      {"cors: {origins: ['*'], headers: ['*'], expose: []}", NULL},
      {"cors: {origins: ['http://a:1'], credentials: true, max_age: 1d}",
       NULL},
      {"cors: {}", "t.yaml:3: cors needs 'origins' (whose pages may use the "
                   "gateway); write a list, as in [https://app.example]"},
      {"cors: {origins: ['*'], credentials: true}",
       "t.yaml:3: 'origins': '*': with credentials each origin has to be "
       "named, as any page could act for its visitors; name them, or drop "
       "credentials"},
      {"cors: {origins: ['http://a'], credentials: true, headers: ['*']}",
       "t.yaml:3: 'headers': '*': with credentials it means nothing; name "
       "them"},
      {"cors: {origins: ['http://a/']}",
       "t.yaml:3: 'origins': 'http://a/': an origin ends with its host or "
       "port; drop what follows"},
      {"cors: {origins: ['http://a'], expose: [a b]}",
       "t.yaml:3: 'expose': 'a b': it is no name; write 1 to 64 letters, "
       "digits and -"},
      {"cors: {origins: ['http://a'], max_age: 86400001ms}",
       "t.yaml:3: 'max_age': it is out of range; write 0 to 1d"},
      {"cors: {orgins: ['http://a']}",
       "t.yaml:3: unknown key 'orgins' in cors; did you mean 'origins'?"},
  };
  CHECK_ROWS(rows);
}

/* ---- limits ------------------------------------------------------------ */

/* head, then `count` times the format with its number, then tail. */
static bool taken(const char *head, const char *fmt, size_t count,
                  const char *tail, struct errmsg *err) {
  size_t size = 65536, at = 0;
  char *text = malloc(size);
  CU_ASSERT_PTR_NOT_NULL_FATAL(text);
  at += (size_t)snprintf(text, size, "%s", head);
  for (size_t i = 0; i < count; i++) {
    for (const char *c = fmt; *c != '\0'; c++)
      at += (size_t)(*c == '#' ? snprintf(text + at, size - at, "%zu", i)
                               : snprintf(text + at, size - at, "%c", *c));
  }
  snprintf(text + at, size - at, "%s", tail);
  struct settings *s = parse(text, err);
  bool ok = s != NULL;
  settings_free(s);
  free(text);
  return ok;
}

static void test_listen_has_a_limit(void) {
  struct errmsg err;
  const char *head = BACKEND ROUTE "server: {listen: [", *item = "'a:#',";
  CU_ASSERT_TRUE(taken(head, item, SETTINGS_LISTEN_MAX, "]}", &err));
  CU_ASSERT_FALSE(taken(head, item, SETTINGS_LISTEN_MAX + 1, "]}", &err));
  CU_ASSERT_STRING_EQUAL(err.text, "t.yaml:3: 'listen': 'a:64': more than 64 "
                                   "addresses; drop some");
}

static void test_backends_have_a_limit(void) {
  struct errmsg err;
  const char *head = "routes: [{mount: /f, backend: b0}]\nbackends:\n";
  const char *item = "  b#: {plugin: x}\n";
  CU_ASSERT_TRUE(taken(head, item, SETTINGS_BACKENDS_MAX, "", &err));
  CU_ASSERT_FALSE(taken(head, item, SETTINGS_BACKENDS_MAX + 1, "", &err));
  CU_ASSERT_STRING_EQUAL(err.text,
                         "t.yaml:67: more than 64 backends; drop some");
}

static void test_hooks_have_a_limit(void) {
  struct errmsg err;
  const char *head = BACKEND ROUTE "hooks:\n", *item = "- {plugin: h#}\n";
  CU_ASSERT_TRUE(taken(head, item, SETTINGS_HOOKS_MAX, "", &err));
  CU_ASSERT_FALSE(taken(head, item, SETTINGS_HOOKS_MAX + 1, "", &err));
  CU_ASSERT_STRING_EQUAL(err.text,
                         "t.yaml:68: more than 64 hooks in all; drop some");
}

static void test_proxies_have_a_limit(void) {
  struct errmsg err;
  const char *head = BACKEND ROUTE "server: {trusted_proxies: [";
  CU_ASSERT_TRUE(taken(head, "'::#',", SETTINGS_PROXIES_MAX, "]}", &err));
  CU_ASSERT_FALSE(taken(head, "'::#',", SETTINGS_PROXIES_MAX + 1, "]}", &err));
  CU_ASSERT_STRING_EQUAL(err.text, "t.yaml:3: 'trusted_proxies': more than "
                                   "256; join some to blocks as 10.0.0.0/8");
}

static void test_lists_of_cors_have_a_limit(void) {
  struct errmsg err;
  const char *head = BACKEND ROUTE "cors: {origins: [", *item = "'http://#',";
  CU_ASSERT_TRUE(taken(head, item, SETTINGS_ORIGINS_MAX, "]}", &err));
  CU_ASSERT_FALSE(taken(head, item, SETTINGS_ORIGINS_MAX + 1, "]}", &err));
  CU_ASSERT_STRING_EQUAL(err.text, "t.yaml:3: 'origins': 'http://256': more "
                                   "than 256 origins; drop some");
  head = BACKEND ROUTE "cors: {origins: ['http://a'], expose: [";
  CU_ASSERT_TRUE(taken(head, "A#,", SETTINGS_CORS_NAMES_MAX, "]}", &err));
  CU_ASSERT_FALSE(taken(head, "A#,", SETTINGS_CORS_NAMES_MAX + 1, "]}", &err));
  CU_ASSERT_STRING_EQUAL(err.text,
                         "t.yaml:3: 'expose': 'A64': more than 64; drop some");
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_least_file_has_all_defaults),
      UNIT(test_empty_sections_have_their_defaults),
      UNIT(test_shipped_files_have_the_defaults),
      UNIT(test_example_shows_every_key),
      UNIT(test_all_is_read),
      UNIT(test_plugin_path_has_the_installed_folder_once),
      UNIT(test_server_is_checked),
      UNIT(test_each_number_has_its_range),
      UNIT(test_uploads_and_presign_are_checked),
      UNIT(test_bad_prefix_is_refused),
      UNIT(test_backends_are_checked),
      UNIT(test_hooks_are_checked),
      UNIT(test_proxies_and_prefix_of_users_are_checked),
      UNIT(test_cors_is_checked),
      UNIT(test_proxies_have_a_limit),
      UNIT(test_lists_of_cors_have_a_limit),
      UNIT(test_listen_has_a_limit),
      UNIT(test_backends_have_a_limit),
      UNIT(test_hooks_have_a_limit),
      {NULL, NULL},
  };
  return unit_main("settings", tests);
}
