/* SPDX-License-Identifier: MIT
 *
 * The choice of a provider of credentials: their order, and the addresses that
 * the environment may give.
 */
#include "credentialskit.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

/* ---- the order ---------------------------------------------------------- */

static void set_all(struct rig *rig) {
  rig->conf.access_key = "A";
  rig->conf.secret_key = SECRET_WORD;
  rig_set("AWS_ACCESS_KEY_ID", "A");
  rig_set("AWS_SECRET_ACCESS_KEY", SECRET_WORD);
  rig_use(rig, BY_WEB);
  rig_use(rig, BY_FILE);
  rig_use(rig, BY_CONTAINER);
  rig_use(rig, BY_IMDS);
}

static void test_the_first_that_is_set_is_the_one(void) {
  static const struct {
    const char *unset;
    enum credentials_kind next;
  } rows[] = {{"", CREDENTIALS_OPTIONS},
              {"option", CREDENTIALS_ENVIRONMENT},
              {"AWS_ACCESS_KEY_ID", CREDENTIALS_WEB},
              {"AWS_WEB_IDENTITY_TOKEN_FILE", CREDENTIALS_FILE},
              {"AWS_SHARED_CREDENTIALS_FILE", CREDENTIALS_CONTAINER},
              {"AWS_CONTAINER_CREDENTIALS_FULL_URI", CREDENTIALS_IMDS}};
  struct rig rig;
  rig_init(&rig);
  set_all(&rig);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (strcmp(rows[i].unset, "option") == 0)
      rig.conf.access_key = rig.conf.secret_key = "";
    else if (rows[i].unset[0] != '\0')
      unsetenv(rows[i].unset);
    ROW(rows[i].unset, rig_find(&rig));
    ROW(rows[i].unset, rig.s3.source.kind == rows[i].next);
    credentials_source_fini(&rig.s3.source);
  }
  rig_fini(&rig);
}

static void test_a_profile_that_is_named_goes_before_the_environment(void) {
  struct rig rig;
  rig_init(&rig);
  rig_set("AWS_ACCESS_KEY_ID", "A");
  rig_set("AWS_SECRET_ACCESS_KEY", SECRET_WORD);
  rig_use(&rig, BY_WEB);
  rig_use(&rig, BY_FILE);
  rig.conf.profile = "default";
  CU_ASSERT(rig_find(&rig));
  CU_ASSERT_EQUAL(rig.s3.source.kind, CREDENTIALS_FILE);
  rig_fini(&rig);
}

static void test_a_profile_may_have_a_role_instead_of_keys(void) {
  struct rig rig;
  rig_init(&rig);
  rig_use(&rig, BY_WEB);
  unsetenv("AWS_WEB_IDENTITY_TOKEN_FILE");
  unsetenv("AWS_ROLE_ARN");
  rig_set("AWS_CONFIG_FILE", "%s",
          rig_write(&rig, "config",
                    "[profile p]\nrole_arn = arn\n"
                    "web_identity_token_file = %s/token\n",
                    rig.folder));
  rig.conf.profile = "p";
  CU_ASSERT(rig_first(&rig));
  CU_ASSERT_EQUAL(rig.s3.source.kind, CREDENTIALS_WEB);
  CU_ASSERT_EQUAL(rig_number(&rig.s3.first), 1);
  rig_fini(&rig);
}

static void test_the_configuration_may_have_the_keys(void) {
  struct rig rig;
  rig_init(&rig);
  rig_write_keys(&rig, 7);
  rig_set("AWS_CONFIG_FILE", "%s", getenv("AWS_SHARED_CREDENTIALS_FILE"));
  unsetenv("AWS_SHARED_CREDENTIALS_FILE");
  CU_ASSERT(rig_first(&rig));
  CU_ASSERT_EQUAL(rig_number(&rig.s3.first), 7);
  rig_fini(&rig);
}

static void test_what_is_set_wrongly_stops_the_start(void) {
  static const struct {
    const char *name, *value, *says;
  } rows[] = {
      {"AWS_ACCESS_KEY_ID", "A", "AWS_SECRET_ACCESS_KEY isn't"},
      {"AWS_WEB_IDENTITY_TOKEN_FILE", "/a", "AWS_ROLE_ARN isn't"},
      {"AWS_PROFILE", "p", "no profile 'p'"},
      {"AWS_SHARED_CREDENTIALS_FILE", "/no/such/file", "can't be read"},
      {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "ftp://a", "no address"},
      {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.0.0.1/", "https"},
      {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/a b", "no address"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct rig rig;
    rig_init(&rig);
    rig_set(rows[i].name, "%s", rows[i].value);
    ROW(rows[i].value, !rig_find(&rig));
    ROW(rows[i].value, strstr(rig.errmsg.text, rows[i].says) != NULL);
    rig_fini(&rig);
  }
}

static void test_a_profile_that_nobody_named_may_be_missing(void) {
  struct rig rig;
  rig_init(&rig);
  rig_use(&rig, BY_CONTAINER);
  rig_set("AWS_CONFIG_FILE", "%s", rig_write(&rig, "config", "[other]\n"));
  CU_ASSERT(rig_find(&rig));
  CU_ASSERT_EQUAL(rig.s3.source.kind, CREDENTIALS_CONTAINER);
  rig_fini(&rig);
}

/* ---- addresses ---------------------------------------------------------- */

static void test_keys_come_in_clear_from_near_hosts_only(void) {
  static const struct {
    const char *url;
    bool taken;
  } rows[] = {
      {"https://keys.example/a", true},
      {"http://localhost/a", true},
      {"http://localhost:80", true},
      {"http://127.0.0.1/", true},
      {"http://127.255.255.254:65535/a?b", true},
      {"http://[::1]:8080/a", true},
      {"http://[0:0:0:0:0:0:0:1]/a", true},
      {"http://169.254.170.2/a", true},
      {"http://169.254.170.23/v1/credentials", true},
      {"http://[fd00:ec2::23]/v1", true},
      {"http://keys.example/a", false},
      {"http://169.254.170.24/a", false},
      {"http://128.0.0.1/a", false},
      {"http://127.0.0.1.example/", false},
      {"http://127.1/a", false},
      {"http://[::2]/", false},
      {"http://[::1/", false},
      {"http://[::1]a/", false},
      {"http://localhost.example/", false},
      {"http://localhost@example/", false},
      {"http://localhost\\@example/", false},
      {"http://localhost:80@example/", false},
      {"http://localhost:/", false},
      {"http://localhost#@example/", false},
      {"http://example/@localhost", false},
      {"http:///localhost", false},
      {"HTTP://localhost/", false},
      {"//localhost/", false},
      {"http://localhost/\r\nX: y", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct rig rig;
    rig_init(&rig);
    rig_set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "%s", rows[i].url);
    ROW(rows[i].url, rig_find(&rig) == rows[i].taken);
    rig_fini(&rig);
  }
}

static void test_addresses_that_nobody_gave_are_amazons(void) {
  struct rig rig;
  rig_init(&rig);
  rig_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/a");
  CU_ASSERT(rig_find(&rig));
  CU_ASSERT_STRING_EQUAL(rig.s3.source.url, "http://169.254.170.2/v2/a");
  credentials_source_fini(&rig.s3.source);
  rig_use(&rig, BY_WEB);
  unsetenv("AWS_ENDPOINT_URL_STS");
  CU_ASSERT(rig_find(&rig));
  CU_ASSERT_STRING_EQUAL(rig.s3.source.url,
                         "https://sts.us-east-1.amazonaws.com/");
  credentials_source_fini(&rig.s3.source);
  rig.conf.region = "cn-north-1";
  CU_ASSERT(rig_find(&rig));
  CU_ASSERT_STRING_EQUAL(rig.s3.source.url,
                         "https://sts.cn-north-1.amazonaws.com.cn/");
  credentials_source_fini(&rig.s3.source);
  rig.conf.region = "a.example/";
  CU_ASSERT_FALSE(rig_find(&rig));
  rig_fini(&rig);
}

static void test_no_secret_was_said(void) {
  const char *said = capture_end();
  CU_ASSERT(strlen(said) > 1000);
  CU_ASSERT_PTR_NULL(strstr(said, SECRET_WORD));
  fputs(said, stderr);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_the_first_that_is_set_is_the_one),
      UNIT(test_a_profile_that_is_named_goes_before_the_environment),
      UNIT(test_a_profile_may_have_a_role_instead_of_keys),
      UNIT(test_the_configuration_may_have_the_keys),
      UNIT(test_what_is_set_wrongly_stops_the_start),
      UNIT(test_a_profile_that_nobody_named_may_be_missing),
      UNIT(test_keys_come_in_clear_from_near_hosts_only),
      UNIT(test_addresses_that_nobody_gave_are_amazons),
      UNIT(test_no_secret_was_said),
      {NULL, NULL}};
  alarm(120);
  httpc_init();
  capture_start();
  return unit_main("credentials_source", tests);
}
