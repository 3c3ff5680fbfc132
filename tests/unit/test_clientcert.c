/* SPDX-License-Identifier: MIT
 *
 * Names out of certificates that some authority has signed in good faith, or
 * in bad.  They are made here, unsigned: TLS has looked at signatures before.
 */
#include "clientcert.h"
#include "unit.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define TEXT(s) s, sizeof(s) - 1

static void add(X509 *certificate, int nid, int type, const char *text,
                size_t len) {
  CU_ASSERT_EQUAL_FATAL(
      X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), nid, type,
                                 (const unsigned char *)text, (int)len, -1, 0),
      1);
}

/* Its one name is a CN, as UTF-8. */
static bool read_cn(const char *text, size_t len, struct clientcert *out) {
  X509 *certificate = X509_new();
  CU_ASSERT_PTR_NOT_NULL_FATAL(certificate);
  add(certificate, NID_commonName, V_ASN1_UTF8STRING, text, len);
  bool ok = clientcert_read(certificate, out);
  X509_free(certificate);
  return ok;
}

static void test_names_are_read_and_deceptive_ones_are_none(void) {
  static const struct {
    const char *cn;
    size_t len;
    const char *name, *subject;
  } rows[] = {
      {TEXT("alice"), "alice", "CN=alice"},
      {TEXT("Zo\xC3\xAB"), "Zo\xC3\xAB", "CN=Zo\xC3\xAB"},
      {TEXT("\xF0\x9F\x90\x8C"), "\xF0\x9F\x90\x8C", "CN=\xF0\x9F\x90\x8C"},
      {TEXT("a,b+c"), "a,b+c", "CN=a\\,b\\+c"},
      {TEXT(" a\\"), " a\\", "CN=\\ a\\\\"},
      {TEXT("alice\0eve"), "", "CN=alice\\00eve"},
      {TEXT("\0"), "", "CN=\\00"},
      {TEXT(""), "", "CN="},
      {TEXT("a\nX-User-Id: b"), "", "CN=a\\0AX-User-Id: b"},
      {TEXT("a\r\nb"), "", "CN=a\\0D\\0Ab"},
      {TEXT("a\tb"), "", "CN=a\\09b"},
      {TEXT("a\x1B[2Jb"), "", "CN=a\\1B[2Jb"},
      {TEXT("a\x7F"), "", "CN=a\\7F"},
      {TEXT("a\xC2\x85z"), "", "CN=a\\C2\\85z"}, /* NEL */
      {TEXT("a\xC2\x9B"), "", "CN=a\\C2\\9B"},   /* CSI */
      {TEXT("a\xC2\xA0"), "a\xC2\xA0", "CN=a\xC2\xA0"},
      {TEXT("\xE2\x80\xAE"
            "ecila"),
       "", "CN=\\E2\\80\\AEecila"},                    /* RLO */
      {TEXT("a\xE2\x80\x8F"), "", "CN=a\\E2\\80\\8F"}, /* RLM */
      {TEXT("a\xE2\x81\xA7"), "", "CN=a\\E2\\81\\A7"}, /* RLI */
      {TEXT("a\xD8\x9C"), "", "CN=a\\D8\\9C"},         /* ALM */
      {TEXT("a\xE2\x80\xA8"
            "b"),
       "", "CN=a\\E2\\80\\A8b"}, /* a new line */
      {TEXT("a\xE2\x80\xA7"), "a\xE2\x80\xA7", "CN=a\xE2\x80\xA7"},
      {TEXT("\xD7\xA9\xD7\x9C"), "\xD7\xA9\xD7\x9C", "CN=\xD7\xA9\xD7\x9C"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct clientcert got;
    CU_ASSERT_TRUE(read_cn(rows[i].cn, rows[i].len, &got));
    CU_ASSERT_STRING_EQUAL(got.name, rows[i].name);
    CU_ASSERT_STRING_EQUAL(got.subject, rows[i].subject);
  }
}

static void test_text_that_is_not_utf8_is_no_subject(void) {
  static const char *const texts[] = {"a\xFF", "\xC0\xAF", "\xED\xA0\x80",
                                      "a\xE2\x80"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    struct clientcert got;
    CU_ASSERT_FALSE(read_cn(texts[i], strlen(texts[i]), &got));
    CU_ASSERT_STRING_EQUAL(got.name, "");
    CU_ASSERT_STRING_EQUAL(got.subject, "");
  }
}

static void test_other_kinds_of_texts_become_utf8(void) {
  static const struct {
    int type;
    const char *cn;
    size_t len;
    const char *name;
  } rows[] = {
      {V_ASN1_T61STRING, TEXT("Zo\xEB"), "Zo\xC3\xAB"},
      {V_ASN1_BMPSTRING, TEXT("\0Z\0o\0\xEB"), "Zo\xC3\xAB"},
      {V_ASN1_BMPSTRING, TEXT("\0a\x20\x2E"), ""},
      {V_ASN1_BMPSTRING, TEXT("\0a\0\0\0b"), ""},
      {V_ASN1_T61STRING, TEXT("a\x9B"), ""},
      {V_ASN1_UNIVERSALSTRING, TEXT("\0\1\xF4\x0C"), "\xF0\x9F\x90\x8C"},
      {V_ASN1_PRINTABLESTRING, TEXT("alice"), "alice"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct clientcert got;
    X509 *certificate = X509_new();
    add(certificate, NID_commonName, rows[i].type, rows[i].cn, rows[i].len);
    CU_ASSERT_TRUE(clientcert_read(certificate, &got));
    CU_ASSERT_STRING_EQUAL(got.name, rows[i].name);
    X509_free(certificate);
  }
}

static void test_name_of_257_bytes_is_none(void) {
  char text[CLIENTCERT_NAME_MAX + 1];
  struct clientcert got;
  memset(text, 'n', sizeof text);
  CU_ASSERT_TRUE(read_cn(text, CLIENTCERT_NAME_MAX, &got));
  CU_ASSERT_EQUAL(strlen(got.name), CLIENTCERT_NAME_MAX);
  CU_ASSERT_TRUE(read_cn(text, sizeof text, &got));
  CU_ASSERT_STRING_EQUAL(got.name, "");
  CU_ASSERT_EQUAL(strlen(got.subject), 3 + sizeof text);
}

static void test_subject_of_1025_bytes_is_refused_whole(void) {
  char text[CLIENTCERT_SUBJECT_MAX];
  size_t most = CLIENTCERT_SUBJECT_MAX - 3; /* behind "CN=" */
  struct clientcert got;
  memset(text, 's', sizeof text);
  CU_ASSERT_TRUE(read_cn(text, most, &got));
  CU_ASSERT_EQUAL(strlen(got.subject), CLIENTCERT_SUBJECT_MAX);
  CU_ASSERT_FALSE(read_cn(text, most + 1, &got));
  CU_ASSERT_STRING_EQUAL(got.subject, "");
  CU_ASSERT_STRING_EQUAL(got.name, "");
  memcpy(text + most - 9, "\xE2\x80\xAE", 3); /* nine when it is escaped */
  CU_ASSERT_TRUE(read_cn(text, most - 6, &got));
  CU_ASSERT_EQUAL(strlen(got.subject), CLIENTCERT_SUBJECT_MAX);
  CU_ASSERT_FALSE(read_cn(text, most - 5, &got));
}

static void test_long_subject_takes_a_short_name_with_it(void) {
  char text[CLIENTCERT_SUBJECT_MAX];
  struct clientcert got;
  X509 *certificate = X509_new();
  memset(text, 'o', sizeof text);
  add(certificate, NID_organizationName, V_ASN1_UTF8STRING, text, sizeof text);
  add(certificate, NID_commonName, V_ASN1_UTF8STRING, TEXT("alice"));
  CU_ASSERT_FALSE(clientcert_read(certificate, &got));
  CU_ASSERT_STRING_EQUAL(got.name, "");
  CU_ASSERT_STRING_EQUAL(got.subject, "");
  X509_free(certificate);
}

static void test_of_two_cns_none_is_the_name(void) {
  struct clientcert got;
  X509 *certificate = X509_new();
  add(certificate, NID_commonName, V_ASN1_UTF8STRING, TEXT("alice"));
  add(certificate, NID_commonName, V_ASN1_UTF8STRING, TEXT("eve"));
  CU_ASSERT_TRUE(clientcert_read(certificate, &got));
  CU_ASSERT_STRING_EQUAL(got.name, "");
  CU_ASSERT_STRING_EQUAL(got.subject, "CN=eve,CN=alice");
  X509_free(certificate);
}

static void name_it(X509 *certificate, int type, int kind, const char *text,
                    size_t len) {
  GENERAL_NAMES *names = GENERAL_NAMES_new();
  GENERAL_NAME *name = GENERAL_NAME_new();
  ASN1_STRING *value = ASN1_STRING_type_new(kind);
  ASN1_STRING_set(value, text, (int)len);
  GENERAL_NAME_set0_value(name, type, value);
  sk_GENERAL_NAME_push(names, name);
  CU_ASSERT_EQUAL(
      X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0), 1);
  GENERAL_NAMES_free(names);
}

static void test_alternative_name_is_for_who_has_no_cn(void) {
  static const struct {
    int type;
    const char *text;
    size_t len;
    const char *name;
  } rows[] = {{GEN_DNS, TEXT("a.example"), "a.example"},
              {GEN_EMAIL, TEXT("a@b"), "a@b"},
              {GEN_URI, TEXT("spiffe://a"), "spiffe://a"},
              {GEN_DNS, TEXT("good.example\0.evil"), ""},
              {GEN_URI, TEXT("spiffe://a\r\nX: y"), ""},
              {GEN_EMAIL, TEXT("a\x9F@b"), ""}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct clientcert got;
    X509 *certificate = X509_new();
    name_it(certificate, rows[i].type, V_ASN1_IA5STRING, rows[i].text,
            rows[i].len);
    CU_ASSERT_TRUE(clientcert_read(certificate, &got));
    CU_ASSERT_STRING_EQUAL(got.name, rows[i].name);
    CU_ASSERT_STRING_EQUAL(got.subject, "");
    X509_free(certificate);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_names_are_read_and_deceptive_ones_are_none),
      UNIT(test_text_that_is_not_utf8_is_no_subject),
      UNIT(test_other_kinds_of_texts_become_utf8),
      UNIT(test_name_of_257_bytes_is_none),
      UNIT(test_subject_of_1025_bytes_is_refused_whole),
      UNIT(test_long_subject_takes_a_short_name_with_it),
      UNIT(test_of_two_cns_none_is_the_name),
      UNIT(test_alternative_name_is_for_who_has_no_cn),
      {NULL, NULL}};
  return unit_main("clientcert", tests);
}
