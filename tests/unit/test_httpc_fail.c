/* SPDX-License-Identifier: MIT
 *
 * The HTTP client: how calls fail, and when they are given up.
 */
#include "httpckit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

#define SHORT_MS 200

static void serve_reset(struct peer *peer) {
  peer_head(peer);
  peer_reset(peer);
}

static void serve_leave(struct peer *peer) {
  peer_head(peer);
}

static void serve_half_head(struct peer *peer) {
  peer_head(peer);
  peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Le");
}

static void serve_short_body(struct peer *peer) {
  peer_head(peer);
  peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
  peer_put_pattern(peer, 99999);
}

static void serve_reset_in_body(struct peer *peer) {
  serve_short_body(peer);
  peer_reset(peer);
}

static void serve_short_chunk(struct peer *peer) {
  peer_head(peer);
  peer_say(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "10\r\nhello");
}

static void serve_interim_only(struct peer *peer) {
  peer_head(peer);
  peer_say(peer, "HTTP/1.1 100 Continue\r\n\r\n");
}

static void serve_stall(struct peer *peer) {
  peer_head(peer);
  peer_until_left(peer);
}

static void serve_stall_in_body(struct peer *peer) {
  peer_head(peer);
  peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234");
  peer_until_left(peer);
}

/* Reads a bit of the body, then no more. */
static void serve_stall_reading(struct peer *peer) {
  peer_head(peer);
  peer_get_pattern(peer, 100000);
  peer_wait(peer);
}

static void fails(const char *name, void (*serve)(struct peer *),
                  struct fetch *fetch, enum httpc_result want) {
  struct web web;
  web_init(&web, serve);
  if (want == HTTPC_TIMEOUT)
    web.settings.idle_timeout_ms = SHORT_MS;
  web_start(&web);
  fetch_run(fetch, &web);
  if (fetch->result != want)
    fprintf(stderr, "%s: %d, not %d: %s\n", name, (int)fetch->result,
            (int)want, fetch->why);
  CU_ASSERT_EQUAL(fetch->result, want);
  CU_ASSERT_NOT_EQUAL(fetch->why[0], 0);
  web_fini(&web);
}

static void test_a_cut_exchange_is_broken(void) {
  static const struct {
    const char *name;
    void (*serve)(struct peer *);
  } rows[] = {
      {"reset before the head", serve_reset},
      {"left before the head", serve_leave},
      {"left in the head", serve_half_head},
      {"left in the body", serve_short_body},
      {"reset in the body", serve_reset_in_body},
      {"left in a chunk", serve_short_chunk},
      {"left after an interim head", serve_interim_only},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct fetch get = {.path = "/"}, put = {.method = "PUT", .length = 1};
    fails(rows[i].name, rows[i].serve, &get, HTTPC_BROKEN);
    fails(rows[i].name, rows[i].serve, &put, HTTPC_BROKEN);
  }
}

static void test_a_stall_is_a_timeout(void) {
  struct fetch head = {.path = "/"}, body = {.path = "/"},
               put = {.method = "PUT", .length = 64 * (int64_t)MIB};
  fails("no head", serve_stall, &head, HTTPC_TIMEOUT);
  fails("no more body", serve_stall_in_body, &body, HTTPC_TIMEOUT);
  fails("not read", serve_stall_reading, &put, HTTPC_TIMEOUT);
}

/* A port that nobody listens at: it was bound, and isn't any more. */
static int unused_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t len = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  bind(fd, (struct sockaddr *)&address, len);
  getsockname(fd, (struct sockaddr *)&address, &len);
  close(fd);
  return ntohs(address.sin_port);
}

static void test_no_connection_is_connect(void) {
  char url[64];
  snprintf(url, sizeof url, "http://127.0.0.1:%d/", unused_port());
  struct fetch get = {.url = url},
               put = {.url = url, .method = "PUT", .length = 1000};
  fails("refused", NULL, &get, HTTPC_CONNECT);
  fails("refused", NULL, &put, HTTPC_CONNECT);
  CU_ASSERT_EQUAL(put.given, 0);
}

static void test_an_url_that_is_none_is_our_own_fault(void) {
  static const char *const urls[] = {"ftp://127.0.0.1/",
                                     "http://",
                                     "",
                                     "http://[",
                                     "file:///etc/passwd",
                                     "http://user:secret@127.0.0.1/"};
  for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
    struct fetch fetch = {.url = urls[i]};
    fails(urls[i], NULL, &fetch, HTTPC_LOCAL);
    CU_ASSERT_PTR_NULL(strstr(fetch.why, "secret"));
  }
}

static void test_no_descriptor_is_our_own_fault(void) {
  struct web web;
  struct fetch fetch = {.url = "http://127.0.0.1:1/"};
  struct rlimit limit, less;
  web_init(&web, NULL);
  web_start(&web);
  getrlimit(RLIMIT_NOFILE, &limit);
  less = limit;
  int next = dup(0);
  close(next);
  less.rlim_cur = (rlim_t)next;
  setrlimit(RLIMIT_NOFILE, &less);
  fetch_run(&fetch, &web);
  setrlimit(RLIMIT_NOFILE, &limit);
  CU_ASSERT_EQUAL(fetch.result, HTTPC_LOCAL);
  web_fini(&web);
}

static void serve_many(struct peer *peer) {
  while (peer_head(peer))
    peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

/* RFC 6761 says of this domain that no name of it is found, ever. */
static void test_a_name_that_is_unknown_spoils_no_later_call(void) {
  struct web web;
  web_init(&web, serve_many);
  web_start(&web);
  for (int i = 0; i < 3; i++) {
    struct fetch unknown = {.url = "http://nosuchhost.invalid/"};
    struct fetch get = {.path = "/"},
                 put = {.method = "PUT", .length = FETCH_EMPTY};
    fetch_run(&unknown, &web);
    CU_ASSERT_EQUAL(unknown.result, HTTPC_CONNECT);
    CU_ASSERT_PTR_NOT_NULL(strstr(unknown.why, "nosuchhost.invalid"));
    fetch_run(&get, &web);
    CU_ASSERT_EQUAL(get.result, HTTPC_OK);
    fetch_run(&put, &web);
    CU_ASSERT_EQUAL(put.result, HTTPC_OK);
    if (get.result != HTTPC_OK)
      fprintf(stderr, "after an unknown name: %s\n", get.why);
  }
  web_fini(&web);
}

/* As many as may be open at once, all of them to names that are unknown. */
static void test_many_unknown_names_at_once_spoil_no_later_call(void) {
  enum { MANY = 16 };
  struct web web;
  struct fetch unknown[MANY] = {0};
  web_init(&web, serve_many);
  web_start(&web);
  for (int i = 0; i < MANY; i++) {
    unknown[i].url = "http://nosuchhost.invalid/";
    fetch_start(&unknown[i], &web);
  }
  for (int i = 0; i < MANY; i++) {
    fetch_wait(&unknown[i]);
    CU_ASSERT_EQUAL(unknown[i].result, HTTPC_CONNECT);
    fetch_fini(&unknown[i]);
  }
  for (int i = 0; i < MANY; i++) {
    struct fetch get = {.path = "/"};
    fetch_run(&get, &web);
    CU_ASSERT_EQUAL(get.result, HTTPC_OK);
  }
  web_fini(&web);
}

/* A listener whose queue is full answers no SYN. */
static void test_a_connection_that_takes_too_long_is_connect(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t len = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0), fillers[4];
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  bind(fd, (struct sockaddr *)&address, len);
  getsockname(fd, (struct sockaddr *)&address, &len);
  listen(fd, 0);
  for (int i = 0; i < 4; i++) {
    fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(fillers[i], (struct sockaddr *)&address, len);
  }
  struct web web;
  char url[64];
  snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
  struct fetch fetch = {.url = url};
  web_init(&web, NULL);
  web.settings.connect_timeout_ms = SHORT_MS;
  web_start(&web);
  fetch_run(&fetch, &web);
  CU_ASSERT_EQUAL(fetch.result, HTTPC_CONNECT);
  web_fini(&web);
  for (int i = 0; i < 4; i++)
    close(fillers[i]);
  close(fd);
}

/* A byte each 40 ms, by the clock that poll(2) is: 400 ms in all. */
static void serve_drip(struct peer *peer) {
  peer_head(peer);
  peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
  for (int i = 0; i < 10; i++) {
    poll(NULL, 0, 40);
    peer_put_pattern(peer, 1);
  }
}

/* 64 KiB each 10 ms: 640 ms in all, of which the kernel hides some. */
static void serve_drip_reading(struct peer *peer) {
  int small = 262144;
  setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  peer_head(peer);
  char *block = malloc(65536);
  for (size_t got = 0; got < 4 * MIB;) {
    poll(NULL, 0, 10);
    ssize_t n = recv(peer->fd, block, 65536, 0);
    if (n <= 0)
      break;
    got += (size_t)n;
  }
  free(block);
  peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

static void test_a_slow_drip_passes(void) {
  struct fetch down = {.path = "/"},
               up = {.method = "PUT", .length = 4 * (int64_t)MIB};
  fails("down", serve_drip, &down, HTTPC_OK);
  fails("up", serve_drip_reading, &up, HTTPC_OK);
}

static void test_the_total_timeout_ends_a_drip(void) {
  struct web web;
  struct fetch fetch = {.path = "/"};
  web_init(&web, serve_drip);
  web.settings.total_timeout_ms = SHORT_MS;
  web_start(&web);
  fetch_run(&fetch, &web);
  CU_ASSERT_EQUAL(fetch.result, HTTPC_TIMEOUT);
  CU_ASSERT_TRUE(fetch.got < 10);
  web_fini(&web);
}

static void on_time(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  *(bool *)arg = true;
}

/* Runs the loop for so long. */
static void web_for(struct web *web, int ms) {
  bool over = false;
  struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
  event_base_once(web->base, -1, EV_TIMEOUT, on_time, &over, &wait);
  while (!over)
    web_pass(web);
}

static void serve_big(struct peer *peer) {
  while (peer_head(peer)) {
    peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n");
    peer_put_pattern(peer, 8 * MIB);
  }
}

static void test_a_paused_answer_does_not_time_out(void) {
  struct web web;
  struct fetch fetch = {.hold_data = true};
  web_init(&web, serve_big);
  web.settings.idle_timeout_ms = SHORT_MS;
  web_start(&web);
  fetch_start(&fetch, &web);
  web_for(&web, 3 * SHORT_MS);
  CU_ASSERT_FALSE(fetch.over);
  fetch_go_on(&fetch);
  fetch_wait(&fetch);
  CU_ASSERT_EQUAL(fetch.result, HTTPC_OK);
  CU_ASSERT_EQUAL(fetch.got, 8 * MIB);
  CU_ASSERT_FALSE(fetch.wrong);
  fetch_fini(&fetch);
  web_fini(&web);
}

static void serve_small_put(struct peer *peer) {
  peer_head(peer);
  peer_get_pattern(peer, 1000);
  peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  peer_until_left(peer);
}

static void test_a_paused_body_does_not_time_out(void) {
  struct web web;
  struct fetch fetch = {.method = "PUT", .length = 1000, .hold_read = true};
  web_init(&web, serve_small_put);
  web.settings.idle_timeout_ms = SHORT_MS;
  web_start(&web);
  fetch_start(&fetch, &web);
  web_for(&web, 3 * SHORT_MS);
  CU_ASSERT_FALSE(fetch.over);
  fetch_go_on(&fetch);
  fetch_wait(&fetch);
  CU_ASSERT_EQUAL(fetch.result, HTTPC_OK);
  fetch_fini(&fetch);
  web_fini(&web);
}

static void test_waiting_for_a_connection_has_an_end(void) {
  struct web web;
  struct fetch first = {.hold_data = true}, second = {.path = "/"};
  web_init(&web, serve_big);
  web.settings.idle_timeout_ms = SHORT_MS;
  web.settings.connections = 1;
  web_start(&web);
  fetch_start(&first, &web);
  fetch_start(&second, &web);
  fetch_wait(&second);
  CU_ASSERT_EQUAL(second.result, HTTPC_TIMEOUT);
  CU_ASSERT_PTR_NOT_NULL(strstr(second.why, "no connection came free"));
  fetch_cancel(&first);
  fetch_fini(&first);
  fetch_fini(&second);
  web_fini(&web);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_cut_exchange_is_broken),
      UNIT(test_a_stall_is_a_timeout),
      UNIT(test_no_connection_is_connect),
      UNIT(test_a_name_that_is_unknown_spoils_no_later_call),
      UNIT(test_many_unknown_names_at_once_spoil_no_later_call),
      UNIT(test_an_url_that_is_none_is_our_own_fault),
      UNIT(test_no_descriptor_is_our_own_fault),
      UNIT(test_a_connection_that_takes_too_long_is_connect),
      UNIT(test_a_slow_drip_passes),
      UNIT(test_the_total_timeout_ends_a_drip),
      UNIT(test_a_paused_answer_does_not_time_out),
      UNIT(test_a_paused_body_does_not_time_out),
      UNIT(test_waiting_for_a_connection_has_an_end),
      {NULL, NULL},
  };
  signal(SIGPIPE, SIG_IGN);
  httpc_init();
  return unit_main("httpc_fail", tests);
}
