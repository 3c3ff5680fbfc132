/* SPDX-License-Identifier: MIT
 *
 * Claims of a token whose signature was good: is it for us and now, who is
 * it, and what may they do?
 */
#include "claims.h"

#include <stdlib.h>
#include <string.h>

#include "jwtcache.h"
#include "unit.h"

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

#define NOW 1000000

static const char *const nobody[] = {NULL};
static const char *const audience[] = {"files", "other", NULL};
static const char *const prefixes[] = {"users/{user}/", NULL};

static struct claims_policy policy_of(void) {
  return (struct claims_policy){.issuer = "https://issuer",
                                .audience = audience,
                                .types = nobody,
                                .leeway_s = 30,
                                .identity_claim = "sub",
                                .operations_claim = "scope",
                                .operations_prefix = "files:",
                                .operations = OPERATION_BIT(OPERATION_LIST),
                                .prefixes_claim = "pre",
                                .prefixes = prefixes};
}

/* NULL, or why it is refused. */
static const char *ask(const struct claims_policy *policy, const char *type,
                       const char *payload, struct bearer **bearer) {
  struct jws jws = {.has_type = type != NULL};
  if (type != NULL)
    memcpy(jws.type, type, strlen(type) + 1);
  buf_init(&jws.payload, 65536);
  buf_adds(&jws.payload, payload);
  const char *fault = claims_read(policy, &jws, NOW, bearer);
  CU_ASSERT((fault == NULL) == (*bearer != NULL));
  buf_fini(&jws.payload);
  return fault;
}

static bool takes(const struct claims_policy *policy, const char *type,
                  const char *payload) {
  struct bearer *bearer;
  const char *fault = ask(policy, type, payload, &bearer);
  bearer_drop(bearer);
  return fault == NULL;
}

#define ISS "\"iss\":\"https://issuer\""
#define AUD "\"aud\":\"files\""
#define EXP "\"exp\":1000060"
#define SUB "\"sub\":\"ann\""
#define GOOD ISS "," AUD "," EXP "," SUB
#define MORE(text) "{" GOOD "," text "}"

static void test_claims_are_taken_or_refused(void) {
  static const struct {
    const char *payload;
    bool good;
  } rows[] = {
      {"{" GOOD "}", true},
      {"{" AUD "," EXP "," SUB "}", false},
      {"{\"iss\":\"https://issuer/\"," AUD "," EXP "," SUB "}", false},
      {"{\"iss\":\"HTTPS://issuer\"," AUD "," EXP "," SUB "}", false},
      {"{\"iss\":[\"https://issuer\"]," AUD "," EXP "," SUB "}", false},
      {"{" ISS "," EXP "," SUB "}", false},
      {"{" ISS ",\"aud\":\"file\"," EXP "," SUB "}", false},
      {"{" ISS ",\"aud\":\"files \"," EXP "," SUB "}", false},
      {"{" ISS ",\"aud\":[\"x\",\"other\"]," EXP "," SUB "}", true},
      {"{" ISS ",\"aud\":[\"x\"]," EXP "," SUB "}", false},
      {"{" ISS ",\"aud\":[]," EXP "," SUB "}", false},
      {"{" ISS ",\"aud\":[\"files\",7]," EXP "," SUB "}", false},
      {"{" ISS ",\"aud\":{\"files\":1}," EXP "," SUB "}", false},
      {"{" ISS ",\"aud\":null," EXP "," SUB "}", false},
      {"{" ISS "," AUD "," SUB "}", false},
      /* At the leeway, and one second past it. */
      {"{" ISS "," AUD ",\"exp\":999971," SUB "}", true},
      {"{" ISS "," AUD ",\"exp\":999970," SUB "}", false},
      {"{" ISS "," AUD ",\"exp\":1000060.5," SUB "}", true},
      {"{" ISS "," AUD ",\"exp\":253402300799," SUB "}", true},
      {"{" ISS "," AUD ",\"exp\":253402300800," SUB "}", false},
      {"{" ISS "," AUD ",\"exp\":9223372036854775807," SUB "}", false},
      {"{" ISS "," AUD ",\"exp\":9223372036854775808," SUB "}", false},
      {"{" ISS "," AUD ",\"exp\":1e300," SUB "}", false},
      {"{" ISS "," AUD ",\"exp\":-1," SUB "}", false},
      {"{" ISS "," AUD ",\"exp\":\"1000060\"," SUB "}", false},
      {"{" ISS "," AUD ",\"exp\":null," SUB "}", false},
      {"{" ISS "," AUD ",\"exp\":true," SUB "}", false},
      {"{" ISS "," AUD ",\"exp\":[1000060]," SUB "}", false},
      {MORE("\"exp\":1"), false}, /* twice */
      {MORE("\"nbf\":1000030"), true},
      {MORE("\"nbf\":1000031"), false},
      {MORE("\"nbf\":\"1\""), false},
      {MORE("\"nbf\":-5"), false},
      {MORE("\"iat\":1000030"), true},
      {MORE("\"iat\":1000031"), false},
      {MORE("\"iat\":null"), false},
      {"{" ISS "," AUD "," EXP "}", false},
      {"{" ISS "," AUD "," EXP ",\"sub\":\"\"}", false},
      {"{" ISS "," AUD "," EXP ",\"sub\":7}", false},
      {"{" ISS "," AUD "," EXP ",\"sub\":\"a\\nb\"}", false},
      {"{" ISS "," AUD "," EXP ",\"sub\":\"a\\u0085b\"}", false},
      {"{" ISS "," AUD "," EXP ",\"sub\":\"a\\u0000b\"}", false},
      {"{" ISS "," AUD "," EXP ",\"sub\":\"J\xC3\xB6rg\"}", true},
      {MORE("\"scope\":7"), false},
      {MORE("\"scope\":[\"files:list\",7]"), false},
      {MORE("\"pre\":7"), false},
      {MORE("\"pre\":[\"a/\",7]"), false},
      {MORE("\"pre\":\"../\""), false},
      {MORE("\"pre\":\"/\""), false},
      {"[]", false},
      {"\"\"", false},
      {"", false},
      {"eyJhbGciOiJIUzI1NiJ9.e30.AAAA", false}, /* another token */
  };
  struct claims_policy policy = policy_of();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].payload,
        takes(&policy, NULL, rows[i].payload) == rows[i].good);
}

static void test_claims_types(void) {
  static const char *const chosen[] = {"at+jwt", NULL};
  struct claims_policy policy = policy_of();
  CU_ASSERT(takes(&policy, "jwt", "{" GOOD "}"));
  CU_ASSERT(takes(&policy, "at+JWT", "{" GOOD "}"));
  CU_ASSERT(!takes(&policy, "logout+jwt", "{" GOOD "}"));
  CU_ASSERT(!takes(&policy, "", "{" GOOD "}"));
  policy.types = chosen;
  CU_ASSERT(takes(&policy, "at+jwt", "{" GOOD "}"));
  CU_ASSERT(!takes(&policy, "JWT", "{" GOOD "}"));
  CU_ASSERT(!takes(&policy, NULL, "{" GOOD "}"));
}

static void test_claims_issuer_and_audience_may_be_waived(void) {
  struct claims_policy policy = policy_of();
  policy.issuer = "";
  policy.audience = nobody;
  CU_ASSERT(takes(&policy, NULL, "{" EXP "," SUB "}"));
}

static void test_claims_operations(void) {
  static const struct {
    const char *payload;
    unsigned operations;
  } rows[] = {
      {"{" GOOD "}", OPERATION_BIT(OPERATION_LIST)}, /* the fallback */
      {MORE("\"scope\":\"openid files:upload  files:download\""),
       OPERATION_BIT(OPERATION_UPLOAD) | OPERATION_BIT(OPERATION_DOWNLOAD)},
      {MORE("\"scope\":[\"files:delete\",\"mail:list\"]"),
       OPERATION_BIT(OPERATION_DELETE)},
      {MORE("\"scope\":\"files:*\""), GRANTS_ALL},
      {MORE("\"scope\":\"*\""), 0},
      {MORE("\"scope\":\"\""), 0},
      {MORE("\"scope\":[]"), 0},
      {MORE("\"scope\":\"upload files: files:uploads xfiles:list\""), 0},
      {MORE("\"scope\":\"FILES:upload files:UPLOAD files:list\\t\""), 0},
      {MORE("\"scope\":[\"files:list files:delete\"]"), 0},
  };
  struct claims_policy policy = policy_of();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct bearer *bearer;
    ROW(rows[i].payload, ask(&policy, NULL, rows[i].payload, &bearer) == NULL);
    ROW(rows[i].payload,
        bearer != NULL && bearer->grants.operations == rows[i].operations);
    bearer_drop(bearer);
  }
}

static void test_claims_prefixes(void) {
  struct claims_policy policy = policy_of();
  struct bearer *bearer;
  ask(&policy, NULL, "{" GOOD "}", &bearer);
  CU_ASSERT_STRING_EQUAL(bearer->identity, "ann");
  CU_ASSERT(grants_reach(&bearer->grants, "ann", "users/ann/a"));
  CU_ASSERT(!grants_reach(&bearer->grants, "ann", "users/bob/a"));
  bearer_drop(bearer);
  ask(&policy, NULL, MORE("\"pre\":[\"a/\",\"b/\"]"), &bearer);
  CU_ASSERT(grants_reach(&bearer->grants, "ann", "b/c"));
  CU_ASSERT(!grants_reach(&bearer->grants, "ann", "users/ann/a"));
  bearer_drop(bearer);
  ask(&policy, NULL, MORE("\"pre\":\"a/\""), &bearer);
  CU_ASSERT(grants_reach(&bearer->grants, "ann", "a/c"));
  bearer_drop(bearer);
  ask(&policy, NULL, MORE("\"pre\":[]"), &bearer);
  CU_ASSERT(!grants_reach(&bearer->grants, "ann", "a/c"));
  bearer_drop(bearer);
}

/* ---- limits ------------------------------------------------------------- */

/* A good token with a list of so many texts. */
static bool takes_list(const char *start, const char *item, size_t count) {
  struct claims_policy policy = policy_of();
  struct buf text;
  buf_init(&text, 65536);
  buf_adds(&text, start);
  for (size_t i = 0; i < count; i++)
    buf_addf(&text, "%s\"%s\"", i == 0 ? "" : ",", item);
  buf_adds(&text, "]}");
  bool good = takes(&policy, NULL, text.data);
  buf_fini(&text);
  return good;
}

static void test_claims_list_limits(void) {
  static const char aud[] = "{" ISS "," EXP "," SUB ",\"aud\":[";
  static const char pre[] = "{" GOOD ",\"pre\":[";
  CU_ASSERT(takes_list(aud, "files", CLAIMS_AUDIENCES_MAX));
  CU_ASSERT(!takes_list(aud, "files", CLAIMS_AUDIENCES_MAX + 1));
  CU_ASSERT(takes_list(pre, "a/", GRANTS_PREFIXES_MAX));
  CU_ASSERT(!takes_list(pre, "a/", GRANTS_PREFIXES_MAX + 1));
}

static void test_claims_identity_limit(void) {
  struct claims_policy policy = policy_of();
  char text[512];
  for (int more = 0; more < 2; more++) {
    snprintf(text, sizeof text, "{" ISS "," AUD "," EXP ",\"sub\":\"%0*d\"}",
             CLAIMS_IDENTITY_MAX + more, 7);
    CU_ASSERT(takes(&policy, NULL, text) == (more == 0));
  }
}

/* ---- remembered tokens -------------------------------------------------- */

static struct bearer *bearer_of(int64_t until) {
  struct bearer *bearer = calloc(1, sizeof *bearer);
  bearer->references = 1;
  bearer->from_s = NOW;
  bearer->until_s = until;
  return bearer;
}

/* All of them share one place. */
static void remember(struct jwtcache *cache, unsigned char name,
                     int64_t until) {
  unsigned char token[DIGEST_SHA256_LEN] = {[31] = name};
  struct bearer *bearer = bearer_of(until);
  jwtcache_add(cache, token, bearer);
  bearer_drop(bearer);
}

static bool knows(const struct jwtcache *cache, unsigned char name,
                  int64_t now) {
  unsigned char token[DIGEST_SHA256_LEN] = {[31] = name};
  return jwtcache_get(cache, token, now) != NULL;
}

static void test_jwtcache_keeps_tokens_of_this_time(void) {
  struct jwtcache *cache = jwtcache_new(100);
  remember(cache, 1, NOW + 10);
  CU_ASSERT(knows(cache, 1, NOW));
  CU_ASSERT(knows(cache, 1, NOW + 9));
  CU_ASSERT(!knows(cache, 1, NOW + 10));
  CU_ASSERT(!knows(cache, 1, NOW - 1));
  CU_ASSERT(!knows(cache, 2, NOW));
  jwtcache_free(cache);
}

static void test_jwtcache_what_ends_first_makes_room(void) {
  struct jwtcache *cache = jwtcache_new(1);
  for (unsigned char i = 0; i < JWTCACHE_WAYS; i++)
    remember(cache, i, NOW + 10 + (i == 2 ? -1 : i));
  remember(cache, 100, NOW + 50);
  for (unsigned char i = 0; i < JWTCACHE_WAYS; i++)
    CU_ASSERT(knows(cache, i, NOW) == (i != 2));
  CU_ASSERT(knows(cache, 100, NOW));
  jwtcache_free(cache);
}

static void test_jwtcache_other_keys_end_all(void) {
  static const unsigned char one[DIGEST_SHA256_LEN] = {1}, two[32] = {2};
  struct jwtcache *cache = jwtcache_new(100);
  jwtcache_keys(cache, one);
  remember(cache, 1, NOW + 10);
  jwtcache_keys(cache, one);
  CU_ASSERT(knows(cache, 1, NOW));
  jwtcache_keys(cache, two);
  CU_ASSERT(!knows(cache, 1, NOW));
  jwtcache_free(cache);
}

static void test_jwtcache_of_none_keeps_none(void) {
  struct jwtcache *cache = jwtcache_new(0);
  remember(cache, 1, NOW + 10);
  CU_ASSERT(!knows(cache, 1, NOW));
  jwtcache_free(cache);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_claims_are_taken_or_refused),
      UNIT(test_claims_types),
      UNIT(test_claims_issuer_and_audience_may_be_waived),
      UNIT(test_claims_operations),
      UNIT(test_claims_prefixes),
      UNIT(test_claims_list_limits),
      UNIT(test_claims_identity_limit),
      UNIT(test_jwtcache_keeps_tokens_of_this_time),
      UNIT(test_jwtcache_what_ends_first_makes_room),
      UNIT(test_jwtcache_other_keys_end_all),
      UNIT(test_jwtcache_of_none_keeps_none),
      {NULL, NULL}};
  return unit_main("claims", tests);
}
