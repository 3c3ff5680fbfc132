/* SPDX-License-Identifier: MIT
 *
 * The table of routes: which method and path mean which operation.
 */
#include "route.h"

#include "endpoints.h"
#include "gateway.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)
#define LENGTH(rows) (sizeof rows / sizeof *rows)

static struct route_table table_of(struct settings_route *routes,
                                   size_t count) {
  struct route_table table;
  struct settings settings = {.routes = routes, .route_count = count};
  struct errmsg err;
  CU_ASSERT_TRUE_FATAL(
      route_table_init(&table, &settings, gateway_endpoints, &err));
  return table;
}

struct want {
  const char *method, *path;
  enum route_result result;
  const struct endpoint *endpoint;
};

static void expect(const struct route_table *table, const struct want *rows,
                   size_t count) {
  for (size_t i = 0; i < count; i++) {
    const struct route *route = NULL;
    char name[96];
    snprintf(name, sizeof name, "%s %s", rows[i].method, rows[i].path);
    ROW(name, route_find(table, rows[i].method, rows[i].path, &route) ==
                  rows[i].result);
    ROW(name, (route != NULL) == (rows[i].result == ROUTE_FOUND));
    if (route != NULL) {
      ROW(name, route->endpoint == rows[i].endpoint);
      ROW(name, strcmp(route->path, rows[i].path) == 0);
    }
  }
}

static void test_a_mount_has_the_documented_endpoints(void) {
  struct settings_route routes[] = {{.mount = "/files"}};
  struct route_table table = table_of(routes, 1);
  static const struct want rows[] = {
      {"POST", "/files", ROUTE_FOUND, &upload_endpoint},
      {"GET", "/files", ROUTE_FOUND, &list_endpoint},
      {"HEAD", "/files", ROUTE_FOUND, &list_endpoint},
      {"DELETE", "/files", ROUTE_FOUND, &delete_endpoint},
      {"PUT", "/files", ROUTE_METHOD, NULL},
      {"post", "/files", ROUTE_METHOD, NULL},
      {"OPTIONS", "/files", ROUTE_METHOD, NULL},
      {"POST", "/files/presign", ROUTE_FOUND, &presign_endpoint},
      {"GET", "/files/presign", ROUTE_METHOD, NULL},
      {"HEAD", "/files/presign", ROUTE_METHOD, NULL},
      {"GET", "/files/download", ROUTE_FOUND, &download_endpoint},
      {"HEAD", "/files/download", ROUTE_FOUND, &download_endpoint},
      {"DELETE", "/files/download", ROUTE_METHOD, NULL},
      {"GET", "/files/signed", ROUTE_FOUND, &signed_endpoint},
      {"GET", "/healthz", ROUTE_FOUND, &healthz_endpoint},
      {"HEAD", "/readyz", ROUTE_FOUND, &readyz_endpoint},
      {"POST", "/healthz", ROUTE_METHOD, NULL},
      {"GET", "/", ROUTE_UNKNOWN, NULL},
      {"GET", "", ROUTE_UNKNOWN, NULL},
      {"GET", "*", ROUTE_UNKNOWN, NULL},
      {"GET", "/file", ROUTE_UNKNOWN, NULL},
      {"GET", "/files/", ROUTE_UNKNOWN, NULL},
      {"GET", "//files", ROUTE_UNKNOWN, NULL},
      {"GET", "/FILES", ROUTE_UNKNOWN, NULL},
      {"GET", "/files/../files", ROUTE_UNKNOWN, NULL},
      {"GET", "/files%2fdownload", ROUTE_UNKNOWN, NULL},
      {"GET", "/files/download/x", ROUTE_UNKNOWN, NULL},
      {"GET", "/healthz/", ROUTE_UNKNOWN, NULL},
      {"GET", "/zzz", ROUTE_UNKNOWN, NULL},
  };
  expect(&table, rows, LENGTH(rows));
  route_table_fini(&table);
}

static void test_the_root_can_be_a_mount(void) {
  struct settings_route routes[] = {{.mount = ""}};
  struct route_table table = table_of(routes, 1);
  static const struct want rows[] = {
      {"POST", "/", ROUTE_FOUND, &upload_endpoint},
      {"GET", "/", ROUTE_FOUND, &list_endpoint},
      {"DELETE", "/", ROUTE_FOUND, &delete_endpoint},
      {"POST", "/presign", ROUTE_FOUND, &presign_endpoint},
      {"GET", "/download", ROUTE_FOUND, &download_endpoint},
      {"GET", "/healthz", ROUTE_FOUND, &healthz_endpoint},
      {"GET", "", ROUTE_UNKNOWN, NULL},
      {"GET", "//", ROUTE_UNKNOWN, NULL},
      {"GET", "//download", ROUTE_UNKNOWN, NULL},
  };
  expect(&table, rows, LENGTH(rows));
  route_table_fini(&table);
}

static void test_single_routes_are_what_they_say(void) {
  struct settings_route routes[] = {
      {.path = "/up", .method = "POST", .operation = "upload"},
      {.path = "/up", .method = "GET", .operation = "list"},
      {.path = "/get", .method = "GET", .operation = "download"},
      {.path = "/del", .method = "POST", .operation = "delete"},
      {.path = "/pre", .method = "PUT", .operation = "presign"}};
  struct route_table table = table_of(routes, LENGTH(routes));
  static const struct want rows[] = {
      {"POST", "/up", ROUTE_FOUND, &upload_endpoint},
      {"GET", "/up", ROUTE_FOUND, &list_endpoint},
      {"DELETE", "/up", ROUTE_METHOD, NULL},
      {"GET", "/get", ROUTE_FOUND, &download_endpoint},
      {"HEAD", "/get", ROUTE_FOUND, &download_endpoint},
      {"POST", "/del", ROUTE_FOUND, &delete_endpoint},
      {"PUT", "/pre", ROUTE_FOUND, &presign_endpoint},
      {"GET", "/up/signed", ROUTE_FOUND, &signed_endpoint},
      {"GET", "/pre/signed", ROUTE_FOUND, &signed_endpoint},
      {"GET", "/get/signed", ROUTE_UNKNOWN, NULL},
      {"GET", "/del/signed", ROUTE_UNKNOWN, NULL},
  };
  expect(&table, rows, LENGTH(rows));
  route_table_fini(&table);
}

static void test_allow_names_the_methods_of_a_path(void) {
  struct settings_route routes[] = {
      {.mount = "/files"},
      {.path = "/all", .method = "GET", .operation = "list"},
      {.path = "/all", .method = "PUT", .operation = "delete"},
      {.path = "/all", .method = "POST", .operation = "upload"},
      {.path = "/all", .method = "DELETE", .operation = "delete"}};
  struct route_table table = table_of(routes, LENGTH(routes));
  static const struct {
    const char *path, *methods[6];
  } rows[] = {{"/files", {"POST", "GET", "HEAD", "DELETE"}},
              {"/files/presign", {"POST"}},
              {"/files/download", {"GET", "HEAD"}},
              {"/healthz", {"GET", "HEAD"}},
              {"/all", {"GET", "HEAD", "PUT", "POST", "DELETE"}},
              {"/nowhere", {NULL}}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    char allow[64];
    size_t want = 0;
    route_allow(&table, rows[i].path, allow);
    for (size_t j = 0; rows[i].methods[j] != NULL; j++) {
      ROW(allow, strstr(allow, rows[i].methods[j]) != NULL);
      want += strlen(rows[i].methods[j]) + (j > 0 ? 2 : 0);
    }
    ROW(allow, strlen(allow) == want);
  }
  route_table_fini(&table);
}

static void test_a_route_knows_where_its_objects_are_found(void) {
  struct settings_route routes[] = {
      {.mount = "/a", .backend = 0},
      {.mount = "/ab", .backend = 1},
      {.mount = "/b", .backend = 0},
      {.path = "/c", .method = "POST", .operation = "upload", .backend = 2}};
  struct route_table table = table_of(routes, LENGTH(routes));
  static const struct {
    const char *path, *download, *link;
  } rows[] = {{"/a", "/a/download", "/a/signed"},
              {"/ab", "/ab/download", "/ab/signed"},
              {"/b", "/b/download", "/b/signed"},
              {"/c", NULL, "/c/signed"}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    const struct route *route = NULL;
    route_find(&table, "POST", rows[i].path, &route);
    CU_ASSERT_PTR_NOT_NULL_FATAL(route);
    if (rows[i].download == NULL) {
      CU_ASSERT_PTR_NULL(route->download_path);
    } else {
      CU_ASSERT_STRING_EQUAL(route->download_path, rows[i].download);
    }
    CU_ASSERT_STRING_EQUAL(route->signed_path, rows[i].link);
  }
  route_table_fini(&table);
}

static void test_a_link_of_a_nested_mount_stays_in_its_mount(void) {
  struct settings_route routes[] = {{.mount = "/a/b"}, {.mount = "/a"}};
  struct route_table table = table_of(routes, 2);
  const struct route *route = NULL;
  route_find(&table, "POST", "/a", &route);
  CU_ASSERT_PTR_NOT_NULL_FATAL(route);
  CU_ASSERT_STRING_EQUAL(route->download_path, "/a/download");
  CU_ASSERT_STRING_EQUAL(route->signed_path, "/a/signed");
  route_find(&table, "POST", "/a/b", &route);
  CU_ASSERT_STRING_EQUAL(route->download_path, "/a/b/download");
  route_find(&table, "POST", "/a/presign", &route);
  CU_ASSERT_STRING_EQUAL(route->signed_path, "/a/signed");
  route_table_fini(&table);
}

static void test_a_route_carries_its_hooks_and_backend(void) {
  static size_t hooks[] = {3, 5};
  struct settings_route routes[] = {
      {.mount = "/x", .backend = 7, .hooks = hooks, .hook_count = 2}};
  struct route_table table = table_of(routes, 1);
  const struct route *route = NULL;
  route_find(&table, "GET", "/x/download", &route);
  CU_ASSERT_PTR_NOT_NULL_FATAL(route);
  CU_ASSERT(route->backend == 7 && route->hook_count == 2);
  CU_ASSERT_PTR_EQUAL(route->hooks, hooks);
  route_find(&table, "GET", "/healthz", &route);
  CU_ASSERT_EQUAL(route->hook_count, 0);
  route_table_fini(&table);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_mount_has_the_documented_endpoints),
      UNIT(test_the_root_can_be_a_mount),
      UNIT(test_single_routes_are_what_they_say),
      UNIT(test_allow_names_the_methods_of_a_path),
      UNIT(test_a_route_knows_where_its_objects_are_found),
      UNIT(test_a_link_of_a_nested_mount_stays_in_its_mount),
      UNIT(test_a_route_carries_its_hooks_and_backend),
      {NULL, NULL}};
  return unit_main("route", tests);
}
