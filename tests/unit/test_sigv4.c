/* SPDX-License-Identifier: MIT
 *
 * Requests on their way to a signature: what is encoded, ordered and folded,
 * and every limit.  The signatures themselves: test_sigv4vectors.
 */
#include "sigv4.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S3_TIME 1369353600 /* 20130524T000000Z */

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static const struct sigv4_key s3_key = {
    .access_key = "AKIAIOSFODNN7EXAMPLE",
    .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    .region = "us-east-1",
    .service = "s3"};

static void test_sigv4_date_is_the_basic_form(void) {
  static const struct {
    int64_t time_s;
    const char *want;
  } rows[] = {
      {0, "19700101T000000Z"},
      {S3_TIME, "20130524T000000Z"},
      {1440938160, "20150830T123600Z"},
      {4102444799, "20991231T235959Z"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char date[17];
    sigv4_date(date, rows[i].time_s);
    CU_ASSERT_STRING_EQUAL(date, rows[i].want);
  }
}

static void test_sigv4_target_encodes_and_orders(void) {
  static const struct {
    const char *path;
    struct sigv4_pair query[3];
    const char *want;
  } rows[] = {
      {"/b/a b+c", {{NULL, NULL}}, "/b/a%20b%2Bc"},
      {"/b/%41%2F", {{NULL, NULL}}, "/b/%2541%252F"},
      {"/b/!'()*~", {{NULL, NULL}}, "/b/%21%27%28%29%2A~"},
      {"/b//./../x/", {{NULL, NULL}}, "/b//./../x/"},
      {"/b/\xC3\xA9", {{NULL, NULL}}, "/b/%C3%A9"},
      {"/", {{"lifecycle", ""}}, "/?lifecycle="},
      {"/", {{"b", "1"}, {"a", "2"}, {"a", "1"}}, "/?a=1&a=2&b=1"},
      {"/", {{"a-", "1"}, {"a", "2"}}, "/?a=2&a-=1"},
      {"/", {{"a", "~"}, {"a", " "}, {"A", "/"}}, "/?A=%2F&a=%20&a=~"},
      {"/", {{"prefix", "a+b=c&d"}}, "/?prefix=a%2Bb%3Dc%26d"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct sigv4_request request = {.path = rows[i].path,
                                    .query = rows[i].query};
    struct buf out;
    while (request.query_count < 3 && rows[i].query[request.query_count].name)
      request.query_count++;
    buf_init(&out, 200);
    CU_ASSERT(sigv4_target(&out, &request));
    ROW(rows[i].want, strcmp(out.data, rows[i].want) == 0);
    buf_fini(&out);
  }
}

static struct sigv4_request bare(void) {
  static const struct sigv4_pair host = {"host", "h"};
  return (struct sigv4_request){.method = "GET",
                                .path = "/",
                                .headers = &host,
                                .header_count = 1,
                                .payload = SIGV4_UNSIGNED,
                                .time_s = S3_TIME};
}

static bool signs(const struct sigv4_request *request,
                  const struct sigv4_key *key) {
  struct buf out;
  bool authorized, presigned;
  buf_init(&out, 1 << 20);
  authorized = sigv4_authorization(&out, request, key);
  CU_ASSERT(authorized || !out.len);
  buf_clear(&out);
  presigned = sigv4_presign(&out, request, key, 60);
  CU_ASSERT(presigned || !out.len);
  CU_ASSERT(authorized == presigned);
  buf_fini(&out);
  return authorized;
}

static void test_sigv4_pairs_past_their_limits_are_refused(void) {
  struct sigv4_pair pairs[SIGV4_HEADERS_MAX + 1];
  struct sigv4_key key = s3_key;
  struct sigv4_request request = bare();
  key.session_token = "token";
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
    pairs[i] = (struct sigv4_pair){"name", "value"};
  request.query = pairs;
  request.query_count = SIGV4_QUERY_MAX;
  CU_ASSERT(signs(&request, &key));
  request.query_count++;
  CU_ASSERT(!signs(&request, &key));
  request.query_count = 0;
  request.headers = pairs;
  request.header_count = SIGV4_HEADERS_MAX;
  CU_ASSERT(signs(&request, &key));
  request.header_count++;
  CU_ASSERT(!signs(&request, &key));
}

static void test_sigv4_secret_past_its_limit_is_refused(void) {
  char secret[SIGV4_SECRET_MAX + 2];
  struct sigv4_key key = s3_key;
  struct sigv4_request request = bare();
  memset(secret, 's', sizeof secret);
  secret[SIGV4_SECRET_MAX] = '\0';
  key.secret_key = secret;
  CU_ASSERT(signs(&request, &key));
  secret[SIGV4_SECRET_MAX] = 's';
  secret[SIGV4_SECRET_MAX + 1] = '\0';
  CU_ASSERT(!signs(&request, &key));
}

static void test_sigv4_request_past_64_kib_is_refused(void) {
  struct sigv4_request request = bare();
  char *path = malloc(70000);
  CU_ASSERT_FATAL(path != NULL);
  memset(path, '/', 70000);
  path[60000] = '\0';
  request.path = path;
  CU_ASSERT(signs(&request, &s3_key));
  path[60000] = '/';
  path[65537] = '\0';
  CU_ASSERT(!signs(&request, &s3_key));
  free(path);
}

static void test_sigv4_output_without_room_is_refused(void) {
  struct sigv4_request request = bare();
  struct buf out;
  buf_init(&out, 1 << 12);
  CU_ASSERT(sigv4_authorization(&out, &request, &s3_key));
  size_t needed = out.len;
  buf_fini(&out);
  buf_init(&out, needed);
  CU_ASSERT(sigv4_authorization(&out, &request, &s3_key));
  buf_fini(&out);
  buf_init(&out, needed - 1);
  CU_ASSERT(!sigv4_authorization(&out, &request, &s3_key));
  buf_fini(&out);
}

/* The cached part of one signature never shows in the next one. */
static void test_sigv4_cached_key_is_this_secrets_and_scopes(void) {
  static const struct {
    int64_t time_s;
    const char *secret, *region, *service;
    bool cached;
  } rows[] = {
      {S3_TIME, "secret", "us-east-1", "s3", false},
      {S3_TIME + 86399, "secret", "us-east-1", "s3", true},
      {S3_TIME + 86400, "secret", "us-east-1", "s3", false},
      {S3_TIME + 86400, "Secret", "us-east-1", "s3", false},
      {S3_TIME + 86400, "Secret", "us-east-2", "s3", false},
      {S3_TIME + 86400, "Secret", "us-east-2", "sts", false},
      {S3_TIME + 86400, "Secret", "us-east-2", "sts", true},
  };
  struct sigv4_cache cache = {0}, before = {0};
  struct sigv4_request request = bare();
  char secret[8]; /* one place for all, as renewed ones may have */
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct sigv4_key key = {.access_key = "id",
                            .secret_key = secret,
                            .region = rows[i].region,
                            .service = rows[i].service};
    struct buf want, got;
    snprintf(secret, sizeof secret, "%s", rows[i].secret);
    request.time_s = rows[i].time_s;
    buf_init(&want, 1 << 12);
    buf_init(&got, 1 << 12);
    CU_ASSERT(sigv4_authorization(&want, &request, &key));
    key.cache = &cache;
    CU_ASSERT(sigv4_authorization(&got, &request, &key));
    ROW(want.data, strcmp(got.data, want.data) == 0);
    bool same = memcmp(&before, &cache, sizeof cache) == 0;
    ROW(want.data, same == rows[i].cached);
    before = cache;
    buf_fini(&want);
    buf_fini(&got);
  }
  sigv4_cache_fini(&cache);
}

static void test_sigv4_scope_past_its_limit_is_refused(void) {
  static const char rest[] = "20130524//s3/aws4_request";
  char region[SIGV4_SCOPE_MAX + 1];
  struct sigv4_key key = s3_key;
  struct sigv4_request request = bare();
  size_t most = SIGV4_SCOPE_MAX - strlen(rest);
  memset(region, 'r', sizeof region);
  key.region = region;
  region[most] = '\0';
  CU_ASSERT(signs(&request, &key));
  region[most] = 'r';
  region[most + 1] = '\0';
  CU_ASSERT(!signs(&request, &key));
}

static bool same_signature(const char *a, const char *b) {
  struct sigv4_pair headers[2] = {{"host", "h"}, {"X-Amz-Meta-a", a}};
  struct sigv4_request request = bare();
  struct buf one, other;
  bool same;
  request.headers = headers;
  request.header_count = 2;
  buf_init(&one, 1 << 12);
  buf_init(&other, 1 << 12);
  CU_ASSERT(sigv4_authorization(&one, &request, &s3_key));
  headers[1] = (struct sigv4_pair){"x-amz-meta-A", b};
  CU_ASSERT(sigv4_authorization(&other, &request, &s3_key));
  same = strcmp(one.data, other.data) == 0;
  buf_fini(&one);
  buf_fini(&other);
  return same;
}

static void test_sigv4_header_values_are_folded(void) {
  CU_ASSERT(same_signature("a b", "  a \t  b "));
  CU_ASSERT(same_signature("a b", "a\r\nb"));
  CU_ASSERT(same_signature("", "   "));
  CU_ASSERT(!same_signature("a b", "ab"));
  CU_ASSERT(!same_signature("a b", "A b"));
}

static const struct unit_test tests[] = {
    UNIT(test_sigv4_date_is_the_basic_form),
    UNIT(test_sigv4_target_encodes_and_orders),
    UNIT(test_sigv4_pairs_past_their_limits_are_refused),
    UNIT(test_sigv4_secret_past_its_limit_is_refused),
    UNIT(test_sigv4_request_past_64_kib_is_refused),
    UNIT(test_sigv4_output_without_room_is_refused),
    UNIT(test_sigv4_cached_key_is_this_secrets_and_scopes),
    UNIT(test_sigv4_scope_past_its_limit_is_refused),
    UNIT(test_sigv4_header_values_are_folded),
    {NULL, NULL},
};

int main(void) {
  return unit_main("sigv4", tests);
}
