/* SPDX-License-Identifier: MIT
 *
 * A buffer that hooks see is neither filled nor lent meanwhile, so no byte
 * gets past them; where one has it when the request ends, the request keeps
 * it.
 */
#include "upload_hooks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idempotency.h"
#include "must.h"

/* ---- what they see ------------------------------------------------------ */

/* -1: only its end tells.  A form has more than its file. */
static int64_t length_of(const struct exchange *ex) {
  const struct upload *upload = ex->work;
  if (upload->pump == NULL)
    return upload->length;
  if (upload->body == UPLOAD_WHOLE)
    return (int64_t)upload->size;
  return upload->form != NULL || ex->head.chunked ? -1 : ex->head.length;
}

static const char *text_or_null(const char *text) {
  return text[0] == '\0' ? NULL : text;
}

/* The digest is one once all bytes are there. */
static void drop_empty(struct sluice_pair *pairs) {
  size_t kept = 0;
  for (size_t i = 0; pairs[i].name != NULL; i++)
    if (pairs[i].value[0] != '\0')
      pairs[kept++] = pairs[i];
  pairs[kept] = (struct sluice_pair){NULL, NULL};
}

/* Theirs go behind the first `count`, and the end. */
static void add_theirs(struct upload *upload, size_t count) {
  const struct intent *intent = upload->intent;
  size_t theirs = intent == NULL ? 0 : intent->count;
  must(count <= INTENT_OWN_PAIRS);
  for (size_t i = 0; i < theirs; i++)
    upload->user[count + i] = intent->pairs[i];
  upload->user[count + theirs] = (struct sluice_pair){NULL, NULL};
}

const struct sluice_pair *upload_describe(struct upload *upload) {
  size_t n = 0;
  if (upload->filename[0] != '\0')
    upload->user[n++] =
        (struct sluice_pair){"original-filename", upload->filename};
  if (upload->md5_hex[0] != '\0') /* else it is made still */
    upload->user[n++] = (struct sluice_pair){"md5", upload->md5_hex};
  upload->user[n++] = (struct sluice_pair){"uploaded-by", upload->uploader};
  if (upload_sha256(upload) != NULL)
    upload->user[n++] =
        (struct sluice_pair){UPDIGEST_META, upload_sha256(upload)};
  if (upload->expires[0] != '\0')
    upload->user[n++] = (struct sluice_pair){EXPIRY_META, upload->expires};
  add_theirs(upload, n);
  return upload->user;
}

bool upload_hooks_tell(struct exchange *ex) {
  struct upload *upload = ex->work;
  if (upload->intent == NULL && !exchange_charge(ex, sizeof *upload->intent))
    return false;
  if (upload->intent == NULL)
    upload->intent = calloc(1, sizeof *upload->intent);
  must_have(upload->intent); /* charged */
  upload_describe(upload);
  drop_empty(upload->user);
  intent_tell(upload->intent,
              &(struct sluice_upload){.key = text_or_null(upload->key),
                                      .name = text_or_null(upload->filename),
                                      .type = upload->type,
                                      .length = length_of(ex),
                                      .md5 = text_or_null(upload->md5_hex),
                                      .prefix_is_open = !upload->by_key &&
                                                        !upload->is_bound &&
                                                        ex->link == NULL},
              upload->user);
  ex->request.intent = upload->intent;
  return true;
}

void upload_hooks_leave(struct upload *upload) {
  struct sluice_request *request = &upload->ex->request;
  request->intent = NULL;
  if (upload->backend == UPLOAD_SHOWS)
    request_keep(request, &upload->buffers[upload->filling].data);
}

/* ---- the bytes ---------------------------------------------------------- */

bool upload_hooks_due(const struct exchange *ex) {
  const struct upload *upload = ex->work;
  return request_wants_body(&ex->request) &&
         !idempotency_replays(upload->once);
}

static void upload_hooks_on_seen(struct exchange *ex) {
  struct upload *upload = ex->work;
  upload->backend = UPLOAD_WANTS;
  upload->seen(ex);
  if (!upload->showing && upload->body != UPLOAD_WHOLE)
    upload->pump(ex);
}

void upload_hooks_show(struct exchange *ex, void (*lend)(struct exchange *)) {
  struct upload *upload = ex->work;
  upload->seen = lend;
  const struct upload_buffer *full = &upload->buffers[upload->filling];
  if (!upload_hooks_tell(ex))
    return;
  upload->backend = UPLOAD_SHOWS;
  upload->showing = true;
  exchange_check_body(
      ex,
      &(struct sluice_chunk){.data = full->data,
                             .length = full->len,
                             .fd = -1,
                             .last = upload->body == UPLOAD_WHOLE},
      upload_hooks_on_seen);
  if (ex->work == upload) /* else it was answered */
    upload->showing = false;
}

/* ---- what they intent -----------------------------------------------------
 */

const char *upload_hooks_said_prefix(const struct upload *upload) {
  const struct intent *intent = upload->intent;
  return intent != NULL && intent->has_prefix == INTENT_PREFIX_TAKEN
             ? intent->said_prefix
             : upload->key_prefix;
}

const char *upload_hooks_said_type(const struct upload *upload) {
  const struct intent *intent = upload->intent;
  return intent != NULL && intent->said_type[0] != '\0' ? intent->said_type
                                                        : upload->type;
}

/* False: answered, as the link by which it came takes another. */
static bool take_type(struct exchange *ex) {
  struct upload *upload = ex->work;
  struct intent *intent = upload->intent;
  if (intent->type[0] == '\0')
    return true;
  if (intent->said_type[0] == '\0')
    memcpy(intent->said_type, upload->type, sizeof upload->type);
  memcpy(upload->type, intent->type, sizeof upload->type);
  upload->mistyped = false;
  return upload_check_type(ex);
}

/* False: answered. */
static bool take_prefix(struct exchange *ex) {
  struct upload *upload = ex->work;
  struct intent *intent = upload->intent;
  memcpy(intent->said_prefix, upload->key_prefix, sizeof intent->said_prefix);
  memcpy(upload->key_prefix, intent->prefix, sizeof upload->key_prefix);
  intent->has_prefix = INTENT_PREFIX_TAKEN;
  return upload->make_key(ex) && upload_hooks_tell(ex);
}

static void on_asked(struct exchange *ex) {
  struct upload *upload = ex->work;
  if (!take_type(ex))
    return;
  if (upload->intent->has_prefix != INTENT_PREFIX_NEW)
    upload->asked(ex);
  else if (take_prefix(ex))
    exchange_check_key(ex, upload->key, on_asked);
}

void upload_hooks_ask(struct exchange *ex, enum operation operation,
                      bool (*make_key)(struct exchange *),
                      void (*then)(struct exchange *)) {
  struct upload *upload = ex->work;
  bool any = ex->request.chain_count > 0;
  if (any && !upload_hooks_tell(ex))
    return;
  upload->asked = then;
  upload->make_key = make_key;
  exchange_check_as(ex, operation, upload->key, any ? on_asked : then);
}
