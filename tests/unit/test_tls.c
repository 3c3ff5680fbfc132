/* SPDX-License-Identifier: MIT
 *
 * Certificates and keys as they are found on disks.  The openssl command
 * makes them.
 */
#include "tls.h"
#include "tls_cipher.h"
#include "unit.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct shelf {
  char folder[64];
  char certificate[96], key[96], other[96], sealed[96], empty[96], none[96];
};

static struct shelf shelf;

/* Runs openssl with the words of one line. */
static bool openssl(const char *fmt, const char *first, const char *second) {
  char line[512], *words[32] = {NULL};
  size_t count = 0;
  int status = 1;
  pid_t child;
  posix_spawn_file_actions_t quiet;
  snprintf(line, sizeof line, fmt, first, second);
  for (char *at = line; at != NULL && count < 31;) {
    words[count++] = at;
    at = strchr(at, ' ');
    if (at != NULL)
      *at++ = '\0';
  }
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
  bool ran =
      posix_spawnp(&child, words[0], &quiet, NULL, words, environ) == 0 &&
      waitpid(child, &status, 0) == child && status == 0;
  posix_spawn_file_actions_destroy(&quiet);
  return ran;
}

static void name(char out[96], const char *file) {
  snprintf(out, 96, "%s/%s", shelf.folder, file);
}

static bool shelf_init(void) {
  snprintf(shelf.folder, sizeof shelf.folder, "/tmp/sluice-tls-XXXXXX");
  if (mkdtemp(shelf.folder) == NULL)
    return false;
  name(shelf.certificate, "cert.pem");
  name(shelf.key, "key.pem");
  name(shelf.other, "other.pem");
  name(shelf.sealed, "sealed.pem");
  name(shelf.empty, "empty.pem");
  name(shelf.none, "none.pem");
  close(open(shelf.empty, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  return openssl("openssl req -x509 -newkey ec -pkeyopt "
                 "ec_paramgen_curve:P-256 -nodes -subj /CN=localhost "
                 "-days 2 -out %s -keyout %s",
                 shelf.certificate, shelf.key) &&
         openssl("openssl genpkey -algorithm EC -pkeyopt "
                 "ec_paramgen_curve:P-256 -out %s",
                 shelf.other, "") &&
         openssl("openssl pkey -in %s -aes256 -passout pass:secret -out %s",
                 shelf.key, shelf.sealed);
}

static void shelf_fini(void) {
  const char *const files[] = {shelf.certificate, shelf.key,   shelf.other,
                               shelf.sealed,      shelf.empty, shelf.none};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    unlink(files[i]);
  rmdir(shelf.folder);
}

static SSL_CTX *load(const char *certificate, const char *key,
                     struct errmsg *errmsg) {
  const struct tls_settings settings = {.certificate = certificate,
                                        .private_key = key,
                                        .ciphers = "",
                                        .client_ca = ""};
  return tls_new(&settings, errmsg);
}

static SSL_CTX *load_with(const char *ciphers, bool only_1_3,
                          struct errmsg *errmsg) {
  const struct tls_settings settings = {.certificate = shelf.certificate,
                                        .private_key = shelf.key,
                                        .ciphers = ciphers,
                                        .only_1_3 = only_1_3,
                                        .client_ca = ""};
  return tls_new(&settings, errmsg);
}

static void test_a_certificate_and_its_key_are_loaded(void) {
  struct errmsg errmsg = {""};
  SSL_CTX *tls = load(shelf.certificate, shelf.key, &errmsg);
  CU_ASSERT_PTR_NOT_NULL(tls);
  CU_ASSERT_STRING_EQUAL(errmsg.text, "");
  SSL_CTX_free(tls);
}

static void test_what_is_wrong_is_named(void) {
  const struct {
    const char *certificate, *key, *option, *file;
  } rows[] = {
      {shelf.none, shelf.key, "server.tls.certificate", shelf.none},
      {shelf.empty, shelf.key, "server.tls.certificate", shelf.empty},
      {shelf.key, shelf.key, "server.tls.certificate", shelf.key},
      {shelf.folder, shelf.key, "server.tls.certificate", shelf.folder},
      {shelf.certificate, shelf.none, "server.tls.private_key", shelf.none},
      {shelf.certificate, shelf.empty, "server.tls.private_key", shelf.empty},
      {shelf.certificate, shelf.certificate, "server.tls.private_key",
       shelf.certificate},
      {shelf.certificate, shelf.other, "server.tls.private_key", shelf.other},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct errmsg errmsg = {""};
    CU_ASSERT_PTR_NULL(load(rows[i].certificate, rows[i].key, &errmsg));
    CU_ASSERT_PTR_NOT_NULL(strstr(errmsg.text, rows[i].option));
    CU_ASSERT_PTR_NOT_NULL(strstr(errmsg.text, rows[i].file));
    CU_ASSERT_PTR_NULL(strstr(errmsg.text, "unknown error"));
  }
}

/* A gateway is started by nobody who could answer.  In a session of its own
 * it has no terminal, so a question is an error as well. */
static void test_a_key_with_a_password_is_refused_without_asking(void) {
  struct errmsg errmsg = {""};
  CU_ASSERT_PTR_NULL(load(shelf.certificate, shelf.sealed, &errmsg));
  CU_ASSERT_PTR_NOT_NULL(strstr(errmsg.text, "without a password"));
  SSL_CTX *tls = load(shelf.certificate, shelf.key, &errmsg);
  CU_ASSERT_PTR_NOT_NULL_FATAL(tls);
  CU_ASSERT_PTR_NOT_NULL(SSL_CTX_get_default_passwd_cb(tls));
  SSL_CTX_free(tls);
}

static void test_a_file_that_can_not_be_read_is_told_by_its_errno(void) {
  struct errmsg errmsg = {""};
  CU_ASSERT_PTR_NULL(load(shelf.none, shelf.key, &errmsg));
  CU_ASSERT_PTR_NOT_NULL(strstr(errmsg.text, ": No such file or directory;"));
  CU_ASSERT_PTR_NULL(load(shelf.certificate, shelf.none, &errmsg));
  CU_ASSERT_PTR_NOT_NULL(strstr(errmsg.text, ": No such file or directory;"));
}

/* The shelf's is made now, for two days. */
static void test_the_age_of_a_certificate_is_known_to_the_second(void) {
  struct errmsg errmsg = {""};
  char date[TLS_DATE_SIZE], again[TLS_DATE_SIZE];
  SSL_CTX *tls = load(shelf.certificate, shelf.key, &errmsg);
  CU_ASSERT_PTR_NOT_NULL_FATAL(tls);
  int64_t now = time(NULL), end = now + 2 * 86400;
  CU_ASSERT_EQUAL(tls_age(tls, now, date), TLS_SOON);
  while (tls_age(tls, end, date) != TLS_SOON)
    end--; /* by the seconds since */
  CU_ASSERT_TRUE(end >= now + 2 * 86400 - 60);
  CU_ASSERT_EQUAL(tls_age(tls, end + 1, again), TLS_EXPIRED);
  CU_ASSERT_STRING_EQUAL(date, again);
  CU_ASSERT_EQUAL(date[10], 'T');
  CU_ASSERT_EQUAL(tls_age(tls, now - 86400, again), TLS_EARLY);
  CU_ASSERT_STRING_NOT_EQUAL(date, again);
  SSL_CTX_free(tls);
}

static void test_a_certificate_is_soon_old_from_the_fourteenth_day_on(void) {
  struct errmsg errmsg = {""};
  char date[TLS_DATE_SIZE];
  CU_ASSERT_TRUE_FATAL(
      openssl("openssl req -x509 -key %s -subj /CN=localhost -days 20 -out %s",
              shelf.key, shelf.other));
  SSL_CTX *tls = load(shelf.other, shelf.key, &errmsg);
  CU_ASSERT_PTR_NOT_NULL_FATAL(tls);
  int64_t now = time(NULL), end = now + 20 * 86400;
  while (tls_age(tls, end, date) == TLS_EXPIRED)
    end--;
  CU_ASSERT_EQUAL(tls_age(tls, now, date), TLS_VALID);
  int64_t soon = end + 1 - TLS_SOON_DAYS * 86400;
  CU_ASSERT_EQUAL(tls_age(tls, soon - 1, date), TLS_VALID);
  CU_ASSERT_EQUAL(tls_age(tls, soon, date), TLS_SOON);
  SSL_CTX_free(tls);
}

static void test_old_versions_are_not_spoken(void) {
  struct errmsg errmsg = {""};
  SSL_CTX *tls = load(shelf.certificate, shelf.key, &errmsg);
  CU_ASSERT_PTR_NOT_NULL_FATAL(tls);
  CU_ASSERT_EQUAL(SSL_CTX_get_min_proto_version(tls), TLS1_2_VERSION);
  CU_ASSERT((SSL_CTX_get_options(tls) & SSL_OP_NO_RENEGOTIATION) != 0);
  CU_ASSERT((SSL_CTX_get_options(tls) & SSL_OP_NO_COMPRESSION) != 0);
  SSL_CTX_free(tls);
}

static void test_file_of_signers_that_can_not_be_used_is_named(void) {
  const char *const files[] = {shelf.none, shelf.empty, shelf.key};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    struct errmsg errmsg = {""};
    const struct tls_settings settings = {.certificate = shelf.certificate,
                                          .private_key = shelf.key,
                                          .ciphers = "",
                                          .client_ca = files[i]};
    CU_ASSERT_PTR_NULL(tls_new(&settings, &errmsg));
    CU_ASSERT_PTR_NOT_NULL(strstr(errmsg.text, "server.tls.client_ca: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(errmsg.text, files[i]));
    CU_ASSERT_PTR_NULL(strstr(errmsg.text, "unknown error"));
  }
}

/* The names of TLS 1.2, with : between. */
static void names_of(SSL_CTX *tls, char *out, size_t size) {
  const STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(tls);
  size_t len = 0;
  out[0] = '\0';
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers) && len < size; i++) {
    const char *name = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, i));
    if (strncmp(name, "TLS_", 4) != 0)
      len += (size_t)snprintf(out + len, size - len, "%s%s",
                              len == 0 ? "" : ":", name);
  }
}

static void test_ciphers_are_mozillas_intermediate_ones(void) {
  struct errmsg errmsg = {""};
  char names[1024];
  SSL_CTX *tls = load(shelf.certificate, shelf.key, &errmsg);
  CU_ASSERT_PTR_NOT_NULL_FATAL(tls);
  names_of(tls, names, sizeof names);
  CU_ASSERT_STRING_EQUAL(
      names, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
             "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
             "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305");
  CU_ASSERT((SSL_CTX_get_options(tls) & SSL_OP_CIPHER_SERVER_PREFERENCE) == 0);
  SSL_CTX_free(tls);
}

static void test_ciphers_that_are_named_are_the_only_ones(void) {
  static const char one[] = "ECDHE-ECDSA-AES256-GCM-SHA384";
  struct errmsg errmsg = {""};
  char names[1024];
  SSL_CTX *tls = load_with(one, false, &errmsg);
  CU_ASSERT_STRING_EQUAL(errmsg.text, "");
  CU_ASSERT_PTR_NOT_NULL_FATAL(tls);
  names_of(tls, names, sizeof names);
  CU_ASSERT_STRING_EQUAL(names, one);
  SSL_CTX_free(tls);
}

static void test_ciphers_that_are_none_are_refused(void) {
  static const char good[] = "ECDHE-ECDSA-AES256-GCM-SHA384";
  static const struct {
    const char *names, *message;
  } rows[] = {
      {"ECDHE-ECDSA-AES256-GCM-SHA348",
       "'ECDHE-ECDSA-AES256-GCM-SHA348' is not known; did you mean "
       "'ECDHE-ECDSA-AES256-GCM-SHA384'?"},
      {"ECDHE-ECDSA-AES256-GCM-SHA384:", "a name is empty; write names"},
      {":ECDHE-ECDSA-AES256-GCM-SHA384", "a name is empty; write names"},
      {"TLS_AES_128_GCM_SHA256", "is one of TLS 1.3"},
      {"HIGH:!aNULL", "'HIGH' is not known; write names with : between"},
      {"AECDH-AES256-SHA", "is not known"}, /* nobody proves who he is */
      {"ECDHE-ECDSA-NULL-SHA", "is not known"},
      {"PSK-AES128-GCM-SHA256", "is not known"},
  };
  struct errmsg errmsg;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    errmsg.text[0] = '\0';
    CU_ASSERT_PTR_NULL(load_with(rows[i].names, false, &errmsg));
    CU_ASSERT_PTR_NOT_NULL(strstr(errmsg.text, "server.tls.ciphers: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(errmsg.text, rows[i].message));
  }
  char many[(TLS_CIPHERS_MAX + 1) * sizeof good], longest[200];
  size_t len = 0;
  for (size_t i = 0; i < TLS_CIPHERS_MAX; i++)
    len += (size_t)snprintf(many + len, sizeof many - len, "%s%s",
                            i == 0 ? "" : ":", good);
  SSL_CTX *tls = load_with(many, false, &errmsg);
  CU_ASSERT_PTR_NOT_NULL(tls);
  SSL_CTX_free(tls);
  snprintf(many + len, sizeof many - len, ":%s", good);
  CU_ASSERT_PTR_NULL(load_with(many, false, &errmsg));
  CU_ASSERT_PTR_NOT_NULL(strstr(errmsg.text, "more than 64; drop some"));
  memset(longest, 'A', sizeof longest);
  longest[sizeof longest - 1] = '\0';
  CU_ASSERT_PTR_NULL(load_with(longest, false, &errmsg));
  CU_ASSERT_PTR_NOT_NULL(strstr(errmsg.text, "is not known"));
}

static void test_only_the_newest_version_is_spoken_where_it_is_asked(void) {
  struct errmsg errmsg = {""};
  SSL_CTX *tls = load_with("", true, &errmsg);
  CU_ASSERT_PTR_NOT_NULL_FATAL(tls);
  CU_ASSERT_EQUAL(SSL_CTX_get_min_proto_version(tls), TLS1_3_VERSION);
  SSL_CTX_free(tls);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_certificate_and_its_key_are_loaded),
      UNIT(test_what_is_wrong_is_named),
      UNIT(test_a_key_with_a_password_is_refused_without_asking),
      UNIT(test_a_file_that_can_not_be_read_is_told_by_its_errno),
      UNIT(test_the_age_of_a_certificate_is_known_to_the_second),
      UNIT(test_a_certificate_is_soon_old_from_the_fourteenth_day_on),
      UNIT(test_old_versions_are_not_spoken),
      UNIT(test_file_of_signers_that_can_not_be_used_is_named),
      UNIT(test_ciphers_are_mozillas_intermediate_ones),
      UNIT(test_ciphers_that_are_named_are_the_only_ones),
      UNIT(test_ciphers_that_are_none_are_refused),
      UNIT(test_only_the_newest_version_is_spoken_where_it_is_asked),
      {NULL, NULL}};
  setsid();
  if (!shelf_init()) {
    shelf_fini();
    printf("skipped: the openssl command makes no certificates here\n");
    return UNIT_SKIP;
  }
  int status = unit_main("tls", tests);
  shelf_fini();
  return status;
}
