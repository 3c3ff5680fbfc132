/* SPDX-License-Identifier: MIT
 *
 * Bodies on their way through an ingress: held back, cut off, malformed,
 * passed over.
 */
#include "ingresskit.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)
#define EARLY "GET /early HTTP/1.1\r\nHost: a\r\n\r\n"
#define LARGE ((size_t)8 << 20)
#define CHUNKED "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n"

static void both(void (*test)(bool tls)) {
  test(false);
  test(true);
}

static void send_length(struct client *c, const char *path, size_t length) {
  char head[128];
  snprintf(head, sizeof head,
           "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", path,
           length);
  client_send(c, head);
}

static void send_chunk(struct client *c, size_t length) {
  char line[32];
  snprintf(line, sizeof line, "%zx\r\n", length);
  client_send(c, line);
  client_fill(c, 'x', length);
  client_send(c, "\r\n");
}

/* ---- back-pressure ------------------------------------------------------ */

static void hold(bool tls, bool chunked) {
  struct bed bed;
  bed_init(&bed, tls, NULL);
  struct client *c = client_new(&bed);
  if (chunked) {
    client_send(c, "POST /hold HTTP/1.1\r\n" CHUNKED);
    for (int i = 0; i < 128; i++)
      send_chunk(c, LARGE / 128);
    client_send(c, "0\r\n\r\n");
  } else {
    send_length(c, "/hold", LARGE);
    client_fill(c, 'x', LARGE);
  }
  CU_ASSERT_TRUE(bed_await_requests(&bed, 1));
  bed_settle(&bed);
  size_t most = INGRESS_WINDOW + (tls ? 16384 : 0); /* a whole record */
  CU_ASSERT(bed_ahead(&bed) <= most);
  CU_ASSERT(client_unsent(c) > LARGE - (1 << 20));
  bed_go(&bed);
  CU_ASSERT_TRUE(client_await(c, 1));
  CU_ASSERT_TRUE(client_got(c, "read 8388608#"));
  CU_ASSERT(bed.most_ahead > 0 && bed.most_ahead <= most);
  client_send(c, EARLY);
  CU_ASSERT_TRUE(client_await(c, 2));
  bed_fini(&bed);
}

static void hold_length(bool tls) {
  hold(tls, false);
}

static void hold_chunked(bool tls) {
  hold(tls, true);
}

static void test_what_nobody_takes_stays_with_the_client(void) {
  both(hold_length);
}

static void test_chunks_that_nobody_takes_stay_with_the_client(void) {
  both(hold_chunked);
}

static void tiny_chunks(bool tls) {
  struct bed bed;
  bed_init(&bed, tls, NULL);
  struct client *c = client_new(&bed);
  client_send(c, "POST /read HTTP/1.1\r\n" CHUNKED);
  for (int i = 0; i < 50000; i++)
    client_send(c, "1\r\nx\r\n");
  client_send(c, "0\r\n\r\n" EARLY);
  CU_ASSERT_TRUE(client_await(c, 2));
  CU_ASSERT_TRUE(client_got(c, "read 50000#"));
  bed_fini(&bed);
}

static void test_a_body_of_tiny_chunks_arrives(void) {
  both(tiny_chunks);
}

static void test_a_body_that_is_held_back_has_no_timeout(void) {
  static const struct ingress_settings soon = {.head_timeout_ms = 60000,
                                               .body_timeout_ms = 150,
                                               .idle_timeout_ms = 60000,
                                               .write_timeout_ms = 60000};
  struct bed bed;
  bed_init(&bed, false, &soon);
  struct client *c = client_new(&bed);
  send_length(c, "/hold", LARGE);
  client_fill(c, 'x', LARGE);
  CU_ASSERT_TRUE(bed_await_requests(&bed, 1));
  for (int i = 0; i < 4; i++)
    bed_settle(&bed);
  CU_ASSERT_EQUAL(bed.gone, 0);
  bed_go(&bed);
  CU_ASSERT_TRUE(client_await(c, 1));
  bed_fini(&bed);
}

static void silence(bool tls) {
  static const struct ingress_settings soon = {.head_timeout_ms = 60000,
                                               .body_timeout_ms = 150,
                                               .idle_timeout_ms = 60000,
                                               .write_timeout_ms = 60000};
  struct bed bed;
  bed_init(&bed, tls, &soon);
  struct client *c = client_new(&bed);
  send_length(c, "/read", 10);
  client_send(c, "hello");
  CU_ASSERT_TRUE(client_await_end(c));
  CU_ASSERT_EQUAL(bed.gone, 1);
  CU_ASSERT_EQUAL(c->answers, 0);
  bed_fini(&bed);
}

static void test_silence_in_a_body_ends_the_request(void) {
  both(silence);
}

/* ---- 100 Continue ------------------------------------------------------- */

#define EXPECT "Host: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"

static void expect(bool tls) {
  struct bed bed;
  bed_init(&bed, tls, NULL);
  struct client *c = client_new(&bed);
  client_send(c, "POST /read HTTP/1.1\r\n" EXPECT);
  bed_settle(&bed);
  CU_ASSERT_STRING_EQUAL(c->got.data, "HTTP/1.1 100 Continue\r\n\r\n");
  client_send(c, "hello");
  CU_ASSERT_TRUE(client_await(c, 1));
  CU_ASSERT_EQUAL(client_count(c, "HTTP/1.1 "), 2);
  CU_ASSERT_TRUE(client_got(c, "read 5#"));
  client_send(c, EARLY);
  CU_ASSERT_TRUE(client_await(c, 2));
  bed_fini(&bed);
}

static void test_a_client_that_waits_is_told_to_continue(void) {
  both(expect);
}

static void test_who_sends_at_once_is_not_told_to_continue(void) {
  struct bed bed;
  bed_init(&bed, false, NULL);
  struct client *c = client_new(&bed);
  client_send(c, "POST /read HTTP/1.1\r\n" EXPECT "hello");
  CU_ASSERT_TRUE(client_await(c, 1));
  CU_ASSERT_EQUAL(client_count(c, "100 Continue"), 0);
  bed_fini(&bed);
}

static void test_who_waits_in_vain_is_closed(void) {
  struct bed bed;
  bed_init(&bed, false, NULL);
  struct client *c = client_new(&bed);
  client_send(c, "POST /early HTTP/1.1\r\n" EXPECT);
  CU_ASSERT_TRUE(client_await_end(c));
  CU_ASSERT_EQUAL(c->answers, 1);
  CU_ASSERT_EQUAL(client_count(c, "100 Continue"), 0);
  CU_ASSERT_TRUE(client_got(c, "Connection: close"));
  bed_fini(&bed);
}

/* ---- bad ends ----------------------------------------------------------- */

static void test_a_body_that_stops_in_the_middle_is_cut(void) {
  static const struct {
    const char *text, *want;
  } rows[] = {
      {"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello",
       "cut 5#"},
      {"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n",
       "cut 0#"},
      {"POST /read HTTP/1.1\r\n" CHUNKED, "cut 0#"},
      {"POST /read HTTP/1.1\r\n" CHUNKED "5\r\nhel", "cut 3#"},
      {"POST /read HTTP/1.1\r\n" CHUNKED "5\r\nhello\r\n", "cut 5#"},
      {"POST /read HTTP/1.1\r\n" CHUNKED "5\r\nhello\r\n0\r\n", "cut 5#"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct bed bed;
    bed_init(&bed, false, NULL);
    struct client *c = client_new(&bed);
    client_send(c, rows[i].text);
    client_half_close(c);
    ROW(rows[i].text, client_await_end(c) && !c->broken);
    ROW(rows[i].text, client_got(c, rows[i].want) && c->answers == 1);
    ROW(rows[i].text, bed.gone == 0 && bed.finished == 1);
    bed_fini(&bed);
  }
}

static void malformed(bool tls) {
  static const struct {
    const char *body, *want;
  } rows[] = {{"x", "bad 0#"},
              {"5\r\nhelloX", "bad 5#"},
              {"5\nhello", "bad 0#"},
              {"0x5\r\nhello\r\n", "bad 0#"},
              {"1\r\na\r\n-1\r\n", "bad 1#"},
              {"0\r\nbad trailer\r\n\r\n", "bad 0#"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct bed bed;
    bed_init(&bed, tls, NULL);
    struct client *c = client_new(&bed);
    client_send(c, "POST /read HTTP/1.1\r\n" CHUNKED);
    client_send(c, rows[i].body);
    client_send(c, EARLY);
    ROW(rows[i].body, client_await_end(c));
    ROW(rows[i].body, client_got(c, rows[i].want) && c->answers == 1);
    ROW(rows[i].body, bed.requests == 1);
    bed_fini(&bed);
  }
}

static void test_malformed_chunks_end_the_connection(void) {
  both(malformed);
}

/* ---- bodies that nobody reads ------------------------------------------- */

struct skip {
  const char *path;
  size_t length;
  bool chunked, stays;
};

static void skip_one(const struct skip *skip, bool tls) {
  char name[64];
  struct bed bed;
  bed_init(&bed, tls, NULL);
  struct client *c = client_new(&bed);
  if (skip->chunked) {
    client_send(c, "POST /early HTTP/1.1\r\n" CHUNKED);
    send_chunk(c, skip->length);
    client_send(c, "0\r\n\r\n");
  } else {
    send_length(c, "/early", skip->length);
    client_fill(c, 'x', skip->length);
  }
  client_send(c, EARLY);
  snprintf(name, sizeof name, "%s of %zu, %s", skip->path, skip->length,
           tls ? "TLS" : "plain");
  ROW(name, skip->stays ? client_await(c, 2) : client_await_end(c));
  ROW(name, c->answers == (skip->stays ? 2 : 1));
  ROW(name, client_count(c, "HTTP/1.1 200") == c->answers);
  bed_fini(&bed);
}

static void skips(bool tls) {
  static const struct skip rows[] = {
      {"length", 1, false, true},
      {"length", INGRESS_SKIP_MAX - 1, false, true},
      {"length", INGRESS_SKIP_MAX, false, true},
      {"length", INGRESS_SKIP_MAX + 1, false, false},
      {"chunked", 1, true, true},
      {"chunked", INGRESS_SKIP_MAX, true, true},
      {"chunked", INGRESS_SKIP_MAX + 1, true, false},
      {"chunked", 3 * INGRESS_SKIP_MAX, true, false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    skip_one(&rows[i], tls);
}

static void test_an_unread_body_is_passed_over_up_to_1_mib(void) {
  both(skips);
}

/* The owner looked at a piece and didn't take it: that belongs to what is
 * left.  Whatever the answer said of the connection has to be true. */
static void test_a_piece_that_was_seen_counts_as_unread(void) {
  static const size_t rows[] = {INGRESS_SKIP_MAX - 1000,
                                INGRESS_SKIP_MAX,
                                INGRESS_SKIP_MAX + 1,
                                INGRESS_SKIP_MAX + 1000,
                                INGRESS_SKIP_MAX + INGRESS_WINDOW,
                                INGRESS_SKIP_MAX + 2 * INGRESS_WINDOW};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct bed bed;
    char name[32];
    bed_init(&bed, false, NULL);
    struct client *c = client_new(&bed);
    send_length(c, "/look", rows[i]);
    client_fill(c, 'x', rows[i]);
    client_send(c, EARLY);
    client_await(c, 2);
    snprintf(name, sizeof name, "%zu", rows[i]);
    ROW(name, client_got(c, "look#"));
    ROW(name, client_got(c, "Connection: close") ? c->answers == 1
                                                 : client_got(c, "early#"));
    bed_fini(&bed);
  }
}

/* The client sends all it has before it reads: it must still get to see the
 * answer, and no reset. */
static void early(bool tls) {
  static const char *const heads[] = {
      "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 16777216\r\n\r\n",
      "POST /read HTTP/1.1\r\n" CHUNKED "nonsense", "nonsense\r\n\r\n",
      ("POST /early HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
       "Content-Length: 16777216\r\n\r\n")};
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
    struct bed bed;
    bed_init(&bed, tls, NULL);
    struct client *c = client_new(&bed);
    client_send(c, heads[i]);
    client_fill(c, 'x', 16 << 20);
    ROW(heads[i], client_await_end(c) && !c->broken);
    ROW(heads[i], c->answers == 1 && client_got(c, "Connection: close"));
    bed_fini(&bed);
  }
}

static void test_an_early_answer_reaches_a_client_that_sends_on(void) {
  early(false);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_what_nobody_takes_stays_with_the_client),
      UNIT(test_chunks_that_nobody_takes_stay_with_the_client),
      UNIT(test_a_body_of_tiny_chunks_arrives),
      UNIT(test_a_body_that_is_held_back_has_no_timeout),
      UNIT(test_silence_in_a_body_ends_the_request),
      UNIT(test_a_client_that_waits_is_told_to_continue),
      UNIT(test_who_sends_at_once_is_not_told_to_continue),
      UNIT(test_who_waits_in_vain_is_closed),
      UNIT(test_a_body_that_stops_in_the_middle_is_cut),
      UNIT(test_malformed_chunks_end_the_connection),
      UNIT(test_an_unread_body_is_passed_over_up_to_1_mib),
      UNIT(test_a_piece_that_was_seen_counts_as_unread),
      UNIT(test_an_early_answer_reaches_a_client_that_sends_on),
      {NULL, NULL}};
  return unit_main("ingress_body", tests);
}
