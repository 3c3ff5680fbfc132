/* SPDX-License-Identifier: MIT
 *
 * Signatures against those of others: the examples of the S3 documentation
 * and a vendor's signing suite, both read where they lie (SLUICE_VECTORS).  A
 * canonical request there is taken apart into what a caller gives.
 */
#include "codec.h"
#include "sigv4.h"
#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 65536
#define PAIRS_MAX 60
#define SUITE_TIME 1440938160 /* 20150830T123600Z */
#define S3_TIME 1369353600    /* 20130524T000000Z */

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static char folder[4096];

/* One for both, so that some signatures find theirs and others don't. */
static struct sigv4_cache cache;

static const struct sigv4_key suite_key = {
    .access_key = "AKIDEXAMPLE",
    .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    .region = "us-east-1",
    .service = "service",
    .cache = &cache};
static const struct sigv4_key s3_key = {
    .access_key = "AKIAIOSFODNN7EXAMPLE",
    .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    .region = "us-east-1",
    .service = "s3",
    .cache = &cache};

/* ---- a request out of text ---------------------------------------------- */

struct made {
  struct sigv4_request request;
  struct sigv4_pair query[PAIRS_MAX], headers[PAIRS_MAX];
  char *owned[4 * PAIRS_MAX];
  size_t owned_count;
  char hash[2 * DIGEST_SHA256_LEN + 1];
};

static void made_init(struct made *made) {
  memset(made, 0, sizeof *made);
  made->request.query = made->query;
  made->request.headers = made->headers;
  made->request.payload = SIGV4_EMPTY;
  made->request.time_s = SUITE_TIME;
}

static void made_fini(struct made *made) {
  for (size_t i = 0; i < made->owned_count; i++)
    free(made->owned[i]);
}

static const char *own(struct made *made, const char *text, size_t len,
                       bool encoded) {
  struct buf out;
  buf_init(&out, FILE_MAX);
  CU_ASSERT_FATAL(encoded ? codec_unpercent(&out, text, len, false)
                          : buf_add(&out, text, len));
  return made->owned[made->owned_count++] = buf_take(&out);
}

static void add_header(struct made *made, const char *name,
                       const char *value) {
  made->headers[made->request.header_count++] =
      (struct sigv4_pair){name, value};
}

static void add_query(struct made *made, const char *text, size_t len) {
  while (len) {
    const char *stop = memchr(text, '&', len);
    size_t size = stop ? (size_t)(stop - text) : len;
    const char *sign = memchr(text, '=', size);
    CU_ASSERT_FATAL(sign != NULL);
    made->query[made->request.query_count++] = (struct sigv4_pair){
        own(made, text, (size_t)(sign - text), true),
        own(made, sign + 1, (size_t)(text + size - sign - 1), true)};
    text += size + (stop != NULL);
    len -= size + (stop != NULL);
  }
}

/* A line, without its end; *at is moved past it. */
static char *next_line(char **at) {
  char *line = *at, *stop = strchr(line, '\n');
  if (stop)
    *stop = '\0';
  *at = stop ? stop + 1 : line + strlen(line);
  return line;
}

static void add_header_line(struct made *made, char *line) {
  char *colon = strchr(line, ':');
  CU_ASSERT_FATAL(colon != NULL);
  add_header(made, own(made, line, (size_t)(colon - line), false),
             own(made, colon + 1, strlen(colon + 1), false));
}

static char *read_file(const char *name, const char *file) {
  char path[sizeof folder + 512];
  snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);
  FILE *in = fopen(path, "rb");
  char *text = calloc(1, FILE_MAX);
  CU_ASSERT_FATAL(in && text);
  CU_ASSERT(fread(text, 1, FILE_MAX - 1, in) > 0);
  fclose(in);
  return text;
}

/* Does `text` end with `end`? */
static bool ends(const char *text, const char *end) {
  size_t len = strlen(text), end_len = strlen(end);
  return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* ---- the documented examples -------------------------------------------- */

/* The text from a mark to the next line that begins with `stop`. */
static char *cut(const char *text, const char *mark, const char *stop) {
  const char *from = strstr(text, mark), *to;
  CU_ASSERT_FATAL(from != NULL);
  from = strchr(from, '\n') + 1;
  to = strstr(from, stop);
  CU_ASSERT_FATAL(to != NULL);
  return strndup(from, (size_t)(to - from));
}

static void from_canonical(struct made *made, char *at) {
  const char *method = next_line(&at), *path = next_line(&at);
  const char *query = next_line(&at);
  made_init(made);
  made->request.method = method;
  made->request.path = own(made, path, strlen(path), true);
  made->request.time_s = S3_TIME;
  add_query(made, query, strlen(query));
  for (char *line; *(line = next_line(&at));)
    add_header_line(made, line);
  next_line(&at); /* the names of the headers */
  made->request.payload = next_line(&at);
}

/* The signing example whose title begins with `mark`. */
static void run_example(const char *mark) {
  char *all = read_file("..", "s3-signing-examples.txt");
  char *canonical = cut(all, mark, "---sts");
  const char *want = strstr(strstr(all, mark), "---sig ") + 7;
  struct made made;
  struct buf out;
  from_canonical(&made, canonical);
  buf_init(&out, FILE_MAX);
  CU_ASSERT(sigv4_authorization(&out, &made.request, &s3_key));
  ROW(mark, strlen(want) > 64 && out.len > 64 &&
                strncmp(out.data + out.len - 64, want, 64) == 0);
  buf_fini(&out);
  made_fini(&made);
  free(canonical);
  free(all);
}

static void test_sigv4_signs_the_documented_requests(void) {
  run_example("===== 1 ");
  run_example("===== 2 ");
  run_example("===== 3 ");
  run_example("===== 4 ");
}

static void test_sigv4_signs_the_seed_of_chunks(void) {
  run_example("===== 6 ");
  run_example("===== 7 ");
}

static void test_sigv4_presigns_the_documented_link(void) {
  const struct sigv4_pair host = {"Host", "examplebucket.s3.amazonaws.com"};
  const struct sigv4_request request = {.method = "GET",
                                        .path = "/test.txt",
                                        .headers = &host,
                                        .header_count = 1,
                                        .payload = SIGV4_UNSIGNED,
                                        .time_s = S3_TIME};
  char *all = read_file("..", "s3-signing-examples.txt");
  char *canonical = cut(all, "===== 5 ", "---sts");
  char *at = canonical;
  const char *signature = strstr(strstr(all, "===== 5 "), "---sig ") + 7;
  char want[1024];
  struct buf out;
  next_line(&at);
  next_line(&at);
  snprintf(want, sizeof want, "%s&X-Amz-Signature=%.64s", next_line(&at),
           signature);
  buf_init(&out, FILE_MAX);
  CU_ASSERT(sigv4_presign(&out, &request, &s3_key, 86400));
  CU_ASSERT_STRING_EQUAL(out.data, want);
  buf_fini(&out);
  free(canonical);
  free(all);
}

/* ---- the suite ---------------------------------------------------------- */

/* Lines that begin with space belong to the value before them. */
static char *next_header(char **at) {
  for (char *stop = *at; (stop = strchr(stop, '\n')); stop++)
    if (stop[1] != ' ') {
      *stop = '\0';
      char *line = *at;
      *at = stop + 1;
      return line;
    }
  return next_line(at);
}

static void from_request(struct made *made, char *at) {
  char *line = next_line(&at), *path = strchr(line, ' ') + 1;
  char *query = strchr(path, '?'), *end = strstr(path, " HTTP/1.1");
  unsigned char digest[DIGEST_SHA256_LEN];
  CU_ASSERT_FATAL(end != NULL);
  *end = '\0';
  made_init(made);
  made->request.method = own(made, line, (size_t)(path - line - 1), false);
  made->request.path =
      own(made, path, query ? (size_t)(query - path) : strlen(path), false);
  if (query)
    add_query(made, query + 1, strlen(query + 1));
  while (*at && *(line = next_header(&at)))
    add_header_line(made, line);
  digest_sha256(digest, at, strlen(at));
  codec_hex(made->hash, digest, sizeof digest);
  made->request.payload = made->hash;
}

/* The context's wishes besides the request. */
static void from_context(struct made *made, struct sigv4_key *key,
                         const char *context, bool *signs_body) {
  const char *token = strstr(context, "\"token\": \"");
  *key = suite_key;
  *signs_body = strstr(context, "\"sign_body\": true");
  if (!token || strstr(context, "\"omit_session_token\": true"))
    return;
  token += strlen("\"token\": \"");
  key->session_token = own(made, token, strcspn(token, "\""), false);
}

/* The signatures of a case: ours by header and by query. */
static void sign_case(const char *name, struct buf *header,
                      struct buf *query) {
  char *text = read_file(name, "request.txt");
  char *context = read_file(name, "context.json");
  struct sigv4_key key;
  struct made made;
  bool signs_body;
  from_request(&made, text);
  from_context(&made, &key, context, &signs_body);
  ROW(name, sigv4_presign(query, &made.request, &key, 3600));
  add_header(&made, "X-Amz-Date", "20150830T123600Z");
  if (signs_body)
    add_header(&made, "X-Amz-Content-Sha256", made.hash);
  if (key.session_token)
    add_header(&made, "X-Amz-Security-Token", key.session_token);
  ROW(name, sigv4_authorization(header, &made.request, &key));
  made_fini(&made);
  free(text);
  free(context);
}

/* Each case with "-normalized" must not be satisfied, but where its path is
 * the same as without. */
static void check_case(const char *name) {
  bool ours =
      !ends(name, "-normalized") || strcmp(name, "get-space-normalized") == 0;
  char *by_header = read_file(name, "header-signature.txt");
  char *by_query = read_file(name, "query-signature.txt");
  struct buf header, query;
  buf_init(&header, FILE_MAX);
  buf_init(&query, FILE_MAX);
  sign_case(name, &header, &query);
  ROW(name, strlen(by_header) == 64 && ends(header.data, by_header) == ours);
  ROW(name, strlen(by_query) == 64 && ends(query.data, by_query) == ours);
  buf_fini(&header);
  buf_fini(&query);
  free(by_header);
  free(by_query);
}

static void test_sigv4_satisfies_the_suite_but_for_normalized_paths(void) {
  DIR *dir = opendir(folder);
  unsigned count = 0;
  CU_ASSERT_FATAL(dir != NULL);
  for (struct dirent *entry; (entry = readdir(dir));)
    if (entry->d_name[0] != '.') {
      check_case(entry->d_name);
      count++;
    }
  closedir(dir);
  CU_ASSERT(count >= 38);
}

/* The target is the canonical path and query, as they are signed. */
static void check_target(const char *name) {
  char *text = read_file(name, "request.txt"), *at;
  char *canonical = read_file(name, "header-canonical-request.txt");
  char want[4096];
  struct made made;
  struct buf out;
  at = canonical;
  next_line(&at);
  const char *path = next_line(&at), *query = next_line(&at);
  snprintf(want, sizeof want, "%s%s%s", path, *query ? "?" : "", query);
  from_request(&made, text);
  buf_init(&out, FILE_MAX);
  CU_ASSERT(sigv4_target(&out, &made.request));
  ROW(name, strcmp(out.data, want) == 0);
  buf_fini(&out);
  made_fini(&made);
  free(canonical);
  free(text);
}

static void test_sigv4_target_is_what_the_suite_signs(void) {
  static const char *const names[] = {
      "get-utf8",
      "get-unreserved",
      "get-slashes-unnormalized",
      "get-relative-relative-unnormalized",
      "get-space-unnormalized",
      "get-vanilla-query-order-encoded",
      "get-vanilla-query-unreserved",
      "get-vanilla-utf8-query",
  };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    check_target(names[i]);
}

static bool find_vectors(void) {
  const char *vectors = getenv("SLUICE_VECTORS"), *root = getenv("srcdir");
  DIR *dir;
  if (vectors && *vectors)
    snprintf(folder, sizeof folder, "%s/sigv4", vectors);
  else
    snprintf(folder, sizeof folder, "%s/../shared/vectors/sigv4",
             root ? root : ".");
  dir = opendir(folder);
  if (dir)
    closedir(dir);
  return dir != NULL;
}

static const struct unit_test tests[] = {
    UNIT(test_sigv4_signs_the_documented_requests),
    UNIT(test_sigv4_presigns_the_documented_link),
    UNIT(test_sigv4_signs_the_seed_of_chunks),
    UNIT(test_sigv4_satisfies_the_suite_but_for_normalized_paths),
    UNIT(test_sigv4_target_is_what_the_suite_signs),
    {NULL, NULL},
};

int main(void) {
  if (find_vectors()) {
    int status = unit_main("sigv4vectors", tests);
    sigv4_cache_fini(&cache);
    return status;
  }
  printf("skipped: no signing vectors in %s, see docs/testing.md\n", folder);
  return UNIT_SKIP;
}
