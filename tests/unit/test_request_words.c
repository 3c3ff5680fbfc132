/* SPDX-License-Identifier: MIT
 *
 * This is what hooks may know and say of a request: its id, who it is,
 * headers of its answer.
 */
#include "fields.h"
#include "requestkit.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

/* ---- identity ----------------------------------------------------------- */

static void test_an_identity_is_clean_utf_8_of_256_bytes(void) {
  static char longest[REQUEST_IDENTITY_MAX + 1];
  static char longer[REQUEST_IDENTITY_MAX + 2];
  memset(longest, 'x', REQUEST_IDENTITY_MAX);
  memset(longer, 'x', REQUEST_IDENTITY_MAX + 1);
  const struct {
    const char *in;
    bool fine;
  } rows[] = {{"ann", true},
              {"Zo\xc3\xab @ work", true},
              {longest, true},
              {longer, false},
              {"", false},
              {"a\nb", false},
              {"a\tb", false},
              {"a\x7f", false},
              {"a\xff", false},
              {"a\xc3", false},
              {"a\xc0\x80", false},
              {"a\xed\xa0\x80", false},
              {"a\xc2\x85"
               "b",
               false},
              {"a\xc2\x9b", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct scene scene;
    scene_init(&scene, "");
    CU_ASSERT_PTR_NULL(sluice_request_identity(&scene.request));
    ROW(rows[i].in,
        sluice_request_identify(&scene.request, rows[i].in) == rows[i].fine);
    const char *got = sluice_request_identity(&scene.request);
    ROW(rows[i].in, rows[i].fine ? got && strcmp(got, rows[i].in) == 0 : !got);
    scene_fini(&scene);
  }
}

static void test_a_refused_identity_leaves_the_one_before(void) {
  struct scene scene;
  scene_init(&scene, "");
  CU_ASSERT_TRUE(sluice_request_identify(&scene.request, "ann"));
  CU_ASSERT_FALSE(sluice_request_identify(&scene.request, "b\n"));
  CU_ASSERT_STRING_EQUAL(sluice_request_identity(&scene.request), "ann");
  scene_fini(&scene);
}

/* ---- headers of the answer ---------------------------------------------- */

struct offer {
  const char *name, *value;
  bool fine;
};

static const struct offer offers[] = {
    {"X-Rate", "5", true},
    {"x", "", true},
    {"X-Name", "Zo\xc3\xab", true},
    {"X-A", "a\r\nSet-Cookie: b", false},
    {"X-A", "a\nb", false},
    {"X-A", "a\r\n b", false},
    {"X-A", "a\x01", false},
    {"X-A\r\nB", "c", false},
    {"", "a", false},
    {"A B", "c", false},
    {"A:", "c", false},
    {"A: b\r\nC", "d", false},
    {"\xc3\xab", "c", false},
    {"A\t", "c", false},
    {"Content-Length", "5", false},
    {"transfer-encoding", "chunked", false},
    {"Content-Range", "bytes 0-0/1", false}, /* also where there is none */
    {"content-encoding", "gzip", false},
    {"X-Content-Type-Options", "nosniff", false},
    {"ETag", "\"a\"", true},
    {"Vary", "Accept", true},
    {"Retry-After", "7", true},
};

static void offer_all(void *handle, struct sluice_request *request) {
  (void)handle;
  for (size_t i = 0; i < sizeof offers / sizeof *offers; i++)
    ROW(offers[i].name,
        sluice_request_answer(request, offers[i].name, offers[i].value) ==
            offers[i].fine);
}

static void offer_many(void *handle, struct sluice_request *request) {
  (void)handle;
  for (int i = 0; i < REQUEST_HEADERS_MAX; i++)
    CU_ASSERT_TRUE(sluice_request_answer(request, "A", "b"));
  CU_ASSERT_FALSE(sluice_request_answer(request, "A", "b"));
}

static size_t respond(struct scene *scene,
                      void (*hook)(void *, struct sluice_request *)) {
  struct buf headers;
  size_t count = 0;
  fields_init(&headers);
  scene->plugins[0].on_response = hook;
  request_response(&scene->request, &headers);
  for (const char *at = headers.data; (at = strchr(at, '\n')) != NULL; at++)
    count++;
  buf_fini(&headers);
  return count;
}

static void test_only_sane_headers_are_added_to_an_answer(void) {
  struct scene scene;
  size_t fine = 0;
  for (size_t i = 0; i < sizeof offers / sizeof *offers; i++)
    fine += offers[i].fine;
  scene_init(&scene, "p");
  CU_ASSERT_EQUAL(respond(&scene, offer_all), fine);
  scene_fini(&scene);
}

static const char *const own[] = {"Vary", "Cache-Control", "Retry-After"};

/* Headers that the gateway has put there by now. */
static void offer_again(void *handle, struct sluice_request *request) {
  (void)handle;
  CU_ASSERT_FALSE(sluice_request_answer(request, "etag", "\"b\""));
  CU_ASSERT_FALSE(sluice_request_answer(request, "Cache-Control", "public"));
  CU_ASSERT_FALSE(sluice_request_answer(request, "X-Of-Operator", "b"));
  CU_ASSERT_TRUE(sluice_request_answer(request, "vary", "b"));
  CU_ASSERT_TRUE(sluice_request_answer(request, "retry-after", "b"));
  CU_ASSERT_TRUE(sluice_request_answer(request, "Retry-After", "c"));
  CU_ASSERT_TRUE(sluice_request_answer(request, "X-Mine", "b"));
  CU_ASSERT_TRUE(sluice_request_answer(request, "X-Mine", "c"));
  CU_ASSERT_FALSE(sluice_request_answer(request, "X-Of-Operator", "c"));
}

static void test_the_gateways_own_headers_are_not_doubled(void) {
  static const char want[] =
      "ETag: a\r\nX-Of-Operator: a\r\nVary: a\r\nCache-Control: a\r\n"
      "vary: b\r\nRetry-After: c\r\nX-Mine: b\r\nX-Mine: c\r\n";
  struct buf headers;
  struct scene scene;
  fields_init(&headers);
  fields_add(&headers, "ETag", "a");
  buf_adds(&headers, "X-Of-Operator: a\r\n");
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    fields_add(&headers, own[i], "a");
  scene_init(&scene, "p");
  scene.plugins[0].on_response = offer_again;
  request_response(&scene.request, &headers);
  CU_ASSERT_STRING_EQUAL(headers.data, want);
  buf_fini(&headers);
  scene_fini(&scene);
}

static void test_an_answer_takes_32_headers_of_hooks(void) {
  struct scene scene;
  scene_init(&scene, "p");
  CU_ASSERT_EQUAL(respond(&scene, offer_many), REQUEST_HEADERS_MAX);
  scene_fini(&scene);
}

static void test_headers_are_added_while_an_answer_is_made_only(void) {
  struct scene scene;
  scene_init(&scene, "p");
  CU_ASSERT_FALSE(sluice_request_answer(&scene.request, "A", "b"));
  respond(&scene, offer_many);
  CU_ASSERT_FALSE(sluice_request_answer(&scene.request, "A", "b"));
  scene_fini(&scene);
}

/* ---- what a request is -------------------------------------------------- */

static void test_a_clients_sane_id_is_kept(void) {
  static char longest[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-"
                          "0123456789abcdefghijklmnopqrstuvwxyz"
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ.";
  static char longer[REQUEST_ID_MAX + 2];
  CU_ASSERT_EQUAL_FATAL(strlen(longest), REQUEST_ID_MAX);
  memset(longer, 'a', REQUEST_ID_MAX + 1);
  const struct {
    const char *in;
    bool kept;
  } rows[] = {{"a", true},     {"..", true},    {longest, true},
              {longer, false}, {"", false},     {"a b", false},
              {"a/b", false},  {"a\"b", false}, {"\xc3\xab", false},
              {"a%0a", false}, {"<b>", false},  {"a:b", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct scene scene;
    char text[400];
    snprintf(text, sizeof text,
             "GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: %s\r\n\r\n",
             rows[i].in);
    scene_init_head(&scene, "", text);
    const char *id = sluice_request_id(&scene.request);
    ROW(rows[i].in, (strcmp(id, rows[i].in) == 0) == rows[i].kept);
    ROW(rows[i].in, rows[i].kept || (strlen(id) == 32 &&
                                     strspn(id, "0123456789abcdef") == 32));
    scene_fini(&scene);
  }
}

static void test_made_ids_differ(void) {
  struct scene one, two;
  scene_init(&one, "");
  scene_init(&two, "");
  CU_ASSERT_STRING_NOT_EQUAL(one.request.id, two.request.id);
  scene_fini(&one);
  scene_fini(&two);
}

static void test_hooks_see_the_head(void) {
  struct scene scene;
  scene_init(&scene, "");
  struct sluice_request *request = &scene.request;
  CU_ASSERT_STRING_EQUAL(sluice_request_method(request), "GET");
  CU_ASSERT_STRING_EQUAL(sluice_request_path(request), "/files");
  CU_ASSERT_STRING_EQUAL(sluice_request_query(request), "a=b");
  CU_ASSERT_STRING_EQUAL(sluice_request_header(request, "a"), "b");
  CU_ASSERT_PTR_NULL(sluice_request_header(request, "c"));
  CU_ASSERT_STRING_EQUAL(sluice_request_peer(request), "127.0.0.1");
  CU_ASSERT_PTR_NULL(sluice_request_key(request));
  scene_fini(&scene);
}

static void see_record(void *handle, struct sluice_request *request,
                       const struct sluice_record *record) {
  (void)request;
  CU_ASSERT_EQUAL(record->status, 201);
  *(char *)handle = 'L';
}

static void test_every_hook_of_the_chain_logs(void) {
  struct scene scene;
  scene_init(&scene, "pdA");
  for (int i = 0; i < 3; i++)
    scene.plugins[i].on_log = see_record;
  scene.plugins[1].on_log = NULL;
  request_log(&scene.request, &(struct sluice_record){.status = 201});
  CU_ASSERT_EQUAL(memcmp(scene.letters, "LdL", 3), 0);
  scene_fini(&scene);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_an_identity_is_clean_utf_8_of_256_bytes),
      UNIT(test_a_refused_identity_leaves_the_one_before),
      UNIT(test_only_sane_headers_are_added_to_an_answer),
      UNIT(test_the_gateways_own_headers_are_not_doubled),
      UNIT(test_an_answer_takes_32_headers_of_hooks),
      UNIT(test_headers_are_added_while_an_answer_is_made_only),
      UNIT(test_a_clients_sane_id_is_kept),
      UNIT(test_made_ids_differ),
      UNIT(test_hooks_see_the_head),
      UNIT(test_every_hook_of_the_chain_logs),
      {NULL, NULL}};
  return unit_main("request_words", tests);
}
