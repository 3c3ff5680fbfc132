/* SPDX-License-Identifier: MIT
 *
 * A backend for tests whose bytes are gone as soon as it is canceled, so that
 * whoever reads them afterwards crashes: it has 64 objects of 1 MiB, each in a
 * mapping of its own while it is lent.  A put asks for bytes and fails before
 * they come.
 */
#include "entries.h"

#include <event2/event.h>
#include <stdio.h>
#include <sys/mman.h>

#define OBJECTS 64
#define LENGTH (1u << 20)

struct fleeting_op {
  void *bytes;
};

static struct fleeting_op *fleeting_op(struct sluice_op *op) {
  return sluice_op_state(op, sizeof(struct fleeting_op));
}

static void *open_fleeting(void *instance, struct sluice_host *host) {
  (void)instance;
  return host;
}

static void fleeting_done(struct sluice_op *op, enum sluice_status status) {
  struct fleeting_op *mine = fleeting_op(op);
  if (mine->bytes != NULL)
    munmap(mine->bytes, LENGTH);
  mine->bytes = NULL;
  sluice_done(op, status, NULL);
}

static void head(void *handle, struct sluice_op *op, const char *key) {
  (void)handle, (void)key;
  sluice_done(op, SLUICE_ENOENT, NULL);
}

static void get(void *handle, struct sluice_op *op,
                const struct sluice_get *wanted) {
  struct sluice_meta meta = SLUICE_META;
  (void)handle, (void)wanted;
  meta.length = LENGTH;
  meta.etag = "e";
  fleeting_op(op)->bytes = NULL;
  sluice_meta(op, &meta);
}

static void read_all(void *handle, struct sluice_op *op, uint64_t first,
                     uint64_t count) {
  struct fleeting_op *mine = fleeting_op(op);
  struct sluice_chunk chunk = {.length = count, .fd = -1, .last = true};
  (void)handle, (void)first;
  mine->bytes =
      mmap(NULL, LENGTH, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mine->bytes == MAP_FAILED) {
    mine->bytes = NULL;
    fleeting_done(op, SLUICE_ENOMEM);
    return;
  }
  chunk.data = mine->bytes;
  sluice_send(op, &chunk);
}

static void more(void *handle, struct sluice_op *op) {
  (void)handle;
  fleeting_done(op, SLUICE_OK);
}

static void cancel(void *handle, struct sluice_op *op) {
  (void)handle;
  fleeting_done(op, SLUICE_ECANCELED);
}

static void ask_and_fail(evutil_socket_t fd, short what, void *op) {
  (void)fd, (void)what;
  sluice_next(op);
  fleeting_done(op, SLUICE_EUPSTREAM);
}

/* After the source's chunk, which was lent before this was asked for. */
static void put(void *handle, struct sluice_op *op,
                const struct sluice_put *wanted) {
  (void)wanted;
  fleeting_op(op)->bytes = NULL;
  event_base_once(sluice_loop(handle), -1, EV_TIMEOUT, ask_and_fail, op, NULL);
}

static void list(void *handle, struct sluice_op *op,
                 const struct sluice_list *wanted) {
  struct sluice_meta meta = SLUICE_META;
  char key[4];
  (void)handle, (void)wanted;
  meta.length = LENGTH;
  for (int i = 0; i < OBJECTS; i++) {
    snprintf(key, sizeof key, "k%02d", i);
    sluice_entry(op, key, &meta);
  }
  sluice_done(op, SLUICE_OK, NULL);
}

static void ping(void *handle, struct sluice_op *op) {
  (void)handle;
  sluice_done(op, SLUICE_OK, NULL);
}

static const struct sluice_option options[] = {{0}};

static const struct sluice_backend backend = {
    SLUICE_HEAD(sluice_backend),
    .name = "fleeting",
    .version = "1.0",
    .summary = "has bytes that go, for tests",
    .options = options,
    .start = entry_start,
    .stop = entry_stop,
    .open = open_fleeting,
    .close = entry_stop,
    .head = head,
    .get = get,
    .read = read_all,
    .more = more,
    .put = put,
    .data = entry_data,
    .commit = entry_commit,
    .list = list,
    .remove = entry_key,
    .cancel = cancel,
    .ping = ping,
};
SLUICE_BACKEND(fleeting, backend)
