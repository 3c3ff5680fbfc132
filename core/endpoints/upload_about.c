/* SPDX-License-Identifier: MIT
 *
 * The words about an upload beside its bytes, in a form or in a head: its type
 * and its uploader; and the answer to one that is too large.
 */
#include "upload.h"

#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "filetype.h"
#include "quantity.h"
#include "reply.h"

uint64_t upload_max(const struct exchange *ex) {
  uint64_t most = ex->gate->settings->uploads.max_bytes;
  if (ex->link == NULL || ex->link->max_bytes == 0 ||
      ex->link->max_bytes > most)
    return most;
  return ex->link->max_bytes;
}

void upload_too_large(struct exchange *ex) {
  char limit[32];
  quantity_print(limit, upload_max(ex));
  metrics_refuse(ex->gate->metrics, METRICS_UPLOAD_SIZE);
  ex->refused_by = upload_max(ex) < ex->gate->settings->uploads.max_bytes
                       ? "max_bytes of the link"
                       : "uploads.max_bytes";
  reply_error(ex, 413, "too_large", "File too large (max %s)", limit);
}

void upload_choose_type(struct exchange *ex, const char *said,
                        const char *name) {
  const struct settings_uploads *settings = &ex->gate->settings->uploads;
  struct upload *upload = ex->work;
  const char *known = filetype_by_name(name, settings->types);
  struct buf own;
  buf_init(&own, MIME_MAX);
  bool usable = said != NULL && mime_clean(&own, said);
  bool guess =
      !usable || (settings->guess && known != NULL &&
                  mime_is(own.data, FILETYPE_UNKNOWN) &&
                  (ex->link == NULL || ownlink_takes(ex->link, known)));
  upload->mistyped = said != NULL && !usable;
  if (guess)
    snprintf(upload->type, sizeof upload->type, "%s",
             known == NULL ? FILETYPE_UNKNOWN : known);
  else
    memcpy(upload->type, own.data, own.len + 1);
  buf_fini(&own);
}

bool upload_takes_type(const struct exchange *ex) {
  const struct upload *upload = ex->work;
  return ex->link == NULL || ex->link->types == NULL ||
         (!upload->mistyped && ownlink_takes(ex->link, upload->type));
}

bool upload_check_type(struct exchange *ex) {
  if (upload_takes_type(ex))
    return true;
  reply_error(ex, 415, "unsupported_media_type",
              "This link takes files of other types: %.300s", ex->link->types);
  return false;
}

/* May a client say itself who it is?  Not where others prove it. */
static bool may_say(const struct exchange *ex) {
  return !request_guarded(&ex->request) &&
         *ex->gate->settings->server.tls.client_ca == '\0';
}

const char *upload_who(struct exchange *ex, bool *refused) {
  const char *who = sluice_request_identity(&ex->request);
  *refused = false;
  if (ex->link != NULL)
    return ex->link->by;
  if (who == NULL && may_say(ex)) {
    who = head_get(&ex->head, "X-User-Id");
    if (who != NULL && (strlen(who) > REQUEST_IDENTITY_MAX ||
                        !codec_utf8_valid(who, strlen(who)))) {
      *refused = true;
      reply_error(ex, 400, "bad_user",
                  "X-User-Id isn't UTF-8 of at most 256 bytes");
      return NULL;
    }
  }
  return who == NULL || who[0] == '\0' ? NULL : who;
}

bool upload_read_uploader(struct exchange *ex) {
  struct upload *upload = ex->work;
  bool refused;
  const char *who = upload_who(ex, &refused);
  if (refused)
    return false;
  if (who == NULL)
    who = UPLOAD_NOBODY;
  memcpy(upload->uploader, who, strlen(who) + 1); /* as checked */
  return true;
}

bool upload_read_prefix(struct exchange *ex) {
  struct upload *upload = ex->work;
  char own[KEY_MAX + 1] = "";
  if (ex->link != NULL) { /* whatever the upload says itself */
    snprintf(upload->key_prefix, sizeof upload->key_prefix, "%s",
             ex->link->name);
    return true;
  }
  size_t slashes = strspn(upload->prefix.data, "/");
  if (slashes == upload->prefix.len && !exchange_own_prefix(ex, own))
    return false;
  const char *fault = key_prefix(upload->key_prefix, upload->prefix.data,
                                 upload->prefix.len, own);
  if (fault == NULL)
    return true;
  bool reserved = key_reserved(upload->prefix.data + slashes,
                               upload->prefix.len - slashes);
  reply_error(ex, 400, reserved ? "bad_key" : "bad_prefix", "Bad 'prefix': %s",
              fault);
  return false;
}
