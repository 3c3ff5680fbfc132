/* SPDX-License-Identifier: MIT
 *
 * The events that wait: they are added, read, tried again and removed.
 */
#include "event_queue.h"

#include <stdlib.h>
#include <string.h>

#include "queue_file.h"

static bool run(sqlite3_stmt *statement) {
  bool done = sqlite3_step(statement) == SQLITE_DONE;
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return done;
}

static bool event_queue_add(struct queue *queue,
                            const struct queue_item *item) {
  sqlite3_stmt *put = queue->put;
  sqlite3_bind_text(put, 1, item->id, -1, SQLITE_STATIC);
  sqlite3_bind_blob(put, 2, item->key, (int)strlen(item->key), SQLITE_STATIC);
  sqlite3_bind_int64(put, 3, item->created_ms);
  sqlite3_bind_blob64(put, 4, item->body, item->len, SQLITE_STATIC);
  return run(put);
}

static bool settle(struct queue *queue, const struct queue_result *result) {
  if (!result->over) {
    sqlite3_bind_int64(queue->again, 1, result->number);
    sqlite3_bind_int64(queue->again, 2, result->due_ms);
    sqlite3_bind_int64(queue->again, 3, result->attempts);
    return run(queue->again);
  }
  sqlite3_bind_int64(queue->next, 1, result->number);
  sqlite3_bind_int64(queue->erase, 1, result->number);
  return run(queue->next) && run(queue->erase);
}

static bool apply(struct queue *queue, struct queue_item *const *items,
                  size_t item_count, const struct queue_result *results,
                  size_t result_count) {
  for (size_t i = 0; i < item_count; i++)
    if (!event_queue_add(queue, items[i]))
      return false;
  for (size_t i = 0; i < result_count; i++)
    if (!settle(queue, &results[i]))
      return false;
  return true;
}

bool queue_change(struct queue *queue, struct queue_item *const *items,
                  size_t item_count, const struct queue_result *results,
                  size_t result_count, struct errmsg *why) {
  if (item_count + result_count == 0)
    return true;
  if (run(queue->begin) &&
      apply(queue, items, item_count, results, result_count) &&
      run(queue->commit))
    return true;
  errmsg_set(why, "the queue says: %s (%d)", sqlite3_errmsg(queue->db),
             sqlite3_extended_errcode(queue->db));
  if (!sqlite3_get_autocommit(queue->db))
    run(queue->rollback);
  return false;
}

static bool is_held(const struct queue_page *page, int64_t number) {
  for (size_t i = 0; i < page->held_count; i++)
    if (page->held[i] == number)
      return true;
  return false;
}

/* A body that can't be had now comes with a later page. */
static bool event_queue_take(struct queue_page *page, sqlite3_stmt *row) {
  struct queue_event *event = &page->events[page->count];
  const char *id = (const char *)sqlite3_column_text(row, 2);
  const void *body = sqlite3_column_blob(row, 5);
  size_t len = (size_t)sqlite3_column_bytes(row, 5);
  char *copy = malloc(len + 1);
  if (id == NULL || strlen(id) != QUEUE_ID_LEN || body == NULL ||
      copy == NULL) {
    free(copy);
    return false;
  }
  *event = (struct queue_event){.number = sqlite3_column_int64(row, 0),
                                .created_ms = sqlite3_column_int64(row, 3),
                                .attempts = sqlite3_column_int64(row, 4),
                                .body = copy,
                                .len = len};
  memcpy(event->id, id, QUEUE_ID_LEN + 1);
  memcpy(copy, body, len);
  page->count++;
  return true;
}

bool queue_load(struct queue *queue, struct queue_page *page,
                struct errmsg *why) {
  int step;
  bool fine = true;
  page->count = 0;
  page->next_ms = 0;
  while (fine && (step = sqlite3_step(queue->ready)) == SQLITE_ROW) {
    int64_t due = sqlite3_column_int64(queue->ready, 1);
    if (is_held(page, sqlite3_column_int64(queue->ready, 0)))
      continue;
    if (due > page->now_ms)
      page->next_ms = due;
    if (due > page->now_ms || page->count == page->room) {
      step = SQLITE_DONE;
      break;
    }
    fine = event_queue_take(page, queue->ready);
  }
  if (!fine || step != SQLITE_DONE)
    errmsg_set(why, "the queue says: %s",
               fine ? sqlite3_errmsg(queue->db) : "a row can't be read");
  sqlite3_reset(queue->ready);
  return fine && step == SQLITE_DONE;
}

int64_t queue_count(struct queue *queue) {
  int64_t count = -1;
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2(queue->db, "SELECT count(*) FROM event", -1,
                         &statement, NULL) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW)
    count = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return count;
}
