/* SPDX-License-Identifier: MIT
 *
 * How requests and connections of an ingress end: half closed, reset, aborted,
 * evicted, drained.
 */
#include "ingresskit.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)
#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path) \
  "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhello"

static void both(void (*test)(bool tls)) {
  test(false);
  test(true);
}

/* ---- the client has said its last word ---------------------------------- */

static void test_who_half_closes_still_gets_its_answers(void) {
  static const struct {
    const char *text;
    size_t answers;
  } rows[] = {
      {GET("/early"), 1},
      {GET("/early") GET("/early") GET("/early"), 3},
      {GET("/big"), 1},
      {GET("/early") GET("/big"), 2},
      {"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 1},
      {"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 1},
      {"POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
       "1\r\na\r\n0\r\n\r\n",
       1},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct bed bed;
    bed_init(&bed, false, NULL);
    struct client *c = client_new(&bed);
    client_send(c, rows[i].text);
    client_half_close(c);
    ROW(rows[i].text, client_await_end(c) && !c->broken);
    ROW(rows[i].text, c->answers == rows[i].answers);
    ROW(rows[i].text, bed.gone == 0 && bed.finished == rows[i].answers);
    ROW(rows[i].text, bed_await_open(&bed, 0));
    bed_fini(&bed);
  }
}

static void test_a_half_close_does_not_end_what_is_under_way(void) {
  struct bed bed;
  bed_init(&bed, false, NULL);
  struct client *c = client_new(&bed);
  client_send(c, GET("/wait"));
  client_half_close(c);
  CU_ASSERT_TRUE(bed_await_requests(&bed, 1));
  bed_settle(&bed);
  CU_ASSERT_EQUAL(bed.gone, 0);
  bed_go(&bed);
  CU_ASSERT_TRUE(client_await_end(c));
  CU_ASSERT_TRUE(client_got(c, "wait#"));
  CU_ASSERT_TRUE(client_got(c, "Connection: close"));
  bed_fini(&bed);
}

/* Bytes that came before the last word aren't lost with it. */
static void test_what_came_before_a_half_close_is_answered(void) {
  static const struct {
    const char *text; /* behind what waits */
    size_t answers;
  } rows[] = {
      {GET("/early"), 1},
      {GET("/early") GET("/wait") GET("/early"), 3},
      {GET("/early") "GET /ear", 1},
      {"GET / HTTP/1.1\nbad\r\n\r\n" GET("/early"), 1},
      {"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" GET(
           "/early"),
       2},
      {"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel", 1},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct bed bed;
    bed_init(&bed, false, NULL);
    struct client *c = client_new(&bed);
    client_send(c, GET("/wait"));
    client_send(c, rows[i].text);
    client_half_close(c);
    ROW(rows[i].text, bed_await_requests(&bed, 1));
    bed_settle(&bed);
    while (bed.items != NULL) {
      bed_go(&bed);
      bed_settle(&bed);
    }
    ROW(rows[i].text, client_await_end(c) && !c->broken);
    ROW(rows[i].text, c->answers == 1 + rows[i].answers);
    ROW(rows[i].text, bed.gone == 0 && bed_await_open(&bed, 0));
    bed_fini(&bed);
  }
}

static void test_a_half_close_in_the_middle_of_an_answer_is_fine(void) {
  struct bed bed;
  bed_init(&bed, false, NULL);
  struct client *c = client_new(&bed);
  client_deafen(c);
  client_send(c, GET("/big"));
  CU_ASSERT_TRUE(bed_await_requests(&bed, 1));
  bed_settle(&bed);
  CU_ASSERT_EQUAL(bed.finished, 0);
  client_half_close(c);
  bed_settle(&bed);
  client_listen(c);
  CU_ASSERT_TRUE(client_await_end(c));
  CU_ASSERT_FALSE(c->broken);
  CU_ASSERT_EQUAL(c->answers, 1);
  CU_ASSERT_EQUAL(bed.gone, 0);
  bed_fini(&bed);
}

/* ---- the client goes ---------------------------------------------------- */

static void reset(bool tls) {
  static const char *const rows[] = {
      GET("/wait"), POST("/wait"), POST("/read"), POST("/hold"), GET("/big")};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct bed bed;
    bed_init(&bed, tls, NULL);
    struct client *c = client_new(&bed);
    client_deafen(c);
    if (tls)
      client_listen(c); /* to the handshake */
    client_send(c, rows[i]);
    ROW(rows[i], bed_await_requests(&bed, 1));
    client_reset(c);
    ROW(rows[i], bed_await_gone(&bed, 1) && bed_await_open(&bed, 0));
    ROW(rows[i], bed.finished == 0);
    bed_fini(&bed);
  }
}

static void test_a_reset_is_noticed_whatever_goes_on(void) {
  reset(false);
}

static void test_a_reset_of_tls_is_noticed(void) {
  struct bed bed;
  bed_init(&bed, true, NULL);
  struct client *c = client_new(&bed);
  client_send(c, GET("/wait"));
  CU_ASSERT_TRUE(bed_await_requests(&bed, 1));
  client_reset(c);
  CU_ASSERT_TRUE(bed_await_gone(&bed, 1) && bed_await_open(&bed, 0));
  bed_fini(&bed);
}

/* With a window full of its body unread, nothing is read any more. */
static void test_a_reset_behind_a_full_window_is_noticed(void) {
  struct bed bed;
  bed_init(&bed, false, NULL);
  struct client *c = client_new(&bed);
  client_send(c, "POST /hold HTTP/1.1\r\nHost: a\r\n"
                 "Content-Length: 9000000\r\n\r\n");
  client_fill(c, 'x', 2 << 20);
  CU_ASSERT_TRUE(bed_await_requests(&bed, 1));
  bed_settle(&bed);
  client_reset(c);
  CU_ASSERT_TRUE(bed_await_gone(&bed, 1) && bed_await_open(&bed, 0));
  bed_fini(&bed);
}

static void leave_early(bool tls) {
  static const char *const rows[] = {"", "G", "GET / HTTP/1.1\r\n"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct bed bed;
    bed_init(&bed, tls, NULL);
    struct client *c = client_new(&bed);
    client_send(c, rows[i]);
    bed_settle(&bed);
    ROW(rows[i], ingress_open(bed.ingress) == 1);
    client_close(c);
    ROW(rows[i], bed_await_open(&bed, 0) && bed.requests == 0);
    bed_fini(&bed);
  }
}

static void test_who_leaves_without_a_request_leaves_nothing(void) {
  both(leave_early);
}

static void test_a_client_that_takes_nothing_is_cut_off(void) {
  static const struct ingress_settings soon = {.head_timeout_ms = 60000,
                                               .body_timeout_ms = 60000,
                                               .idle_timeout_ms = 60000,
                                               .write_timeout_ms = 150};
  struct bed bed;
  bed_init(&bed, false, &soon);
  struct client *c = client_new(&bed);
  client_deafen(c);
  client_send(c, GET("/big"));
  CU_ASSERT_TRUE(bed_await_gone(&bed, 1));
  CU_ASSERT_TRUE(bed_await_open(&bed, 0));
  bed_fini(&bed);
}

static void abortion(bool tls) {
  struct bed bed;
  bed_init(&bed, tls, NULL);
  struct client *c = client_new(&bed);
  client_send(c, POST("/abort"));
  CU_ASSERT_TRUE(client_await_end(c));
  CU_ASSERT_EQUAL(c->answers, 0);
  CU_ASSERT(bed.gone == 1 && bed.finished == 0);
  CU_ASSERT_EQUAL(ingress_open(bed.ingress), 0);
  bed_fini(&bed);
}

static void test_an_aborted_request_is_gone_at_once(void) {
  both(abortion);
}

/* ---- the gateway ends connections --------------------------------------- */

static void evict(bool tls) {
  struct bed bed;
  bed_init(&bed, tls, NULL);
  struct client *busy = client_new(&bed);
  client_send(busy, GET("/wait"));
  CU_ASSERT_TRUE(bed_await_requests(&bed, 1));
  struct client *half = client_new(&bed);
  client_send(half, "GET / HT");
  struct client *older = client_new(&bed), *newer = client_new(&bed);
  client_send(older, GET("/early"));
  CU_ASSERT_TRUE(client_await(older, 1));
  client_send(newer, GET("/early"));
  CU_ASSERT_TRUE(client_await(newer, 1));
  client_send(older, GET("/early")); /* so now it is the other's turn */
  CU_ASSERT_TRUE(client_await(older, 2));
  bed_settle(&bed);
  ingress_evict(bed.ingress, 1);
  CU_ASSERT_EQUAL(ingress_open(bed.ingress), 3);
  CU_ASSERT_TRUE(client_await_end(newer));
  CU_ASSERT_FALSE(older->ended);
  ingress_evict(bed.ingress, 100);
  CU_ASSERT_EQUAL(ingress_open(bed.ingress), 2);
  CU_ASSERT_TRUE(client_await_end(older));
  bed_go(&bed);
  CU_ASSERT_TRUE(client_await(busy, 1));
  client_send(half, "TP/1.1\r\nHost: a\r\n\r\n");
  CU_ASSERT_TRUE(bed_await_requests(&bed, 5));
  bed_fini(&bed);
}

static void test_idle_connections_make_room_oldest_first(void) {
  both(evict);
}

static void drain(bool tls) {
  struct bed bed;
  bed_init(&bed, tls, NULL);
  struct client *idle = client_new(&bed), *busy = client_new(&bed);
  struct client *half = client_new(&bed);
  client_send(idle, GET("/early"));
  client_send(busy, GET("/wait") GET("/early"));
  client_send(half, "GET /early HT");
  CU_ASSERT_TRUE(client_await(idle, 1));
  CU_ASSERT_TRUE(bed_await_requests(&bed, 2));
  bed_settle(&bed);
  ingress_drain(bed.ingress);
  CU_ASSERT_TRUE(client_await_end(idle));
  bed_go(&bed);
  client_send(half, "TP/1.1\r\nHost: a\r\n\r\n");
  CU_ASSERT_TRUE(client_await_end(busy));
  CU_ASSERT_TRUE(client_await_end(half));
  CU_ASSERT(busy->answers == 1 && client_got(busy, "Connection: close"));
  CU_ASSERT(half->answers == 1 && client_got(half, "Connection: close"));
  CU_ASSERT_TRUE(bed_await_open(&bed, 0));
  bed_fini(&bed);
}

static void test_draining_lets_requests_finish_and_then_closes(void) {
  both(drain);
}

static void close_all(bool tls) {
  struct bed bed;
  bed_init(&bed, tls, NULL);
  struct client *idle = client_new(&bed), *busy = client_new(&bed);
  struct client *body = client_new(&bed), *big = client_new(&bed);
  client_send(idle, GET("/early"));
  CU_ASSERT_TRUE(client_await(idle, 1));
  client_send(busy, GET("/wait"));
  client_send(body, POST("/hold"));
  CU_ASSERT_TRUE(bed_await_requests(&bed, 3));
  client_deafen(big);
  if (tls)
    client_listen(big);
  client_send(big, GET("/wait"));
  CU_ASSERT_TRUE(bed_await_requests(&bed, 4));
  ingress_close(bed.ingress);
  CU_ASSERT_EQUAL(ingress_open(bed.ingress), 0);
  CU_ASSERT(bed.gone == 3 && bed.finished == 1);
  bed_fini(&bed);
}

static void test_closing_ends_everything_at_once(void) {
  both(close_all);
}

static void test_the_other_end_has_an_address_and_a_time(void) {
  struct bed bed;
  bed_init(&bed, false, NULL);
  struct client *c = client_new(&bed);
  client_send(c, GET("/early"));
  CU_ASSERT_TRUE(client_await(c, 1));
  CU_ASSERT_STRING_EQUAL(bed.peer, "127.0.0.1");
  uint64_t first = bed.since;
  CU_ASSERT(first > 0);
  client_send(c, GET("/early"));
  CU_ASSERT_TRUE(client_await(c, 2));
  CU_ASSERT(bed.since > first);
  bed_fini(&bed);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_who_half_closes_still_gets_its_answers),
      UNIT(test_a_half_close_does_not_end_what_is_under_way),
      UNIT(test_what_came_before_a_half_close_is_answered),
      UNIT(test_a_half_close_in_the_middle_of_an_answer_is_fine),
      UNIT(test_a_reset_is_noticed_whatever_goes_on),
      UNIT(test_a_reset_of_tls_is_noticed),
      UNIT(test_a_reset_behind_a_full_window_is_noticed),
      UNIT(test_who_leaves_without_a_request_leaves_nothing),
      UNIT(test_a_client_that_takes_nothing_is_cut_off),
      UNIT(test_an_aborted_request_is_gone_at_once),
      UNIT(test_idle_connections_make_room_oldest_first),
      UNIT(test_draining_lets_requests_finish_and_then_closes),
      UNIT(test_closing_ends_everything_at_once),
      UNIT(test_the_other_end_has_an_address_and_a_time),
      {NULL, NULL}};
  return unit_main("ingress_end", tests);
}
