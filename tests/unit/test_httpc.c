/* SPDX-License-Identifier: MIT
 *
 * The HTTP client: what it sends, what it makes of answers, how calls fail,
 * and which connections it keeps.
 */
#include "httpckit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

#define SAYS(name, text)                \
  static void name(struct peer *peer) { \
    while (peer_head(peer))             \
      peer_say(peer, text);             \
  }

SAYS(says_hello, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                 "X-Test: \t yes \t \r\nx-test: no\r\n\r\nhello")
SAYS(says_nothing, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
SAYS(says_length_only, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n"
                       "X-Test: head\r\n\r\n")
SAYS(says_elsewhere, "HTTP/1.1 302 Found\r\nLocation: /there\r\n"
                     "Content-Length: 4\r\n\r\naway")
SAYS(says_interim, "HTTP/1.1 100 Continue\r\nX-Test: interim\r\n\r\n"
                   "HTTP/1.1 103 Early Hints\r\nX-Test: hint\r\n\r\n"
                   "HTTP/1.1 201 Created\r\nX-Test: final\r\n"
                   "Content-Length: 2\r\n\r\nok")
SAYS(says_trailer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                   "Trailer: X-Test\r\n\r\n"
                   "5\r\nhello\r\n0\r\nX-Test: trailer\r\n\r\n")
SAYS(says_folded, "HTTP/1.1 200 OK\r\nX-Test: a\r\n b: c\r\n"
                  "Content-Length: 0\r\n\r\n")
SAYS(says_ssh, "SSH-2.0-OpenSSH_9.2\r\n")

static void test_an_answer_has_status_header_and_body(void) {
  struct web web;
  struct fetch fetch = {.path = "/"};
  web_init(&web, says_hello);
  web_start(&web);
  fetch_run(&fetch, &web);
  CU_ASSERT_EQUAL(fetch.result, HTTPC_OK);
  CU_ASSERT_EQUAL(fetch.status, 200);
  CU_ASSERT_EQUAL(fetch.heads, 1);
  CU_ASSERT_STRING_EQUAL(fetch.header, "yes"); /* the first, trimmed */
  CU_ASSERT_STRING_EQUAL(fetch.body, "hello");
  web_fini(&web);
}

/* The whole head as the server got it; "$" is its port. */
static void sends(const char *method, const char *path, int64_t length,
                  const char *const *headers, const char *want) {
  struct web web;
  struct fetch fetch = {
      .method = method, .path = path, .length = length, .headers = headers};
  char line[1024], host[64];
  web_init(&web, says_nothing);
  web_start(&web);
  fetch_run(&fetch, &web);
  CU_ASSERT_EQUAL(fetch.result, HTTPC_OK);
  server_stop(&web.server);
  snprintf(host, sizeof host, "Host: 127.0.0.1:%d\r\n", web.server.port);
  snprintf(line, sizeof line, "%s %s HTTP/1.1\r\n%s%s\r\n", method, path,
           headers != NULL && strstr(headers[0], "Host:") ? "" : host, want);
  CU_ASSERT_STRING_EQUAL(web.server.heads[0], line);
  web_fini(&web);
}

static void test_nothing_is_added_to_the_headers(void) {
  static const char *const some[] = {"X-A: b", "X-Empty:", "Accept: x/y",
                                     NULL};
  static const char *const host[] = {"Host: other.example", NULL};
  sends("GET", "/", 0, NULL, "");
  sends("GET", "/", 0, some, "X-A: b\r\nX-Empty:\r\nAccept: x/y\r\n");
  sends("GET", "/", 0, host, "Host: other.example\r\n");
  sends("DELETE", "/", 0, NULL, "");
  sends("HEAD", "/", 0, NULL, "");
  sends("POST", "/", FETCH_EMPTY, NULL, "Content-Length: 0\r\n");
  sends("PUT", "/", FETCH_EMPTY, NULL, "Content-Length: 0\r\n");
}

static void test_the_url_is_sent_as_it_is(void) {
  static const char *const paths[] = {
      "/a/../b/./c",
      "/../..",
      "/%2e%2E/%2f%7e/%C3%a9",
      "//a//b//",
      "/?list-type=2&prefix=%2F..%2f&x=",
      "/a;b,c=d'(e)!*",
      "/a+b%20c?d+e",
      "/.%2F.",
  };
  for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
    sends("GET", paths[i], 0, NULL, "");
}

static void serve_body(struct peer *peer) {
  while (peer_head(peer) && peer_get_pattern(peer, 100000) == 100000)
    peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

static void test_a_body_has_its_length_and_no_expect(void) {
  struct web web;
  struct fetch put = {.method = "PUT", .length = 100000},
               post = {.method = "POST", .length = 100000};
  web_init(&web, serve_body);
  web_start(&web);
  fetch_run(&put, &web);
  fetch_run(&post, &web);
  CU_ASSERT_EQUAL(put.result, HTTPC_OK);
  CU_ASSERT_EQUAL(post.result, HTTPC_OK);
  server_stop(&web.server);
  CU_ASSERT_EQUAL(web.server.received, 200000);
  CU_ASSERT_FALSE(web.server.wrong);
  CU_ASSERT_PTR_NOT_NULL(
      strstr(web.server.heads[0], "\r\nContent-Length: 100000\r\n"));
  CU_ASSERT_PTR_NULL(strstr(web.server.heads[0], "Expect"));
  CU_ASSERT_PTR_NULL(strstr(web.server.heads[1], "Content-Type"));
  web_fini(&web);
}

/* The end of a GET that is answered so. */
static void answered(void (*serve)(struct peer *), const char *method,
                     enum httpc_result result, int status, const char *header,
                     const char *body) {
  struct web web;
  struct fetch fetch = {.method = method};
  web_init(&web, serve);
  web_start(&web);
  fetch_run(&fetch, &web);
  CU_ASSERT_EQUAL(fetch.result, result);
  if (result == HTTPC_OK) {
    CU_ASSERT_EQUAL(fetch.heads, 1);
    CU_ASSERT_EQUAL(fetch.status, status);
    CU_ASSERT_STRING_EQUAL(fetch.header, header);
    CU_ASSERT_STRING_EQUAL(fetch.body, body);
  }
  web_fini(&web);
}

static void test_a_head_answer_has_no_body(void) {
  answered(says_length_only, "HEAD", HTTPC_OK, 200, "head", "");
}

static void test_redirects_are_not_followed(void) {
  answered(says_elsewhere, "GET", HTTPC_OK, 302, "(none)", "away");
}

static void test_interim_heads_are_dropped(void) {
  answered(says_interim, "GET", HTTPC_OK, 201, "final", "ok");
}

static void test_trailers_are_no_headers(void) {
  answered(says_trailer, "GET", HTTPC_OK, 200, "(none)", "hello");
}

static void test_a_folded_header_is_refused(void) {
  answered(says_folded, "GET", HTTPC_BROKEN, 0, "", "");
}

static void test_what_is_no_http_is_broken(void) {
  answered(says_ssh, "GET", HTTPC_BROKEN, 0, "", "");
}

/* ---- limits of heads ---- */

static void serve_headers(struct peer *peer) {
  while (peer_head(peer)) {
    int count = peer_has(peer, " /128 ") ? 128 : 129;
    peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
    for (int i = 1; i < count; i++)
      peer_say(peer, "X: y\r\n");
    peer_say(peer, "\r\n");
  }
}

/* A head of so many bytes: "HTTP/1.1 200 OK", one header, an empty line. */
static void say_long_head(struct peer *peer, size_t len) {
  static const char start[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ";
  char block[HTTPC_HEAD_MAX + 1];
  memset(block, 'x', sizeof block);
  memcpy(block, start, sizeof start - 1);
  memcpy(block + len - 4, "\r\n\r\n", 4);
  peer_send(peer, block, len);
}

static void serve_long_heads(struct peer *peer) {
  while (peer_head(peer))
    say_long_head(peer, peer_has(peer, " /fits ") ? HTTPC_HEAD_MAX
                                                  : HTTPC_HEAD_MAX + 1);
}

static void serve_interim_for_ever(struct peer *peer) {
  peer_head(peer);
  for (int i = 0; i < 4000; i++)
    peer_say(peer, "HTTP/1.1 100 Continue\r\n\r\n");
  peer_until_left(peer);
}

static void serve_endless_head(struct peer *peer) {
  char block[1024];
  peer_head(peer);
  peer_say(peer, "HTTP/1.1 200 OK\r\nX: ");
  memset(block, 'x', sizeof block);
  for (int i = 0; i < 1024; i++)
    peer_send(peer, block, sizeof block);
  peer_until_left(peer);
}

static void limit(void (*serve)(struct peer *), const char *path,
                  enum httpc_result result, const char *why) {
  struct web web;
  struct fetch fetch = {.path = path};
  web_init(&web, serve);
  web_start(&web);
  fetch_run(&fetch, &web);
  CU_ASSERT_EQUAL(fetch.result, result);
  CU_ASSERT_PTR_NOT_NULL(strstr(fetch.why, why));
  web_fini(&web);
}

static void test_128_headers_pass_and_129_do_not(void) {
  limit(serve_headers, "/128", HTTPC_OK, "");
  limit(serve_headers, "/129", HTTPC_BROKEN, "too many headers");
}

static void test_a_head_of_64_kib_passes_and_a_byte_more_does_not(void) {
  limit(serve_long_heads, "/fits", HTTPC_OK, "");
  limit(serve_long_heads, "/more", HTTPC_BROKEN, "head is too long");
}

static void test_interim_heads_do_not_come_for_ever(void) {
  limit(serve_interim_for_ever, "/", HTTPC_BROKEN, "head is too long");
}

static void test_an_endless_header_is_refused(void) {
  limit(serve_endless_head, "/", HTTPC_BROKEN, "");
}

/* ---- connections ---- */

static void test_a_connection_is_kept(void) {
  struct web web;
  web_init(&web, says_hello);
  web_start(&web);
  for (int i = 0; i < 5; i++) {
    struct fetch fetch = {.path = "/"};
    fetch_run(&fetch, &web);
    CU_ASSERT_EQUAL(fetch.result, HTTPC_OK);
  }
  CU_ASSERT_EQUAL(web.server.accepted, 1);
  struct fetch fetch = {.new_connection = true};
  fetch_run(&fetch, &web);
  CU_ASSERT_EQUAL(web.server.accepted, 2);
  web_fini(&web);
}

static void serve_once(struct peer *peer) {
  if (peer_head(peer))
    peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

static void test_a_server_that_closes_kept_connections_is_no_error(void) {
  struct web web;
  web_init(&web, serve_once);
  web_start(&web);
  for (int i = 0; i < 5; i++) {
    struct fetch fetch = {.path = "/"};
    fetch_run(&fetch, &web);
    CU_ASSERT_EQUAL(fetch.result, HTTPC_OK);
  }
  web_fini(&web);
}

/* The first connection takes a second request and leaves without a word, the
 * race of every kept connection. */
static void serve_then_leave(struct peer *peer) {
  if (!peer_head(peer))
    return;
  peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  if (!peer_head(peer) || peer->number == 0)
    return;
  peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

static void stale(const char *method, int64_t length, enum httpc_result result,
                  int requests) {
  struct web web;
  struct fetch first = {.path = "/"},
               second = {.method = method, .length = length};
  web_init(&web, serve_then_leave);
  web_start(&web);
  fetch_run(&first, &web);
  fetch_run(&second, &web);
  CU_ASSERT_EQUAL(first.result, HTTPC_OK);
  CU_ASSERT_EQUAL(second.result, result);
  CU_ASSERT_EQUAL(web.server.requests, requests);
  web_fini(&web);
}

static void test_only_what_is_safe_is_sent_again(void) {
  stale("GET", 0, HTTPC_OK, 3);
  stale("HEAD", 0, HTTPC_OK, 3);
  stale("DELETE", 0, HTTPC_OK, 3);
  stale("POST", 0, HTTPC_BROKEN, 2);
  stale("POST", FETCH_EMPTY, HTTPC_BROKEN, 2);
  stale("PUT", FETCH_EMPTY, HTTPC_BROKEN, 2);
  stale("PUT", 10, HTTPC_BROKEN, 2);
  stale("PUT", 10000000, HTTPC_BROKEN, 2);
}

/* Each waits until as many are there as there may be. */
static void serve_together(struct peer *peer) {
  while (peer_head(peer)) {
    server_tell(peer->server);
    peer_wait(peer);
    peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }
}

#define CROWD 40

static void test_calls_beyond_the_limit_wait(void) {
  struct web web;
  struct fetch crowd[CROWD] = {{.path = "/"}};
  web_init(&web, serve_together);
  web_start(&web);
  for (int i = 0; i < CROWD; i++)
    fetch_start(&crowd[i], &web);
  web_wait_told(&web, 4);
  for (int i = 0; i < CROWD; i++)
    sem_post(&web.server.gate);
  for (int i = 0; i < CROWD; i++) {
    fetch_wait(&crowd[i]);
    CU_ASSERT_EQUAL(crowd[i].result, HTTPC_OK);
    fetch_fini(&crowd[i]);
  }
  CU_ASSERT_EQUAL(web.server.requests, CROWD);
  CU_ASSERT_EQUAL(web.server.accepted, 4);
  web_fini(&web);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_an_answer_has_status_header_and_body),
      UNIT(test_nothing_is_added_to_the_headers),
      UNIT(test_the_url_is_sent_as_it_is),
      UNIT(test_a_body_has_its_length_and_no_expect),
      UNIT(test_a_head_answer_has_no_body),
      UNIT(test_redirects_are_not_followed),
      UNIT(test_interim_heads_are_dropped),
      UNIT(test_trailers_are_no_headers),
      UNIT(test_a_folded_header_is_refused),
      UNIT(test_what_is_no_http_is_broken),
      UNIT(test_128_headers_pass_and_129_do_not),
      UNIT(test_a_head_of_64_kib_passes_and_a_byte_more_does_not),
      UNIT(test_interim_heads_do_not_come_for_ever),
      UNIT(test_an_endless_header_is_refused),
      UNIT(test_a_connection_is_kept),
      UNIT(test_a_server_that_closes_kept_connections_is_no_error),
      UNIT(test_only_what_is_safe_is_sent_again),
      UNIT(test_calls_beyond_the_limit_wait),
      {NULL, NULL},
  };
  signal(SIGPIPE, SIG_IGN);
  httpc_init();
  return unit_main("httpc", tests);
}
