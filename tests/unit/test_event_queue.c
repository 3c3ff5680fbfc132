/* SPDX-License-Identifier: MIT
 *
 * The queue of the hook events: order per key, pages, and what a new start
 * finds.
 */
#include "event_queue.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW 1000000

struct place {
  char folder[64];
  struct queue *queue;
};

static void place_init(struct place *place) {
  struct errmsg why = {""};
  snprintf(place->folder, sizeof place->folder, "queue-XXXXXX");
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(place->folder));
  place->queue = queue_open(place->folder, NOW, &why);
  CU_ASSERT_STRING_EQUAL(why.text, "");
  CU_ASSERT_PTR_NOT_NULL_FATAL(place->queue);
}

static void reopen(struct place *place, int64_t now) {
  struct errmsg why = {""};
  queue_close(place->queue);
  place->queue = queue_open(place->folder, now, &why);
  CU_ASSERT_STRING_EQUAL(why.text, "");
  CU_ASSERT_PTR_NOT_NULL_FATAL(place->queue);
}

static void place_fini(struct place *place) {
  static const char *const names[] = {"", "-wal", "-shm"};
  char path[128];
  queue_close(place->queue);
  for (size_t i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "%s/" QUEUE_FILE "%s", place->folder,
             names[i]);
    unlink(path);
  }
  CU_ASSERT_EQUAL(rmdir(place->folder), 0);
}

/* An event whose body is one letter. */
static void put(struct place *place, const char *key, const char *letter) {
  struct errmsg why;
  struct queue_item item = {
      .key = key, .body = letter, .len = 1, .created_ms = NOW};
  struct queue_item *items[] = {&item};
  memset(item.id, 'a', QUEUE_ID_LEN);
  CU_ASSERT_TRUE(queue_change(place->queue, items, 1, NULL, 0, &why));
}

static void settle(struct place *place, int64_t number, bool over,
                   int64_t due) {
  struct errmsg why;
  struct queue_result result = {
      .number = number, .over = over, .due_ms = due, .attempts = 7};
  CU_ASSERT_TRUE(queue_change(place->queue, NULL, 0, &result, 1, &why));
}

/* Loads a page, and says whether its letters are those; `page` says what is
 * held. */
static bool loads(struct place *place, struct queue_page *page, int64_t now,
                  size_t room, const char *want) {
  struct errmsg why = {""};
  char letters[QUEUE_PAGE_MAX + 1] = "";
  page->now_ms = now;
  page->room = room;
  bool done = queue_load(place->queue, page, &why);
  for (size_t i = 0; i < page->count; i++) {
    letters[i] = page->events[i].body[0];
    free(page->events[i].body);
  }
  return done && strcmp(letters, want) == 0;
}

static void test_only_the_first_of_each_key_is_ready(void) {
  struct place place;
  struct queue_page page = {0};
  place_init(&place);
  put(&place, "x", "1");
  put(&place, "x", "2");
  put(&place, "y", "3");
  put(&place, "x", "4");
  CU_ASSERT_TRUE(loads(&place, &page, NOW, 10, "13"));
  settle(&place, page.events[0].number, true, 0);
  CU_ASSERT_TRUE(loads(&place, &page, NOW, 10, "23"));
  settle(&place, page.events[0].number, true, 0);
  settle(&place, page.events[1].number, true, 0);
  CU_ASSERT_TRUE(loads(&place, &page, NOW, 10, "4"));
  settle(&place, page.events[0].number, true, 0);
  CU_ASSERT_TRUE(loads(&place, &page, NOW, 10, ""));
  CU_ASSERT_EQUAL(page.next_ms, 0);
  CU_ASSERT_EQUAL(queue_count(place.queue), 0);
  place_fini(&place);
}

static void test_event_that_failed_keeps_its_key_waiting_until_due(void) {
  struct place place;
  struct queue_page page = {0};
  place_init(&place);
  put(&place, "x", "1");
  put(&place, "x", "2");
  CU_ASSERT_TRUE(loads(&place, &page, NOW, 10, "1"));
  settle(&place, page.events[0].number, false, NOW + 50);
  CU_ASSERT_TRUE(loads(&place, &page, NOW + 49, 10, ""));
  CU_ASSERT_EQUAL(page.next_ms, NOW + 50);
  CU_ASSERT_TRUE(loads(&place, &page, NOW + 50, 10, "1"));
  CU_ASSERT_EQUAL(page.events[0].attempts, 7);
  place_fini(&place);
}

static void test_page_has_room_for_so_many_and_none_that_is_held(void) {
  struct place place;
  struct queue_page page = {0};
  place_init(&place);
  put(&place, "x", "1");
  put(&place, "y", "2");
  put(&place, "z", "3");
  CU_ASSERT_TRUE(loads(&place, &page, NOW, 2, "12"));
  page.held_count = 2;
  page.held[0] = page.events[0].number;
  page.held[1] = page.events[1].number;
  CU_ASSERT_TRUE(loads(&place, &page, NOW, 2, "3"));
  CU_ASSERT_TRUE(loads(&place, &page, NOW, 0, ""));
  place_fini(&place);
}

static void test_new_start_finds_everything(void) {
  struct place place;
  struct queue_page page = {0};
  place_init(&place);
  put(&place, "x", "1");
  put(&place, "x", "2");
  CU_ASSERT_TRUE(loads(&place, &page, NOW, 10, "1"));
  settle(&place, page.events[0].number, false, NOW + 50);
  reopen(&place, NOW);
  CU_ASSERT_EQUAL(queue_count(place.queue), 2);
  CU_ASSERT_TRUE(loads(&place, &page, NOW, 10, ""));
  CU_ASSERT_TRUE(loads(&place, &page, NOW + 50, 10, "1"));
  place_fini(&place);
}

static void test_clock_that_was_set_back_does_not_stop_it(void) {
  struct place place;
  struct queue_page page = {0};
  place_init(&place);
  put(&place, "x", "1");
  CU_ASSERT_TRUE(loads(&place, &page, NOW, 10, "1"));
  settle(&place, page.events[0].number, false, NOW + 86400001);
  reopen(&place, NOW);
  CU_ASSERT_TRUE(loads(&place, &page, NOW, 10, "1"));
  place_fini(&place);
}

static void test_transaction_is_all_or_nothing(void) {
  struct place place;
  struct errmsg why;
  struct queue_item good = {
      .key = "x", .body = "1", .len = 1, .created_ms = NOW};
  struct queue_item bad = good;
  struct queue_item *items[] = {&good, &bad};
  place_init(&place);
  bad.body = NULL; /* the column is NOT NULL */
  CU_ASSERT_FALSE(queue_change(place.queue, items, 2, NULL, 0, &why));
  CU_ASSERT_EQUAL(queue_count(place.queue), 0);
  put(&place, "x", "1");
  CU_ASSERT_EQUAL(queue_count(place.queue), 1);
  place_fini(&place);
}

static void test_queue_is_of_one_opener(void) {
  struct place place;
  struct errmsg why = {""};
  place_init(&place);
  CU_ASSERT_PTR_NULL(queue_open(place.folder, NOW, &why));
  CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "another gateway"));
  place_fini(&place);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_only_the_first_of_each_key_is_ready),
      UNIT(test_event_that_failed_keeps_its_key_waiting_until_due),
      UNIT(test_page_has_room_for_so_many_and_none_that_is_held),
      UNIT(test_new_start_finds_everything),
      UNIT(test_clock_that_was_set_back_does_not_stop_it),
      UNIT(test_transaction_is_all_or_nothing),
      UNIT(test_queue_is_of_one_opener),
      {NULL, NULL}};
  return unit_main("event_queue", tests);
}
