/* SPDX-License-Identifier: MIT
 *
 * Reads: the first storage is asked; where it can't answer, the next one that
 * lacks nothing of that key is.  A storage that hangs is left behind, so
 * storages are asked for none of the gateway's operations.
 *
 * A download that has begun isn't continued from another storage: it ends, and
 * its client asks for the rest.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mirror_desk.h"
#include "wish.h"

struct attempt {            /* one storage's part */
  struct mirror_read *read; /* NULL: it was left behind */
  struct sluice_host *host;
  struct sluice_ask *ask;
};

struct mirror_read {
  struct mirror_handle *handle;
  struct sluice_op *op;
  struct wish *wish;
  struct attempt *attempt; /* NULL: nobody is asked */
  struct event *timer;
  struct desk_job job;
  bool job_out, looked, canceled, began;
  unsigned store;       /* that is asked */
  unsigned asked, lack; /* sets of storages */
  int page_of;          /* the storage of a list's token; -1: any */
  enum sluice_status status;
  char why[160];
};

static void read_next(struct mirror_read *read);

/* ---- its life ----------------------------------------------------------- */

static void read_free(struct mirror_read *read) {
  struct sluice_host *host = read->handle->host;
  wish_free(read->wish, host);
  if (read->timer != NULL)
    event_free(read->timer);
  free(read);
  sluice_memory_give(host, sizeof *read);
}

static void read_end(struct mirror_read *read, enum sluice_status status,
                     const char *why) {
  struct sluice_op *op = read->op;
  char text[sizeof read->why];
  snprintf(text, sizeof text, "%s", why == NULL ? "" : why);
  mirror_op(op)->read = NULL;
  read_free(read);
  wish_end(op, status, text[0] == '\0' ? NULL : text);
}

static void attempt_free(struct attempt *attempt) {
  sluice_memory_give(attempt->host, sizeof *attempt);
  free(attempt);
}

/* Nobody hears what it says from here on. */
static void leave_attempt(struct mirror_read *read) {
  struct attempt *attempt = read->attempt;
  read->attempt = NULL;
  attempt->read = NULL;
  sluice_ask_cancel(attempt->ask);
}

/* ---- lists -------------------------------------------------------------- */

/* A token goes back to the storage that gave it: a digit says which. */
static bool list_answer(const struct mirror_read *read,
                        const struct sluice_ask *ask) {
  const struct sluice_meta *meta;
  const char *key, *token = sluice_ask_token(ask);
  char text[4097];
  for (size_t i = 0; (key = sluice_ask_entry(ask, i, &meta)) != NULL; i++)
    if (meta == NULL)
      sluice_prefix(read->op, key);
    else
      sluice_entry(read->op, key, meta);
  if (token == NULL)
    return true;
  if (snprintf(text, sizeof text, "%u%s", read->store, token) >=
      (int)sizeof text)
    return false;
  sluice_truncated(read->op, text);
  return true;
}

/* ---- what a storage says ------------------------------------------------ */

static void on_read_meta(void *arg, const struct sluice_meta *meta) {
  struct mirror_read *read = ((struct attempt *)arg)->read;
  if (read == NULL)
    return;
  evtimer_del(read->timer);
  read->began = true;
  sluice_meta(read->op, meta);
}

static void on_read_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct mirror_read *read = ((struct attempt *)arg)->read;
  if (read != NULL)
    sluice_send(read->op, chunk);
}

static void on_read_alive(void *arg) {
  struct mirror_read *read = ((struct attempt *)arg)->read;
  if (read == NULL)
    return;
  if (!read->began)
    mirror_wait(read->timer, read->handle->shared->conf->timeout_ms);
  sluice_alive(read->op);
}

static void on_read_done(void *arg, enum sluice_status status,
                         const char *why) {
  struct attempt *attempt = arg;
  struct mirror_read *read = attempt->read;
  if (read == NULL) {
    attempt_free(attempt);
    return;
  }
  evtimer_del(read->timer);
  bool lists = read->wish->kind == WISH_LIST && status == SLUICE_OK;
  if (lists && !read->canceled && !list_answer(read, attempt->ask)) {
    status = SLUICE_EIO;
    why = "a storage's cursor is longer than 4095 bytes";
  }
  read->attempt = NULL;
  attempt_free(attempt);
  if (read->canceled || read->began || !mirror_is_outage(status)) {
    read_end(read, status, why);
    return;
  }
  read->status = status;
  snprintf(read->why, sizeof read->why, "%s", why == NULL ? "" : why);
  read_next(read);
}

static void on_read_timer(evutil_socket_t fd, short what, void *arg) {
  struct mirror_read *read = arg;
  (void)fd, (void)what;
  if (read->attempt == NULL)
    return;
  mirror_is_late(read->handle->shared, read->store);
  leave_attempt(read);
  read->status = SLUICE_ETIMEOUT;
  snprintf(read->why, sizeof read->why, "no storage answered in time");
  read_next(read);
}

/* ---- who is asked ------------------------------------------------------- */

static void ask_store(struct mirror_read *read, unsigned store) {
  static const struct sluice_heard heard = {
      SLUICE_HEARD, .meta = on_read_meta, .chunk = on_read_chunk,
      .alive = on_read_alive, .done = on_read_done};
  struct mirror_handle *handle = read->handle;
  struct attempt *attempt = NULL;
  if (sluice_memory_take(handle->host, sizeof *attempt) &&
      (attempt = calloc(1, sizeof *attempt)) == NULL)
    sluice_memory_give(handle->host, sizeof *attempt);
  if (attempt == NULL) {
    read_end(read, SLUICE_ENOMEM, "no memory is left for a read");
    return;
  }
  attempt->read = read;
  attempt->host = handle->host;
  read->attempt = attempt;
  read->store = store;
  read->asked |= 1U << store;
  attempt->ask =
      wish_ask(read->wish, handle->stores[store], NULL, &heard, attempt);
  mirror_wait(read->timer, handle->shared->conf->timeout_ms);
}

static void on_looked(void *arg) {
  struct mirror_read *read = arg;
  read->job_out = false;
  read->lack = read->job.owed;
  if (read->canceled)
    read_end(read, SLUICE_ECANCELED, NULL);
  else
    read_next(read);
}

/* Of a list, whoever lacks anything is passed over. */
static void look(struct mirror_read *read) {
  const struct wish *wish = read->wish;
  const char *key = wish->kind == WISH_HEAD ? wish->of.key : wish->of.get.key;
  read->looked = read->job_out = true;
  read->job = (struct desk_job){.wish = DESK_LOOK,
                                .key = wish->kind == WISH_LIST ? NULL : key,
                                .then = on_looked,
                                .arg = read};
  desk_ask(read->handle, &read->job);
}

static bool may_ask(const struct mirror_read *read, unsigned store) {
  return (read->asked >> store & 1) == 0 &&
         (read->page_of < 0 || read->page_of == (int)store);
}

/* Those that hang come last. */
static bool pick(const struct mirror_read *read, unsigned *store) {
  const struct mirror *shared = read->handle->shared;
  for (int away = 0; away < 2; away++)
    for (*store = 0; *store < shared->count; ++*store)
      if (may_ask(read, *store) && (read->lack >> *store & 1) == 0 &&
          mirror_is_away(shared, *store) == (away == 1))
        return true;
  return false;
}

static void read_next(struct mirror_read *read) {
  unsigned store;
  bool first = may_ask(read, 0) && !mirror_is_away(read->handle->shared, 0);
  if (first) {
    ask_store(read, 0);
  } else if (!read->looked) {
    look(read);
  } else if (pick(read, &store)) {
    ask_store(read, store);
  } else if (read->status != SLUICE_OK) {
    read_end(read, read->status, read->why);
  } else {
    read_end(read, SLUICE_EUPSTREAM,
             "the storage of this list's cursor lacks something meanwhile");
  }
}

/* ---- entries ------------------------------------------------------------ */

static struct mirror_read *read_new(struct mirror_handle *handle,
                                    struct sluice_op *op,
                                    const struct wish *wish) {
  if (!sluice_memory_take(handle->host, sizeof(struct mirror_read)))
    return NULL;
  struct mirror_read *read = calloc(1, sizeof *read);
  if (read == NULL) {
    sluice_memory_give(handle->host, sizeof *read);
    return NULL;
  }
  read->handle = handle;
  read->op = op;
  read->page_of = -1;
  read->wish = wish_keep(wish, handle->host);
  read->timer = evtimer_new(sluice_loop(handle->host), on_read_timer, read);
  if (read->wish != NULL && read->timer != NULL) {
    mirror_op(op)->kind = MIRROR_READ;
    mirror_op(op)->read = read;
    return read;
  }
  read_free(read);
  return NULL;
}

static void read_start(void *handle, struct sluice_op *op,
                       const struct wish *wish, int page_of) {
  struct mirror_read *read = read_new(handle, op, wish);
  if (read == NULL) {
    sluice_done(op, SLUICE_ENOMEM, "no memory is left for a read");
    return;
  }
  read->page_of = page_of;
  read_next(read);
}

void mirror_head(void *handle, struct sluice_op *op, const char *key) {
  read_start(handle, op, &(struct wish){.kind = WISH_HEAD, .of.key = key}, -1);
}

void mirror_get(void *handle, struct sluice_op *op,
                const struct sluice_get *get) {
  read_start(handle, op, &(struct wish){.kind = WISH_GET, .of.get = *get}, -1);
}

void mirror_list(void *arg, struct sluice_op *op,
                 const struct sluice_list *list) {
  const struct mirror_handle *handle = arg;
  struct wish wish = {.kind = WISH_LIST, .of.list = *list};
  int page_of = -1;
  if (list->token != NULL) {
    page_of = list->token[0] - '0';
    wish.of.list.token = list->token + 1;
    if (page_of < 0 || page_of >= (int)handle->shared->count) {
      sluice_done(op, SLUICE_EINVAL, "no cursor of this list");
      return;
    }
  }
  read_start(arg, op, &wish, page_of);
}

void mirror_read_range(struct mirror_read *read, uint64_t first,
                       uint64_t count) {
  if (read->attempt != NULL)
    sluice_ask_read(read->attempt->ask, first, count);
}

void mirror_read_more(struct mirror_read *read) {
  if (read->attempt != NULL)
    sluice_ask_more(read->attempt->ask);
}

/* Of one that has begun, bytes may be lent: it has to end first. */
void mirror_read_cancel(struct mirror_read *read) {
  read->canceled = true;
  if (read->job_out)
    return;
  if (read->began) {
    sluice_ask_cancel(read->attempt->ask);
    return;
  }
  leave_attempt(read);
  read_end(read, SLUICE_ECANCELED, NULL);
}
