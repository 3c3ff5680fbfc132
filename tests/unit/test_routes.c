/* SPDX-License-Identifier: MIT
 *
 * The routes of a configuration: their paths, what two of them may not share,
 * and the limits.
 */
#include "gateway.h"
#include "unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

/* The first line of the files here. */
#define BACKEND "backends: {main: {plugin: local}, cold: {plugin: b2}}\n"

static struct settings *parse(const char *text, struct errmsg *err) {
  struct route_table table;
  err->text[0] = '\0';
  struct settings *s =
      settings_parse("t.yaml", text, strlen(text), "/lib/plugins", err);
  if (s == NULL)
    return NULL;
  if (route_table_init(&table, s, gateway_endpoints, err)) {
    route_table_fini(&table);
    return s;
  }
  settings_free(s);
  return NULL;
}

static void check_refused(const char *text, const char *want) {
  struct errmsg err;
  struct settings *s = parse(text, &err);
  ROW(text, s == NULL);
  ROW(err.text, strcmp(err.text, want) == 0);
  settings_free(s);
}

static void test_hooks_are_common_or_a_routes_own(void) {
  struct errmsg err;
  struct settings *s = parse(
      BACKEND "hooks: [{plugin: auth_token, file: x}, {plugin: log_json}]\n"
              "routes:\n"
              "  - {mount: /files, backend: main}\n"
              "  - {path: /a, method: GET, operation: list, backend: cold,\n"
              "     hooks: [{plugin: auth_ip}]}\n"
              "  - {path: /b, method: GET, operation: list, backend: cold,\n"
              "     hooks: []}\n"
              "  - {mount: /last, backend: main}\n",
      &err);
  ROW(err.text, s != NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  CU_ASSERT_EQUAL(s->hook_count, 3);
  CU_ASSERT_EQUAL(s->common_hooks, 2);
  CU_ASSERT_STRING_EQUAL(s->hooks[2].plugin, "auth_ip");
  CU_ASSERT_STRING_EQUAL(s->hooks[2].name, "auth_ip");
  CU_ASSERT_EQUAL(s->routes[0].hook_count, 2);
  CU_ASSERT_EQUAL(s->routes[0].hooks[1], 1);
  CU_ASSERT_EQUAL(s->routes[1].hook_count, 1);
  CU_ASSERT_EQUAL(s->routes[1].hooks[0], 2);
  CU_ASSERT_EQUAL(s->routes[1].backend, 1);
  CU_ASSERT_STRING_EQUAL(s->routes[1].path, "/a");
  CU_ASSERT_STRING_EQUAL(s->routes[1].method, "GET");
  CU_ASSERT_STRING_EQUAL(s->routes[1].operation, "list");
  CU_ASSERT_PTR_NULL(s->routes[1].mount);
  CU_ASSERT_EQUAL(s->routes[2].hook_count, 0);
  CU_ASSERT_EQUAL(s->routes[3].hook_count, 2);
  settings_free(s);
}

static void test_mount_at_the_root_is_written_as_nothing(void) {
  struct errmsg err;
  struct settings *s =
      parse(BACKEND "routes: [{mount: /, backend: main}]\n", &err);
  ROW(err.text, s != NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  CU_ASSERT_STRING_EQUAL(s->routes[0].mount, "");
  settings_free(s);
}

/* One route in line 2. */
static void check_route(const char *route, const char *want) {
  char text[1024];
  snprintf(text, sizeof text, BACKEND "routes: [%s]\n", route);
  check_refused(text, want);
}

static void test_route_is_checked(void) {
  check_refused(BACKEND "routes: []\n", "t.yaml:2: no route; write routes: "
                                        "[{mount: /files, backend: NAME}]");
  check_route("{mount: /files}",
              "t.yaml:2: a route needs 'backend' (name of a backend); write a "
              "text");
  check_route("{mount: /files, backend: mian}",
              "t.yaml:2: 'backend': 'mian' is not known; did you mean "
              "'main'?");
  check_route("{mount: /files, backend: zzzzzz}",
              "t.yaml:2: 'backend': 'zzzzzz' is not known; write one of main, "
              "cold");
  check_route("{backend: main}",
              "t.yaml:2: a route needs either 'mount', or 'path', 'method' "
              "and 'operation'; write {mount: /files, backend: NAME}");
  check_route("{mount: /files, path: /x, backend: main}",
              "t.yaml:2: a route has either 'mount', or 'path', 'method' and "
              "'operation'; remove one or the others");
  check_route("{path: /x, method: GTE, operation: list, backend: main}",
              "t.yaml:2: 'method': 'GTE' is not known; did you mean 'GET'?");
  check_route("{path: /x, method: HEAD, operation: list, backend: main}",
              "t.yaml:2: 'method': 'HEAD' is not known; write one of GET, "
              "POST, PUT, DELETE, PATCH");
  check_route("{path: /x, method: GET, operation: lst, backend: main}",
              "t.yaml:2: 'operation': 'lst' is not known; did you mean "
              "'list'?");
  check_route("{mount: /files, backend: main, hooks: ~}",
              "t.yaml:2: a route's hooks: not a list; write [{plugin: NAME}], "
              "or [] for none");
}

static void test_path_is_checked(void) {
  check_route("{mount: files, backend: main}",
              "t.yaml:2: 'mount': 'files': it doesn't begin with /; write "
              "/files");
  check_route("{mount: /files/, backend: main}",
              "t.yaml:2: 'mount': '/files/': it ends in /; leave the last / "
              "out");
  check_route("{mount: '/a?b', backend: main}",
              "t.yaml:2: 'mount': '/a?b': a query or fragment is no part of a "
              "path; drop it");
  static const char *const segments[] = {"//",    "/a//b", "/.",
                                         "/a/..", "/../a", "/a/./b"};
  for (size_t i = 0; i < sizeof segments / sizeof *segments; i++) {
    char route[64], want[128];
    snprintf(route, sizeof route, "{mount: %s, backend: main}", segments[i]);
    snprintf(want, sizeof want,
             "t.yaml:2: 'mount': '%s': a segment of it is empty, . or ..; "
             "drop it",
             segments[i]);
    check_route(route, want);
  }
  check_route("{mount: '/a%2fb', backend: main}",
              "t.yaml:2: 'mount': '/a%2fb': only letters, digits and "
              "-._~!$&'()*+,;=:@/ are taken; drop the others");
}

static void test_path_has_a_limit(void) {
  char path[1026], text[1300];
  memset(path, 'x', sizeof path);
  path[0] = '/';
  for (size_t len = 1024; len <= 1025; len++) {
    struct errmsg err;
    snprintf(text, sizeof text,
             BACKEND "routes: [{mount: %.*s, backend: main}]", (int)len, path);
    struct settings *s = parse(text, &err);
    ROW(err.text, (s != NULL) == (len == 1024));
    settings_free(s);
  }
}

static void test_two_routes_of_one_path_and_method_are_refused(void) {
  static const struct {
    const char *first, *second, *claim; /* NULL: they get along */
  } rows[] = {
      {"mount: /files", "mount: /files", "DELETE /files"},
      {"mount: /files", "mount: /other", NULL},
      {"mount: /files", "mount: /", NULL},
      {"mount: /files", "path: /files, method: POST", "POST /files"},
      {"mount: /files", "path: /files, method: GET", "GET /files"},
      {"mount: /files", "path: /files, method: DELETE", "DELETE /files"},
      {"mount: /files", "path: /files, method: PUT", NULL},
      {"mount: /files", "path: /files/presign, method: POST",
       "POST /files/presign"},
      {"mount: /files", "path: /files/presign, method: GET", NULL},
      {"mount: /files", "path: /files/download, method: GET",
       "GET /files/download"},
      {"mount: /files", "path: /files/signed, method: GET",
       "GET /files/signed"},
      {"mount: /", "path: /, method: GET", "GET /"},
      {"mount: /", "path: /signed, method: GET", "GET /signed"},
      {"path: /a, method: GET", "path: /a, method: GET", "GET /a"},
      {"path: /a, method: GET", "path: /a, method: POST", NULL},
      {"path: /a, method: GET", "path: /a/, method: GET", NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[512], want[256];
    struct errmsg err;
    const char *list = ", operation: list";
    snprintf(text, sizeof text,
             BACKEND "routes:\n  - {backend: main, %s%s}\n"
                     "  - {backend: cold, %s%s}\n",
             rows[i].first, *rows[i].first == 'p' ? list : "", rows[i].second,
             *rows[i].second == 'p' ? list : "");
    snprintf(want, sizeof want,
             "t.yaml:4: %s is also the route of line 3; change one of them",
             rows[i].claim == NULL ? "" : rows[i].claim);
    struct settings *s = parse(text, &err);
    ROW(s == NULL ? err.text : rows[i].second,
        rows[i].claim == NULL ? s != NULL
                              : s == NULL && strcmp(err.text, want) == 0);
    settings_free(s);
  }
}

static void test_own_paths_are_reserved(void) {
  check_route("{path: /healthz, method: GET, operation: list, backend: main}",
              "t.yaml:2: /healthz is the gateway's own; choose another path");
  check_route("{mount: /readyz, backend: main}",
              "t.yaml:2: /readyz is the gateway's own; choose another path");
}

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

static void test_routes_have_a_limit(void) {
  struct errmsg err;
  const char *head = BACKEND "routes:\n";
  const char *item = "- {mount: /m#, backend: main}\n";
  CU_ASSERT_TRUE(taken(head, item, SETTINGS_ROUTES_MAX, "", &err));
  CU_ASSERT_FALSE(taken(head, item, SETTINGS_ROUTES_MAX + 1, "", &err));
  CU_ASSERT_STRING_EQUAL(err.text,
                         "t.yaml:259: more than 256 routes; drop some");
}

/* A single upload or presign route makes links, which are served below it. */
static void test_links_of_single_routes_have_their_path(void) {
  static const struct {
    const char *first, *second;
    bool fine;
  } rows[] = {
      {"backend: main, path: /a, method: POST, operation: upload",
       "backend: main, path: /a/signed, method: GET, operation: list", false},
      {"backend: main, path: /a, method: POST, operation: presign",
       "backend: main, path: /a/signed, method: GET, operation: list", false},
      {"backend: main, path: /a, method: POST, operation: delete",
       "backend: main, path: /a/signed, method: GET, operation: list", true},
      {"backend: main, path: /a, method: POST, operation: upload",
       "backend: cold, path: /a, method: PUT, operation: upload", false},
      {"backend: main, path: /a, method: POST, operation: upload",
       "backend: main, path: /a, method: PUT, operation: presign", true}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[512];
    struct errmsg err;
    snprintf(text, sizeof text, BACKEND "routes:\n  - {%s}\n  - {%s}\n",
             rows[i].first, rows[i].second);
    struct settings *s = parse(text, &err);
    ROW(rows[i].second, (s != NULL) == rows[i].fine);
    settings_free(s);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_hooks_are_common_or_a_routes_own),
      UNIT(test_mount_at_the_root_is_written_as_nothing),
      UNIT(test_route_is_checked),
      UNIT(test_path_is_checked),
      UNIT(test_path_has_a_limit),
      UNIT(test_two_routes_of_one_path_and_method_are_refused),
      UNIT(test_own_paths_are_reserved),
      UNIT(test_routes_have_a_limit),
      UNIT(test_links_of_single_routes_have_their_path),
      {NULL, NULL},
  };
  return unit_main("routes", tests);
}
