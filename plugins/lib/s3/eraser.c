/* SPDX-License-Identifier: MIT
 *
 * A queue of keys, and some calls that take from it.
 */
#include "eraser.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "call.h"

#define AT_ONCE 4

struct erasure { /* waits */
  STAILQ_ENTRY(erasure) link;
  size_t cost;
  char key[];
};

struct erasing { /* a call; its erasure is NULL: idle */
  struct eraser *eraser;
  struct erasure *erasure;
  struct s3_call *call;
  struct s3_request request;
};

struct eraser {
  struct s3_loop *loop;
  STAILQ_HEAD(erasure_list, erasure) list;
  size_t count;
  struct erasing calls[AT_ONCE];
};

static void erasure_free(struct eraser *eraser, struct erasure *erasure) {
  sluice_memory_give(eraser->loop->host, erasure->cost);
  free(erasure);
}

static void eraser_start(struct eraser *eraser, struct erasing *erasing);

static void eraser_on_erased(void *arg, struct s3_call *call,
                             const struct s3_answer *answer) {
  struct erasing *erasing = arg;
  struct eraser *eraser = erasing->eraser;
  (void)call;
  erasing->call = NULL;
  if (answer->status != SLUICE_OK && answer->status != SLUICE_ENOENT)
    sluice_log(eraser->loop->host, SLUICE_LOG_DEBUG,
               "an object of a stage is left for the sweep: %s", answer->why);
  erasure_free(eraser, erasing->erasure);
  erasing->erasure = NULL;
  eraser_start(eraser, erasing);
}

static void eraser_start(struct eraser *eraser, struct erasing *erasing) {
  static const struct s3_events events = {.done = eraser_on_erased};
  struct erasure *first = STAILQ_FIRST(&eraser->list);
  if (first == NULL)
    return;
  STAILQ_REMOVE_HEAD(&eraser->list, link);
  eraser->count--;
  erasing->eraser = eraser;
  erasing->erasure = first;
  erasing->request =
      (struct s3_request){.method = "DELETE", .key = first->key};
  erasing->call =
      s3_call_start(eraser->loop, &erasing->request, &events, erasing);
}

void eraser_add(struct eraser *eraser, const char *key) {
  size_t len = strlen(key), cost = sizeof(struct erasure) + len + 1;
  if (eraser->count == ERASER_MAX ||
      !sluice_memory_take(eraser->loop->host, cost))
    return;
  struct erasure *erasure = malloc(cost);
  if (erasure == NULL) {
    sluice_memory_give(eraser->loop->host, cost);
    return;
  }
  erasure->cost = cost;
  memcpy(erasure->key, key, len + 1);
  STAILQ_INSERT_TAIL(&eraser->list, erasure, link);
  eraser->count++;
  for (size_t i = 0; i < AT_ONCE; i++)
    if (eraser->calls[i].erasure == NULL) {
      eraser_start(eraser, &eraser->calls[i]);
      return;
    }
}

struct eraser *eraser_new(struct s3_loop *loop) {
  struct eraser *eraser = calloc(1, sizeof *eraser);
  if (eraser == NULL)
    return NULL;
  eraser->loop = loop;
  STAILQ_INIT(&eraser->list);
  return eraser;
}

void eraser_free(struct eraser *eraser) {
  struct erasure *first;
  if (eraser == NULL)
    return;
  for (size_t i = 0; i < AT_ONCE; i++)
    if (eraser->calls[i].erasure != NULL) {
      s3_call_cancel(eraser->calls[i].call);
      erasure_free(eraser, eraser->calls[i].erasure);
    }
  while ((first = STAILQ_FIRST(&eraser->list)) != NULL) {
    STAILQ_REMOVE_HEAD(&eraser->list, link);
    erasure_free(eraser, first);
  }
  free(eraser);
}
