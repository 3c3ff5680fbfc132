/* SPDX-License-Identifier: MIT
 *
 * The files of AWS's tools: which section counts, what a line means, and that
 * a message names the line but never a value.
 */
#include "profile.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static bool same(const char *got, const char *want) {
  return got && want ? strcmp(got, want) == 0 : got == want;
}

static void test_profile_reads_what_a_line_means(void) {
  static const struct {
    const char *text, *name;
    bool config;
    const char *access_key, *region;
  } rows[] = {
      {"[default]\naws_access_key_id = A\nregion=r\n", "default", false, "A",
       "r"},
      {"[default]\r\nAWS_Access_Key_ID=A\r\n", "default", false, "A", NULL},
      {"\xEF\xBB\xBF[default]\naws_access_key_id=A", "default", false, "A",
       NULL},
      {"[ a ]\naws_access_key_id=A\n[b]\naws_access_key_id=B\n", "b", false,
       "B", NULL},
      {"[a] # this\nregion=r ; that\n", "a", false, NULL, "r"},
      {"# one\n; two\n\n[a]\n# three\nregion=r\n", "a", false, NULL, "r"},
      {"[a]\nregion=r#;s\n", "a", false, NULL, "r#;s"},
      {"[a]\nregion = # none\n", "a", false, NULL, NULL},
      {"[a]\nregion=\n", "a", false, NULL, NULL},
      {"[a]\nregion==r=\n", "a", false, NULL, "=r="},
      {"[a]\nregion=x\nregion=r\n", "a", false, NULL, "r"},
      {"[a]\nregion=x\nregion=\n", "a", false, NULL, NULL},
      {"[a]\nregion=x\n[b]\nregion=y\n[a]\nregion=r", "a", false, NULL, "r"},
      {"[a]\nfoo\t= bar\nregion\t=\tr\t\n", "a", false, NULL, "r"},
      {"[a]\n  aws_access_key_id=A\n  region=r\n", "a", false, "A", "r"},
      {"[a]\ns3 =\n  region = x\n\n  foo\nregion=r\n", "a", false, NULL, "r"},
      {"[profile a]\nregion=r\n", "a", true, NULL, "r"},
      {"[profile \t a ]\nregion=r\n", "a", true, NULL, "r"},
      {"[profile \"a b\"]\nregion=r\n", "a b", true, NULL, "r"},
      {"[a]\nregion=x\n[profile a]\nregion=r\n", "a", true, NULL, "r"},
      {"[default]\nregion=r\n", "default", true, NULL, "r"},
      {"[profile default]\nregion=r\n", "default", true, NULL, "r"},
      {"[sso-session a]\nregion=x\n[profile a]\n", "a", true, NULL, NULL},
      {"[profile a]\nregion=x\n[a]\nregion=r\n", "a", false, NULL, "r"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct profile profile;
    struct errmsg err = {""};
    ROW(rows[i].text,
        profile_parse(&profile, rows[i].text, strlen(rows[i].text),
                      rows[i].name, rows[i].config, &err));
    ROW(rows[i].text, same(profile.access_key, rows[i].access_key));
    ROW(rows[i].text, same(profile.region, rows[i].region));
    profile_fini(&profile);
  }
}

static void test_profile_reads_every_key(void) {
  static const char text[] = "[default]\n"
                             "aws_access_key_id = AKID\n"
                             "aws_secret_access_key = a/b+c=\n"
                             "aws_session_token = token==\n"
                             "region = eu-west-1\n"
                             "role_arn = arn:aws:iam::1:role/x\n"
                             "web_identity_token_file = /var/run/token\n";
  struct profile profile;
  struct errmsg err;
  CU_ASSERT_FATAL(
      profile_parse(&profile, text, sizeof text - 1, "default", false, &err));
  CU_ASSERT_STRING_EQUAL(profile.access_key, "AKID");
  CU_ASSERT_STRING_EQUAL(profile.secret_key, "a/b+c=");
  CU_ASSERT_STRING_EQUAL(profile.session_token, "token==");
  CU_ASSERT_STRING_EQUAL(profile.region, "eu-west-1");
  CU_ASSERT_STRING_EQUAL(profile.role_arn, "arn:aws:iam::1:role/x");
  CU_ASSERT_STRING_EQUAL(profile.web_identity_token_file, "/var/run/token");
  profile_fini(&profile);
  CU_ASSERT(!profile.access_key && !profile.secret_key &&
            !profile.session_token && !profile.region && !profile.role_arn &&
            !profile.web_identity_token_file);
}

static void test_profile_refusals_name_the_line_and_no_value(void) {
  static const struct {
    const char *text;
    bool config;
    const char *message;
  } rows[] = {
      {"", false, "no section \"[a]\""},
      {"", true, "no section \"[profile a]\""},
      {"[b]\nregion=r\n", false, "no section \"[a]\""},
      {"[a]\n", true, "no section \"[profile a]\""},
      {"[profilea]\n", true, "no section"},
      {"[A]\n", false, "no section"},
      {"region=TOPSECRET\n", false, "line 1: a key before any section"},
      {"[a\nregion=TOPSECRET\n", false, "line 1: a section has no end"},
      {"[a] TOPSECRET\n", false, "line 1: something follows"},
      {"[a]x\n", false, "line 1: something follows"},
      {"[a]\n\n# c\nTOPSECRET\n", false, "line 4: neither"},
      {"[a]\nregion=r\n[b]\nTOPSECRET\n", false, "line 4: neither"},
      {"[a]\n=TOPSECRET\n", false, "line 2: neither"},
      {"[a]\nregion=TOPSECRET\n  TOPSECRET\n", false, "line 3: a value goes"},
      {"[a]\nregion=TOP\rSECRET\n", false, "line 2: a value has a control"},
      {"[a]\nregion=TOP\x7FSECRET\n", false, "line 2: a value has a control"},
      {"[a]\nregion=TOP\xFFSECRET\n", false, "line 2: a value has a control"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct profile profile;
    struct errmsg err = {""};
    ROW(rows[i].text,
        !profile_parse(&profile, rows[i].text, strlen(rows[i].text), "a",
                       rows[i].config, &err));
    ROW(err.text,
        strncmp(err.text, rows[i].message, strlen(rows[i].message)) == 0);
    ROW(err.text, !strstr(err.text, "SECRET") && !strstr(err.text, "TOP"));
    CU_ASSERT(!profile.region);
  }
}

static void test_profile_with_a_nul_is_refused(void) {
  static const char text[] = "[a]\nregion=x\0y\n";
  struct profile profile;
  struct errmsg err;
  CU_ASSERT(!profile_parse(&profile, text, sizeof text - 1, "a", false, &err));
}

/* ---- files -------------------------------------------------------------- */

static void write_file(char *path, const char *text, size_t pad) {
  int fd = mkstemp(path);
  CU_ASSERT_FATAL(fd >= 0);
  FILE *file = fdopen(fd, "wb");
  CU_ASSERT_FATAL(file != NULL);
  fputs(text, file);
  while (pad--)
    fputc('\n', file);
  CU_ASSERT(fclose(file) == 0);
}

static void test_profile_file_at_its_limit_is_read(void) {
  static const char text[] = "[default]\nregion=r\n";
  size_t len = sizeof text - 1;
  struct profile profile;
  struct errmsg err = {""};
  char path[] = "/tmp/test_profile.XXXXXX",
       more[] = "/tmp/test_profile.XXXXXX";
  write_file(path, text, PROFILE_FILE_MAX - len);
  CU_ASSERT(profile_load(&profile, path, "default", true, &err));
  CU_ASSERT(same(profile.region, "r"));
  profile_fini(&profile);
  write_file(more, text, PROFILE_FILE_MAX - len + 1);
  CU_ASSERT(!profile_load(&profile, more, "default", true, &err));
  CU_ASSERT(strstr(err.text, "1 MiB") && strstr(err.text, more));
  unlink(path);
  unlink(more);
}

static void test_profile_load_names_the_file(void) {
  struct profile profile;
  struct errmsg err = {""};
  char path[] = "/tmp/test_profile.XXXXXX";
  CU_ASSERT(!profile_load(&profile, "/nowhere/at/all", "a", false, &err));
  CU_ASSERT(!strncmp(err.text, "/nowhere/at/all can't be read: No such", 38));
  CU_ASSERT(!profile_load(&profile, "/tmp", "a", false, &err));
  CU_ASSERT(!strncmp(err.text, "/tmp can't be read: ", 20));
  CU_ASSERT(!profile.access_key);
  write_file(path, "[a]\nx\n", 0);
  CU_ASSERT(!profile_load(&profile, path, "a", false, &err));
  CU_ASSERT(strncmp(err.text, path, strlen(path)) == 0);
  CU_ASSERT(strstr(err.text, ": line 2: ") != NULL);
  unlink(path);
}

static const struct unit_test tests[] = {
    UNIT(test_profile_reads_what_a_line_means),
    UNIT(test_profile_reads_every_key),
    UNIT(test_profile_refusals_name_the_line_and_no_value),
    UNIT(test_profile_with_a_nul_is_refused),
    UNIT(test_profile_file_at_its_limit_is_read),
    UNIT(test_profile_load_names_the_file),
    {NULL, NULL},
};

int main(void) {
  return unit_main("profile", tests);
}
