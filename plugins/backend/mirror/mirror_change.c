/* SPDX-License-Identifier: MIT
 *
 * How a change begins, for each of the entries that make one, and how its
 * memory ends.
 */
#include <event2/event.h>
#include <stdlib.h>

#include "mirror_write.h"

/* ---- its life ----------------------------------------------------------- */

void write_free(struct mirror_write *write) {
  struct sluice_host *host = write->handle->host;
  legs_free(write);
  wish_free(write->wish, host);
  if (write->timer != NULL)
    event_free(write->timer);
  free(write);
  sluice_memory_give(host, sizeof *write);
}

static struct mirror_write *change_alloc(struct mirror_handle *handle) {
  if (!sluice_memory_take(handle->host, sizeof(struct mirror_write)))
    return NULL;
  struct mirror_write *write = calloc(1, sizeof *write);
  if (write == NULL)
    sluice_memory_give(handle->host, sizeof *write);
  else
    write->handle = handle;
  return write;
}

/* The wish may be NULL.  NULL: there is no memory. */
static struct mirror_write *change_new(struct mirror_handle *handle,
                                       struct sluice_op *op,
                                       enum write_kind kind,
                                       const struct wish *wish) {
  struct mirror_write *write = change_alloc(handle);
  if (write == NULL)
    return NULL;
  write->op = op;
  write->kind = kind;
  write->timer = evtimer_new(sluice_loop(handle->host), write_on_timer, write);
  if (wish != NULL)
    write->wish = wish_keep(wish, handle->host);
  if (write->timer == NULL || (wish != NULL && write->wish == NULL)) {
    write_free(write);
    return NULL;
  }
  for (unsigned i = 0; i < MIRROR_MAX; i++)
    write->legs[i] = (struct leg){.write = write, .store = i};
  mirror_op(op)->kind = MIRROR_WRITE;
  mirror_op(op)->write = write;
  return write;
}

/* ---- entries ------------------------------------------------------------ */

static struct mirror_write *change_begin(void *handle, struct sluice_op *op,
                                         enum write_kind kind,
                                         const struct wish *wish) {
  struct mirror_write *write = change_new(handle, op, kind, wish);
  if (write == NULL)
    sluice_done(op, SLUICE_ENOMEM, "no memory is left for a change");
  return write;
}

void mirror_put(void *arg, struct sluice_op *op,
                const struct sluice_put *put) {
  struct mirror_handle *handle = arg;
  struct mirror_write *write = change_begin(handle, op, WRITE_PUT, NULL);
  if (write == NULL)
    return;
  write->first =
      sluice_ask_put(handle->stores[0], op, put, &write_first_heard, write);
  for (unsigned i = 1; i < handle->shared->count; i++)
    if (!mirror_is_away(handle->shared, i))
      leg_start_put(&write->legs[i], put->length);
}

static void change_start(void *handle, struct sluice_op *op,
                         enum write_kind kind, const struct wish *wish,
                         const char *(*key)(const struct wish *)) {
  struct mirror_write *write = change_begin(handle, op, kind, wish);
  if (write == NULL)
    return;
  write->key = key(write->wish);
  write_take(write);
}

static const char *key_of_remove(const struct wish *wish) {
  return wish->of.key;
}

void mirror_remove(void *handle, struct sluice_op *op, const char *key) {
  change_start(handle, op, WRITE_REMOVE,
               &(struct wish){.kind = WISH_REMOVE, .of.key = key},
               key_of_remove);
}

static const char *key_of_removal(const struct wish *wish) {
  return wish->of.removal.key;
}

void mirror_remove_if(void *handle, struct sluice_op *op,
                      const struct sluice_removal *removal) {
  change_start(handle, op, WRITE_REMOVE_IF,
               &(struct wish){.kind = WISH_REMOVE_IF, .of.removal = *removal},
               key_of_removal);
}

static const char *key_of_copy(const struct wish *wish) {
  return wish->of.copy.to;
}

void mirror_copy(void *handle, struct sluice_op *op,
                 const struct sluice_copy *copy) {
  change_start(handle, op, WRITE_COPY,
               &(struct wish){.kind = WISH_COPY, .of.copy = *copy},
               key_of_copy);
}

void mirror_stage_commit(void *handle, struct sluice_op *op,
                         const struct sluice_object *object,
                         const struct sluice_save *save,
                         struct sluice_ask *ask) {
  const struct wish wish = {.kind = WISH_STAGE,
                            .of.stage = {.object = object, .save = save}};
  struct mirror_write *write = change_new(handle, op, WRITE_STAGE, &wish);
  if (write == NULL) {
    mirror_op(op)->no_memory = true;
    sluice_ask_cancel(ask); /* its end is the operation's */
    return;
  }
  write->first = ask;
  write->key = write->wish->of.stage.object->key;
  write_take(write);
}

void mirror_write_staged_meta(struct mirror_write *write,
                              const struct sluice_meta *meta) {
  write_first_meta(write, meta);
}

void mirror_write_staged_done(struct mirror_write *write,
                              enum sluice_status status, const char *why) {
  write_first_done(write, status, why);
}
