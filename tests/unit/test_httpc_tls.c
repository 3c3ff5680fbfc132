/* SPDX-License-Identifier: MIT
 *
 * The HTTP client over TLS: whom it trusts, and bodies that pause.  The
 * certificates are made by openssl(1) at the start.
 */
#include "httpckit.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define BIG (16u * MIB)

extern char **environ;

static bool make_certificate(const char *name, const char *subject) {
  char key[64], cert[64], alt[64];
  snprintf(key, sizeof key, "%s.key", name);
  snprintf(cert, sizeof cert, "%s.pem", name);
  snprintf(alt, sizeof alt, "subjectAltName=%s", subject);
  const char *const args[] = {"openssl",
                              "req",
                              "-x509",
                              "-newkey",
                              "ec",
                              "-pkeyopt",
                              "ec_paramgen_curve:P-256",
                              "-nodes",
                              "-days",
                              "2",
                              "-subj",
                              "/CN=test",
                              "-addext",
                              alt,
                              "-keyout",
                              key,
                              "-out",
                              cert,
                              NULL};
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid;
  int status = -1;
  bool made = posix_spawnp(&pid, "openssl", &quiet, NULL, (char **)args,
                           environ) == 0 &&
              waitpid(pid, &status, 0) == pid && status == 0;
  posix_spawn_file_actions_destroy(&quiet);
  return made;
}

static void remove_certificate(const char *name) {
  char path[64];
  snprintf(path, sizeof path, "%s.key", name);
  unlink(path);
  snprintf(path, sizeof path, "%s.pem", name);
  unlink(path);
}

static void serve_hello(struct peer *peer) {
  while (peer_head(peer))
    peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
}

static void web_secure(struct web *web, void (*serve)(struct peer *),
                       bool verify, const char *ca_file) {
  web_init(web, serve);
  web->settings.verify = verify;
  web->settings.ca_file = ca_file;
  web->server.certificate = "right.pem";
  web->server.key = "right.key";
}

static void trusts(bool verify, const char *ca_file, const char *certificate,
                   const char *key, enum httpc_result want) {
  struct web web;
  struct fetch fetch = {.path = "/"};
  web_secure(&web, serve_hello, verify, ca_file);
  web.server.certificate = certificate;
  web.server.key = key;
  web_start(&web);
  fetch_run(&fetch, &web);
  CU_ASSERT_EQUAL(fetch.result, want);
  server_stop(&web.server);
  CU_ASSERT_EQUAL(web.server.requests, want == HTTPC_OK ? 1 : 0);
  web_fini(&web);
}

static void test_the_ca_file_is_trusted(void) {
  trusts(true, "right.pem", "right.pem", "right.key", HTTPC_OK);
}

/* Where the system has no certificates to trust, that is our own fault. */
static enum httpc_result want_of_system(void) {
  const char *file = curl_version_info(CURLVERSION_NOW)->cainfo;
  return file == NULL || access(file, R_OK) == 0 ? HTTPC_CONNECT : HTTPC_LOCAL;
}

static void test_others_than_the_ca_file_are_not(void) {
  trusts(true, "", "right.pem", "right.key", want_of_system());
  trusts(true, "other.pem", "right.pem", "right.key", HTTPC_CONNECT);
}

static void test_a_wrong_name_is_refused(void) {
  trusts(true, "other.pem", "other.pem", "other.key", HTTPC_CONNECT);
}

static void test_without_verification_anyone_is_trusted(void) {
  trusts(false, "", "right.pem", "right.key", HTTPC_OK);
  trusts(false, "", "other.pem", "other.key", HTTPC_OK);
}

static void test_no_ca_file_is_our_own_fault(void) {
  trusts(true, "missing.pem", "right.pem", "right.key", HTTPC_LOCAL);
}

static void serve_both(struct peer *peer) {
  while (peer_head(peer)) {
    if (peer_has(peer, "PUT ")) {
      if (peer_get_pattern(peer, BIG) != BIG)
        return;
      peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    } else {
      peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 16777216\r\n\r\n");
      peer_put_pattern(peer, BIG);
    }
  }
}

static void test_bodies_that_pause_are_exact(void) {
  for (unsigned every = 2; every <= 5; every++) {
    struct web web;
    struct fetch put = {.method = "PUT", .length = BIG, .pause_read = every},
                 get = {.pause_data = every};
    web_secure(&web, serve_both, true, "right.pem");
    web_start(&web);
    fetch_run(&put, &web);
    fetch_run(&get, &web);
    CU_ASSERT_EQUAL(put.result, HTTPC_OK);
    CU_ASSERT_EQUAL(get.result, HTTPC_OK);
    CU_ASSERT_EQUAL(get.got, BIG);
    CU_ASSERT_FALSE(get.wrong);
    server_stop(&web.server);
    CU_ASSERT_EQUAL(web.server.received, BIG);
    CU_ASSERT_FALSE(web.server.wrong);
    CU_ASSERT_EQUAL(web.server.accepted, 1);
    web_fini(&web);
  }
}

static void serve_silence(struct peer *peer) {
  (void)peer;
}

static void test_a_connection_that_is_no_tls_is_refused(void) {
  struct web web;
  char url[64];
  web_init(&web, serve_silence);
  web.settings.ca_file = "right.pem";
  web_start(&web);
  snprintf(url, sizeof url, "https://127.0.0.1:%d/", web.server.port);
  struct fetch fetch = {.url = url};
  fetch_run(&fetch, &web);
  CU_ASSERT_EQUAL(fetch.result, HTTPC_CONNECT);
  web_fini(&web);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_the_ca_file_is_trusted),
      UNIT(test_others_than_the_ca_file_are_not),
      UNIT(test_a_wrong_name_is_refused),
      UNIT(test_without_verification_anyone_is_trusted),
      UNIT(test_no_ca_file_is_our_own_fault),
      UNIT(test_bodies_that_pause_are_exact),
      UNIT(test_a_connection_that_is_no_tls_is_refused),
      {NULL, NULL},
  };
  char dir[] = "/tmp/httpc-XXXXXX";
  signal(SIGPIPE, SIG_IGN);
  if (mkdtemp(dir) == NULL || chdir(dir) != 0 ||
      !make_certificate("right", "IP:127.0.0.1") ||
      !make_certificate("other", "DNS:other.example")) {
    fputs("skipped: openssl(1) makes no certificate here\n", stderr);
    return UNIT_SKIP;
  }
  httpc_init();
  int failed = unit_main("httpc_tls", tests);
  remove_certificate("right");
  remove_certificate("other");
  return chdir("/") != 0 || rmdir(dir) != 0 || failed;
}
