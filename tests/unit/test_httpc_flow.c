/* SPDX-License-Identifier: MIT
 *
 * The HTTP client: bodies that stop and go on, answers that come early, and
 * calls that are canceled at every point.
 */
#include "httpckit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define BIG (64u * MIB)
#define NONE "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static void serve_both(struct peer *peer) {
  while (peer_head(peer)) {
    if (peer_has(peer, "PUT ")) {
      if (peer_get_pattern(peer, BIG) != BIG)
        return;
      peer_say(peer, NONE);
    } else {
      peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n");
      if (peer_put_pattern(peer, BIG) != BIG)
        return;
    }
  }
}

/* KiB that the process ever had in memory. */
static long peak(void) {
  char line[256];
  long kib = 0;
  FILE *file = fopen("/proc/self/status", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, "VmHWM:", 6) == 0)
      kib = strtol(line + 6, NULL, 10);
  if (file != NULL)
    fclose(file);
  return kib;
}

/* Sanitizers keep what is freed. */
static bool memory_is_exact(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return false;
#endif
#endif
  return true;
}

static void exact(struct fetch fetch) {
  struct web web;
  long before = peak();
  web_init(&web, serve_both);
  web_start(&web);
  fetch_run(&fetch, &web);
  CU_ASSERT_EQUAL(fetch.result, HTTPC_OK);
  CU_ASSERT_FALSE(fetch.wrong);
  CU_ASSERT_TRUE(fetch.pauses > 0);
  server_stop(&web.server);
  if (fetch.length > 0) {
    CU_ASSERT_EQUAL(fetch.given, BIG);
    CU_ASSERT_EQUAL(web.server.received, BIG);
    CU_ASSERT_FALSE(web.server.wrong);
  } else {
    CU_ASSERT_EQUAL(fetch.got, BIG);
  }
  if (memory_is_exact())
    CU_ASSERT_TRUE(peak() - before < 8 * 1024);
  web_fini(&web);
}

static void test_a_download_that_pauses_is_exact_and_small(void) {
  exact((struct fetch){.pause_data = 2});
  exact((struct fetch){.pause_data = 7});
  exact((struct fetch){.pause_data = 3, .inside = true});
}

static void test_an_upload_that_pauses_is_exact_and_small(void) {
  exact((struct fetch){.method = "PUT", .length = BIG, .pause_read = 2});
  exact((struct fetch){.method = "PUT", .length = BIG, .pause_read = 5});
  exact((struct fetch){
      .method = "PUT", .length = BIG, .pause_read = 3, .inside = true});
}

static void serve_echo(struct peer *peer) {
  while (peer_head(peer)) {
    peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n");
    for (int i = 0; i < 64; i++) {
      char block[65536];
      pattern_fill(block, sizeof block, (uint64_t)i * sizeof block);
      peer_send(peer, block, sizeof block);
      if (peer_get_pattern(peer, 1) != 1)
        return;
    }
  }
}

static void test_both_ways_pause_at_once(void) {
  struct web web;
  struct fetch fetch = {
      .method = "PUT", .length = 64, .hold_read = true, .pause_data = 2};
  web_init(&web, serve_echo);
  web_start(&web);
  fetch_start(&fetch, &web);
  while (fetch.heads == 0)
    web_pass(&web);
  fetch_go_on(&fetch);
  while (!fetch.over)
    web_pass(&web);
  CU_ASSERT_EQUAL(fetch.got, 4 * MIB);
  CU_ASSERT_FALSE(fetch.wrong);
  CU_ASSERT_EQUAL(fetch.given, 64);
  fetch_fini(&fetch);
  web_fini(&web);
}

static void test_to_go_on_unasked_does_nothing(void) {
  struct web web;
  struct fetch fetch = {.pause_data = 64};
  web_init(&web, serve_both);
  web_start(&web);
  fetch_start(&fetch, &web);
  while (!fetch.over) {
    httpc_continue(fetch.call);
    httpc_continue(fetch.call);
    web_pass(&web);
  }
  CU_ASSERT_EQUAL(fetch.result, HTTPC_OK);
  CU_ASSERT_EQUAL(fetch.got, BIG);
  CU_ASSERT_FALSE(fetch.wrong);
  fetch_fini(&fetch);
  web_fini(&web);
}

/* ---- early answers ---- */

#define NO "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-Test: no\r\n"
#define NO_CHUNKED "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n"

static void serve_no_keep(struct peer *peer) {
  peer_head(peer);
  peer_say(peer, NO "\r\nno");
  peer_until_left(peer);
}

static void serve_no_close(struct peer *peer) {
  peer_head(peer);
  peer_say(peer, NO "Connection: close\r\n\r\nno");
  peer_until_left(peer);
}

static void serve_no_chunked(struct peer *peer) {
  peer_head(peer);
  peer_say(peer, NO_CHUNKED "Connection: close\r\n\r\n2\r\nno\r\n0\r\n\r\n");
  peer_until_left(peer);
}

static void serve_no_midway(struct peer *peer) {
  peer_head(peer);
  if (peer_has(peer, "PUT "))
    peer_get_pattern(peer, MIB);
  peer_say(peer, NO "Connection: close\r\n\r\nno");
  peer_until_left(peer);
}

/* Never reads, leaves when the answer was taken: the rest is reset. */
static void serve_no_unread(struct peer *peer) {
  peer_head(peer);
  peer_say(peer, NO "Connection: close\r\n\r\nno");
  peer_wait(peer);
}

/* The rest of the refusal comes when the client knows that it is one. */
static void serve_no_slowly(struct peer *peer) {
  peer_head(peer);
  peer_say(peer, NO "Connection: close\r\n\r\nn");
  peer_wait(peer);
  peer_say(peer, "o");
  peer_until_left(peer);
}

static void early(void (*serve)(struct peer *), bool hold) {
  struct web web;
  struct fetch fetch = {.method = "PUT", .length = BIG, .hold_read = hold},
               next = {.path = "/"};
  web_init(&web, serve);
  web_start(&web);
  fetch_start(&fetch, &web);
  while (fetch.datas == 0 && !fetch.over)
    web_pass(&web);
  sem_post(&web.server.gate);
  fetch_wait(&fetch);
  CU_ASSERT_EQUAL(fetch.result, HTTPC_OK);
  CU_ASSERT_EQUAL(fetch.status, 403);
  CU_ASSERT_STRING_EQUAL(fetch.body, "no");
  CU_ASSERT_TRUE(fetch.given < BIG);
  fetch_fini(&fetch);
  /* The body's rest must not be taken for a request. */
  sem_post(&web.server.gate);
  fetch_run(&next, &web);
  CU_ASSERT_EQUAL(next.status, 403);
  CU_ASSERT_EQUAL(web.server.accepted, 2);
  web_fini(&web);
}

static void test_an_early_refusal_is_an_answer(void) {
  early(serve_no_keep, false);
  early(serve_no_close, false);
  early(serve_no_chunked, false);
  early(serve_no_midway, false);
  early(serve_no_unread, false);
  early(serve_no_slowly, false);
}

static void test_an_early_refusal_is_seen_while_the_body_waits(void) {
  early(serve_no_keep, true);
  early(serve_no_close, true);
  early(serve_no_chunked, true);
  early(serve_no_unread, true);
  early(serve_no_slowly, true);
}

static void serve_continue(struct peer *peer) {
  peer_head(peer);
  peer_say(peer, "HTTP/1.1 100 Continue\r\nX-Test: interim\r\n\r\n");
  if (peer_get_pattern(peer, BIG) == BIG)
    peer_say(peer, "HTTP/1.1 200 OK\r\nX-Test: final\r\n"
                   "Content-Length: 0\r\n\r\n");
}

static void test_100_continue_before_a_body_is_dropped(void) {
  struct web web;
  struct fetch fetch = {.method = "PUT", .length = BIG, .pause_read = 3};
  web_init(&web, serve_continue);
  web_start(&web);
  fetch_run(&fetch, &web);
  CU_ASSERT_EQUAL(fetch.result, HTTPC_OK);
  CU_ASSERT_EQUAL(fetch.heads, 1);
  CU_ASSERT_STRING_EQUAL(fetch.header, "final");
  server_stop(&web.server);
  CU_ASSERT_EQUAL(web.server.received, BIG);
  web_fini(&web);
}

/* ---- cancel ---- */

/* After a call was canceled the client works on, with one connection that it
 * must have got back. */
static void works_on(struct web *web) {
  struct fetch fetch = {.pause_data = 50};
  fetch_run(&fetch, web);
  CU_ASSERT_EQUAL(fetch.result, HTTPC_OK);
  CU_ASSERT_EQUAL(fetch.got, BIG);
  web_fini(web);
}

static void web_of_one(struct web *web) {
  web_init(web, serve_both);
  web->settings.connections = 1;
  web_start(web);
}

static void test_cancel_before_it_began(void) {
  struct web web;
  struct fetch fetch = {.path = "/"};
  web_of_one(&web);
  fetch_start(&fetch, &web);
  fetch_cancel(&fetch);
  fetch_fini(&fetch);
  works_on(&web);
}

static void test_cancel_in_line(void) {
  struct web web;
  struct fetch first = {.hold_data = true}, second = {.path = "/"};
  web_of_one(&web);
  fetch_start(&first, &web);
  fetch_start(&second, &web);
  while (first.pauses == 0)
    web_pass(&web);
  fetch_cancel(&second);
  fetch_go_on(&first);
  fetch_wait(&first);
  CU_ASSERT_EQUAL(first.got, BIG);
  CU_ASSERT_EQUAL(second.datas, 0);
  fetch_fini(&first);
  fetch_fini(&second);
  works_on(&web);
}

/* At the n-th pass of the loop, whatever it is doing then. */
static void test_cancel_after_any_pass(void) {
  int canceled = 0;
  for (int passes = 1; passes <= 12; passes++) {
    struct web web;
    struct fetch get = {.pause_data = 2},
                 put = {.method = "PUT", .length = BIG, .pause_read = 2};
    struct fetch *fetch = passes % 2 == 0 ? &get : &put;
    web_of_one(&web);
    fetch_start(fetch, &web);
    for (int i = 0; i < passes && !fetch->over; i++)
      web_pass(&web);
    if (!fetch->over) {
      fetch_cancel(fetch);
      canceled++;
    }
    fetch_fini(fetch);
    works_on(&web);
  }
  CU_ASSERT_TRUE(canceled >= 2);
}

static void test_cancel_inside_an_own_event(void) {
  static const enum fetch_leave leaves[] = {
      FETCH_LEAVES_IN_HEAD, FETCH_LEAVES_IN_DATA, FETCH_LEAVES_IN_READ};
  for (size_t i = 0; i < sizeof leaves / sizeof leaves[0]; i++) {
    struct web web;
    struct fetch fetch = {.leave = leaves[i]};
    if (leaves[i] == FETCH_LEAVES_IN_READ) {
      fetch.method = "PUT";
      fetch.length = BIG;
    }
    web_of_one(&web);
    fetch_start(&fetch, &web);
    while (!fetch.over)
      web_pass(&web);
    CU_ASSERT_TRUE(fetch.left);
    fetch_fini(&fetch);
    works_on(&web);
  }
}

static void test_cancel_inside_an_event_of_another(void) {
  struct web web;
  struct fetch other = {.method = "PUT", .length = BIG},
               fetch = {.leave = FETCH_LEAVES_IN_DATA, .leaves = &other};
  web_init(&web, serve_both);
  web_start(&web);
  fetch_start(&other, &web);
  fetch_start(&fetch, &web);
  fetch_wait(&fetch);
  CU_ASSERT_EQUAL(fetch.got, BIG);
  CU_ASSERT_TRUE(other.left);
  fetch_fini(&fetch);
  fetch_fini(&other);
  works_on(&web);
}

static void test_cancel_while_paused(void) {
  struct web web;
  struct fetch get = {.hold_data = true},
               put = {.method = "PUT", .length = BIG, .hold_read = true};
  web_of_one(&web);
  fetch_start(&get, &web);
  while (get.pauses == 0)
    web_pass(&web);
  fetch_cancel(&get);
  fetch_start(&put, &web);
  while (put.pauses == 0)
    web_pass(&web);
  httpc_continue(put.call);
  fetch_cancel(&put);
  fetch_fini(&get);
  fetch_fini(&put);
  works_on(&web);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_download_that_pauses_is_exact_and_small),
      UNIT(test_an_upload_that_pauses_is_exact_and_small),
      UNIT(test_both_ways_pause_at_once),
      UNIT(test_to_go_on_unasked_does_nothing),
      UNIT(test_an_early_refusal_is_an_answer),
      UNIT(test_an_early_refusal_is_seen_while_the_body_waits),
      UNIT(test_100_continue_before_a_body_is_dropped),
      UNIT(test_cancel_before_it_began),
      UNIT(test_cancel_in_line),
      UNIT(test_cancel_after_any_pass),
      UNIT(test_cancel_inside_an_own_event),
      UNIT(test_cancel_inside_an_event_of_another),
      UNIT(test_cancel_while_paused),
      {NULL, NULL},
  };
  signal(SIGPIPE, SIG_IGN);
  httpc_init();
  return unit_main("httpc_flow", tests);
}
