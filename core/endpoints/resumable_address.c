/* SPDX-License-Identifier: MIT
 *
 * The addresses of upload resources: made at a creation, read by all requests
 * that follow.
 */
#include "resumable.h"

#include <stdio.h>
#include <string.h>

#include "must.h"
#include "ownurl.h"
#include "reply.h"

/* The part of the route's path before the address. */
static size_t above(const struct exchange *ex) {
  const char *path = ex->route->path;
  size_t len = strlen(path);
  return len > 1 && strcmp(path + len - 2, "/" ROUTE_ANY) == 0 ? len - 2 : len;
}

void resumable_add_location(struct exchange *ex, struct buf *out) {
  char path[ROUTE_ABOVE_MAX];
  snprintf(path, sizeof path, "%.*s/", (int)above(ex), ex->route->path);
  ownurl_location(ex, out, path);
  buf_adds(out, resumable_of(ex)->address);
}

void resumable_say_location(struct exchange *ex) {
  struct buf location;
  buf_init(&location, UPLOADID_MAX + 8192);
  resumable_add_location(ex, &location);
  reply_header(ex, "Location", location.data);
  buf_fini(&location);
  resumable_of(ex)->told = true;
}

static void resumable_address_on_key(void *arg,
                                     const struct linksecret_keys *keys,
                                     enum sluice_status status,
                                     const char *why) {
  struct exchange *ex = arg;
  struct resumable *r = resumable_of(ex);
  r->waits = false;
  exchange_unwatch(ex);
  if (keys == NULL) {
    reply_failure(ex, status, why);
    return;
  }
  r->key = keys->uploads;
  r->known(ex);
}

void resumable_ask_key(struct exchange *ex, void (*then)(struct exchange *)) {
  struct resumable *r = resumable_of(ex);
  r->known = then;
  r->waits = true;
  r->waiter =
      (struct linksecret_waiter){.told = resumable_address_on_key, .arg = ex};
  exchange_watch(ex);
  linksecret_ask(ex->gate->links, ex->request.backend, &r->waiter);
}

void resumable_leave_key(struct resumable *r) {
  if (r->waits)
    linksecret_leave(r->gate->links, r->ex->request.backend, &r->waiter);
  r->waits = false;
}

bool resumable_seal(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  struct uploadid id = {.way = r->dialect->way,
                        .partial = r->id.partial,
                        .texts = {[UPLOADID_STAGE] = r->stage,
                                  [UPLOADID_KEY] = r->upload.key,
                                  [UPLOADID_FILENAME] = r->upload.filename,
                                  [UPLOADID_TYPE] = r->upload.type,
                                  [UPLOADID_UPLOADER] = r->upload.uploader,
                                  [UPLOADID_METADATA] = r->metadata.data,
                                  [UPLOADID_CONCAT] = r->concat.data}};
  struct buf text;
  buf_init(&text, UPLOADID_MAX);
  if (uploadid_write(&text, r->key, &id))
    r->address = buf_take(&text);
  buf_fini(&text);
  return r->address != NULL;
}

void resumable_unknown(struct exchange *ex) {
  reply_error(ex, 404, "upload_not_found", "There is no such upload");
}

static bool copy_text(char *out, size_t size, const char *text) {
  size_t len = strlen(text);
  if (len < size)
    memcpy(out, text, len + 1);
  return len < size;
}

/* Reads the address; false when it was answered: nobody but who made it is
 * told that there is one. */
bool resumable_read_address(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  const char *const *texts = r->id.texts;
  const char *text = strrchr(ex->head.path, '/') + 1;
  struct upload *upload = &r->upload;
  if (!upload_read_uploader(ex))
    return false;
  if (!uploadid_read(&r->id, r->key, text) ||
      strcmp(texts[UPLOADID_UPLOADER], upload->uploader) != 0 ||
      !copy_text(r->stage, sizeof r->stage, texts[UPLOADID_STAGE]) ||
      !copy_text(upload->key, sizeof upload->key, texts[UPLOADID_KEY]) ||
      !copy_text(upload->filename, sizeof upload->filename,
                 texts[UPLOADID_FILENAME]) ||
      !copy_text(upload->type, sizeof upload->type, texts[UPLOADID_TYPE])) {
    resumable_unknown(ex);
    return false;
  }
  buf_adds(&r->metadata, texts[UPLOADID_METADATA]);
  buf_adds(&r->concat, texts[UPLOADID_CONCAT]);
  r->address = strdup(text);
  must_have(r->address);
  r->told = true;
  return true;
}
