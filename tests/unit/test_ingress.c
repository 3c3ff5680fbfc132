/* SPDX-License-Identifier: MIT
 *
 * Heads on their way through an ingress: cut anywhere, one behind the other,
 * refused, too large, too slow.
 */
#include "ingresskit.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)
#define EARLY "GET /early HTTP/1.1\r\nHost: a\r\n\r\n"

/* Each test is run over a plain connection and over TLS. */
static void both(void (*test)(bool tls)) {
  test(false);
  test(true);
}

/* A head of `size` bytes, to be freed. */
static char *head_of(size_t size) {
  static const char first[] = "GET /early HTTP/1.1\r\nHost: a\r\n";
  char *head = malloc(size + 1);
  size_t at = sizeof first - 1;
  memcpy(head, first, at);
  for (int i = 0; size - at > 2; i++) {
    size_t left = size - at - 2;
    size_t line = left > 8000 ? 4000 : left;
    memset(head + at, 'x', line);
    memcpy(head + at, i % 2 ? "A: " : "B: ", 3);
    memcpy(head + at + line - 2, "\r\n", 2);
    at += line;
  }
  memcpy(head + size - 2, "\r\n", 3);
  return head;
}

/* ---- one after the other ------------------------------------------------ */

static void byte_by_byte(bool tls) {
  struct bed bed;
  bed_init(&bed, tls, NULL);
  struct client *c = client_new(&bed);
  client_dribble(c, "POST /read?q HTTP/1.1\r\nHost: a\r\n"
                    "Content-Length: 5\r\n\r\nhello" EARLY
                    "POST /read HTTP/1.1\r\nHost: a\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n"
                    "3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nT: v\r\n\r\n" EARLY);
  CU_ASSERT_TRUE(client_await(c, 4));
  CU_ASSERT_STRING_EQUAL(bed.said.data, "POST /read?q;GET /early;"
                                        "POST /read;GET /early;");
  CU_ASSERT_STRING_EQUAL(bed.bodies.data, "helloabcd");
  CU_ASSERT_EQUAL(bed.finished, 4);
  bed_fini(&bed);
}

static void test_requests_may_come_byte_by_byte(void) {
  both(byte_by_byte);
}

static void pipelined(bool tls) {
  struct bed bed;
  bed_init(&bed, tls, NULL);
  struct client *c = client_new(&bed);
  for (int i = 0; i < 100; i++)
    client_send(c, EARLY "POST /read HTTP/1.1\r\nHost: a\r\n"
                         "Content-Length: 3\r\n\r\nabc"
                         "POST /early HTTP/1.1\r\nHost: a\r\n"
                         "Content-Length: 4\r\n\r\nskip"
                         "POST /early HTTP/1.1\r\nHost: a\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n"
                         "4\r\nskip\r\n0\r\n\r\n"
                         "POST /read HTTP/1.1\r\nHost: a\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n"
                         "2\r\nde\r\n0\r\n\r\n");
  CU_ASSERT_TRUE(client_await(c, 500));
  CU_ASSERT_EQUAL(bed.requests, 500);
  CU_ASSERT_EQUAL(bed.bodies.len, 500);
  CU_ASSERT_EQUAL(strncmp(bed.bodies.data, "abcdeabcde", 10), 0);
  CU_ASSERT_EQUAL(client_count(c, "Connection: close"), 0);
  bed_fini(&bed);
}

static void test_pipelined_requests_are_answered_in_order(void) {
  both(pipelined);
}

static void test_a_request_waits_for_the_answer_to_the_one_before(void) {
  struct bed bed;
  bed_init(&bed, false, NULL);
  struct client *c = client_new(&bed);
  client_send(c, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n" EARLY);
  CU_ASSERT_TRUE(bed_await_requests(&bed, 1));
  bed_settle(&bed);
  CU_ASSERT_EQUAL(bed.requests, 1);
  bed_go(&bed);
  CU_ASSERT_TRUE(client_await(c, 2));
  CU_ASSERT_STRING_EQUAL(bed.said.data, "GET /wait;GET /early;");
  bed_fini(&bed);
}

/* Bytes that come while a request is answered aren't read without bound. */
static void flood(bool tls) {
  struct bed bed;
  bed_init(&bed, tls, NULL);
  struct client *c = client_new(&bed);
  client_send(c, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  client_fill(c, 'x', 4 << 20);
  CU_ASSERT_TRUE(bed_await_requests(&bed, 1));
  bed_settle(&bed);
  /* OpenSSL gives whole records. */
  CU_ASSERT(bed_ahead(&bed) <= INGRESS_WINDOW + (tls ? 16384 : 0));
  CU_ASSERT(client_unsent(c) > 3 << 20);
  bed_fini(&bed);
}

static void test_a_flood_behind_a_request_is_held_back(void) {
  both(flood);
}

static void test_versions_decide_whether_a_connection_stays(void) {
  static const struct {
    const char *head;
    bool closes;
  } rows[] = {
      {"GET /early HTTP/1.1\r\nHost: a\r\n\r\n", false},
      {"GET /early HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", true},
      {"GET /early HTTP/1.0\r\n\r\n", true},
      {"GET /early HTTP/1.0\r\nConnection: close\r\n\r\n", true},
      {"HEAD /early HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", true},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct bed bed;
    bed_init(&bed, false, NULL);
    struct client *c = client_new(&bed);
    client_send(c, rows[i].head);
    if (rows[i].closes) {
      ROW(rows[i].head, client_await_end(c));
      ROW(rows[i].head, client_got(c, "Connection: close"));
    } else {
      ROW(rows[i].head, client_await(c, 1));
      client_send(c, rows[i].head);
      ROW(rows[i].head, client_await(c, 2));
    }
    bed_fini(&bed);
  }
}

static void test_the_answer_to_head_has_no_body(void) {
  struct bed bed;
  bed_init(&bed, false, NULL);
  struct client *c = client_new(&bed);
  client_send(c, "HEAD /early HTTP/1.1\r\nHost: a\r\n\r\n" EARLY);
  CU_ASSERT_TRUE(client_await(c, 1));
  CU_ASSERT_EQUAL(client_count(c, "HTTP/1.1 200"), 2);
  CU_ASSERT_EQUAL(bed.finished, 2);
  bed_fini(&bed);
}

/* ---- empty lines -------------------------------------------------------- */

static void test_empty_lines_before_a_request_are_passed_over(void) {
  struct bed bed;
  bed_init(&bed, false, NULL);
  struct client *c = client_new(&bed);
  client_send(c, "\r\n\r\n" EARLY "\r\n" EARLY);
  CU_ASSERT_TRUE(client_await(c, 2));
  client_dribble(c, "\r\n\r\n\r\n" EARLY);
  CU_ASSERT_TRUE(client_await(c, 3));
  CU_ASSERT_STRING_EQUAL(bed.said.data, "GET /early;GET /early;GET /early;");
  bed_fini(&bed);
}

/* However many there are, none of what follows may get lost. */
static void test_nothing_is_lost_behind_many_empty_lines(void) {
  static const size_t rows[] = {1, 10, 16383, 16384, 16385, 20000, 30000};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct bed bed;
    bed_init(&bed, false, NULL);
    struct client *c = client_new(&bed);
    client_send(c, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    for (size_t j = 0; j < rows[i]; j++)
      client_send(c, "\r\n");
    client_send(c, EARLY);
    CU_ASSERT_TRUE(bed_await_requests(&bed, 1));
    bed_settle(&bed); /* all of it is there, in one piece */
    bed_go(&bed);
    bed_settle(&bed);
    /* Either way: served, or refused. */
    CU_ASSERT(c->answers == 2 || c->ended);
    bed_fini(&bed);
  }
}

/* ---- refusals ----------------------------------------------------------- */

static void test_a_refused_head_is_answered_and_the_connection_closed(void) {
  static const struct {
    const char *head;
    const char *want;
  } rows[] = {
      {"GET /a HTTP/1.1\n\n", "refused 400#"},
      {"GET /a HTTP/1.1\r\nHost: a\nB: c\r\n\r\n", "refused 400#"},
      {"GET /a HTTP/1.1\r\nHost: a\r\nB: \rc\r\n\r\n", "refused 400#"},
      {"GET /a HTTP/1.1\r\n\r\n", "refused 400#"},
      {"GET /a HTTP/2.0\r\nHost: a\r\n\r\n", "refused 505#"},
      {"nonsense\r\n\r\n", "refused 400#"},
      {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
       "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "refused 400#"},
      {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
       "Content-Length: 4\r\n\r\nabcd",
       "refused 400#"},
      {"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nabcd",
       "refused 501#"},
      {"\n" EARLY, "refused 400#"},
      {"\n", "refused 400#"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct bed bed;
    bed_init(&bed, false, NULL);
    struct client *c = client_new(&bed);
    client_send(c, rows[i].head);
    client_send(c, i + 1 < sizeof rows / sizeof *rows ? EARLY : "");
    ROW(rows[i].head, client_await_end(c) && !c->broken);
    ROW(rows[i].head, client_got(c, rows[i].want) && c->answers == 1);
    ROW(rows[i].head, client_got(c, "Connection: close"));
    ROW(rows[i].head, bed.requests == 1);
    bed_fini(&bed);
  }
}

static void test_a_refusal_may_come_behind_good_requests(void) {
  struct bed bed;
  bed_init(&bed, false, NULL);
  struct client *c = client_new(&bed);
  client_send(c, EARLY EARLY "bad\r\n\r\n" EARLY);
  CU_ASSERT_TRUE(client_await_end(c));
  CU_ASSERT_STRING_EQUAL(bed.said.data, "GET /early;GET /early;refused 400;");
  CU_ASSERT_EQUAL(c->answers, 3);
  bed_fini(&bed);
}

static void head_limit(bool tls) {
  static const struct {
    size_t size;
    bool behind; /* another request, and so all of it in one piece */
    const char *want;
  } rows[] = {{INGRESS_HEAD_MAX, false, "early#"},
              {INGRESS_HEAD_MAX + 1, false, "refused 431#"},
              {INGRESS_HEAD_MAX + 5000, false, "refused 431#"},
              {INGRESS_HEAD_MAX, true, "early#"},
              {INGRESS_HEAD_MAX + 1, true, "refused 431#"},
              {INGRESS_HEAD_MAX + 5000, true, "refused 431#"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct bed bed;
    bed_init(&bed, tls, NULL);
    struct client *c = client_new(&bed);
    char *head = head_of(rows[i].size);
    if (rows[i].behind)
      client_send(c, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    client_send(c, head);
    bed_settle(&bed);
    bed_go(&bed);
    char name[64];
    snprintf(name, sizeof name, "%zu %d %d", rows[i].size, rows[i].behind,
             tls);
    ROW(name, client_await(c, rows[i].behind ? 2 : 1));
    ROW(name, client_got(c, rows[i].want));
    free(head);
    bed_fini(&bed);
  }
}

static void test_a_head_of_more_than_32_kib_is_431(void) {
  both(head_limit);
}

static void test_an_endless_head_is_refused_before_it_ends(void) {
  struct bed bed;
  bed_init(&bed, false, NULL);
  struct client *c = client_new(&bed);
  client_send(c, "GET /early HTTP/1.1\r\nHost: a\r\nA: ");
  client_fill(c, 'x', 200000);
  CU_ASSERT_TRUE(client_await_end(c));
  CU_ASSERT_FALSE(c->broken);
  CU_ASSERT_TRUE(client_got(c, "refused 431#"));
  bed_fini(&bed);
}

static void test_a_large_head_behind_an_empty_line_is_kept(void) {
  struct bed bed;
  bed_init(&bed, false, NULL);
  struct client *c = client_new(&bed);
  char *head = head_of(INGRESS_HEAD_MAX);
  client_send(c, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n\r\n");
  client_send(c, head);
  client_send(c, EARLY);
  bed_settle(&bed);
  bed_go(&bed);
  client_await(c, 3);
  CU_ASSERT_EQUAL(client_count(c, "early#"), 2);
  free(head);
  bed_fini(&bed);
}

/* ---- time --------------------------------------------------------------- */

static void test_a_slow_head_is_cut_off(void) {
  static const struct ingress_settings soon = {.head_timeout_ms = 150,
                                               .body_timeout_ms = 60000,
                                               .idle_timeout_ms = 60000,
                                               .write_timeout_ms = 60000};
  static const char *const rows[] = {"", "G", "GET / HTTP/1.1\r\nHost: a\r\n",
                                     "\r", "\r\n"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct bed bed;
    bed_init(&bed, false, &soon);
    struct client *c = client_new(&bed);
    client_send(c, rows[i]);
    ROW(rows[i], client_await_end(c));
    ROW(rows[i], bed.requests == 0 && bed_await_open(&bed, 0));
    bed_fini(&bed);
  }
}

/* Sends a piece whenever the loop has had a moment; how often until the end,
 * at most `most`. */
static int keep_sending(struct client *c, const char *one, const char *other,
                        int most) {
  int n = 0;
  while (n < most && !c->ended) {
    client_send(c, n % 2 ? other : one);
    bed_settle(c->bed);
    n++;
  }
  return n;
}

static void test_a_head_has_its_time_in_all_not_for_each_byte(void) {
  static const struct ingress_settings soon = {.head_timeout_ms = 300,
                                               .body_timeout_ms = 60000,
                                               .idle_timeout_ms = 60000,
                                               .write_timeout_ms = 60000};
  static const char *const rows[][3] = {{"G", "E", "letters"},
                                        {"\r\n", "\r\n", "empty lines"},
                                        {"\r", "\n", "halves of them"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct bed bed;
    bed_init(&bed, false, &soon);
    struct client *c = client_new(&bed);
    ROW(rows[i][2], keep_sending(c, rows[i][0], rows[i][1], 40) < 40);
    bed_fini(&bed);
  }
}

static void test_an_idle_connection_is_closed_after_its_own_time(void) {
  static const struct ingress_settings soon = {.head_timeout_ms = 60000,
                                               .body_timeout_ms = 60000,
                                               .idle_timeout_ms = 150,
                                               .write_timeout_ms = 60000};
  struct bed bed;
  bed_init(&bed, false, &soon);
  struct client *c = client_new(&bed);
  client_send(c, EARLY);
  CU_ASSERT_TRUE(client_await(c, 1));
  CU_ASSERT_TRUE(client_await_end(c));
  CU_ASSERT_EQUAL(bed.requests, 1);
  bed_fini(&bed);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_requests_may_come_byte_by_byte),
      UNIT(test_pipelined_requests_are_answered_in_order),
      UNIT(test_a_request_waits_for_the_answer_to_the_one_before),
      UNIT(test_a_flood_behind_a_request_is_held_back),
      UNIT(test_versions_decide_whether_a_connection_stays),
      UNIT(test_the_answer_to_head_has_no_body),
      UNIT(test_empty_lines_before_a_request_are_passed_over),
      UNIT(test_nothing_is_lost_behind_many_empty_lines),
      UNIT(test_a_refused_head_is_answered_and_the_connection_closed),
      UNIT(test_a_refusal_may_come_behind_good_requests),
      UNIT(test_a_head_of_more_than_32_kib_is_431),
      UNIT(test_an_endless_head_is_refused_before_it_ends),
      UNIT(test_a_large_head_behind_an_empty_line_is_kept),
      UNIT(test_a_slow_head_is_cut_off),
      UNIT(test_a_head_has_its_time_in_all_not_for_each_byte),
      UNIT(test_an_idle_connection_is_closed_after_its_own_time),
      {NULL, NULL}};
  return unit_main("ingress", tests);
}
