/* SPDX-License-Identifier: MIT
 *
 * A life counts from when the object is stored, and not from when its upload
 * began, which may take days.
 */
#include "upload_expiry.h"

#include <inttypes.h>
#include <stdio.h>

#include "date.h"
#include "expirynote.h"
#include "reply.h"

#define HEADER "X-Expire-After"

bool upload_expiry_wish(struct exchange *ex, const char *text,
                        const char *where, int64_t *seconds) {
  const struct settings_uploads *settings = &ex->gate->settings->uploads;
  int64_t min = settings->expire_min_ms / 1000;
  int64_t max = settings->expire_max_ms / 1000;
  if (max == 0) {
    ex->refused_by = "uploads.expire_max";
    reply_error(ex, 501, "not_implemented",
                "No upload may tell its object to end here; leave out '%s'",
                where);
    return false;
  }
  if (expiry_parse(text, seconds) && *seconds >= min && *seconds <= max)
    return true;
  reply_error(ex, 400, "bad_expiry",
              "'%s' isn't a whole number of seconds, of %" PRId64
              " to %" PRId64,
              where, min, max);
  return false;
}

bool upload_expiry_read(struct exchange *ex) {
  struct upload *upload = ex->work;
  const char *text = head_get(&ex->head, HEADER);
  return text == NULL || upload_expiry_wish(ex, text, HEADER, &upload->life_s);
}

bool upload_expiry_is_on(const struct exchange *ex) {
  const struct settings_route *from = ex->route->from;
  return ex->gate->settings->uploads.expire_max_ms > 0 ||
         (from != NULL && from->expire_after_ms > 0);
}

/* 0 is no bound. */
static int64_t shorter(int64_t a, int64_t b) {
  if (a == 0 || b == 0)
    return a + b;
  return a < b ? a : b;
}

int64_t upload_expiry_life(const struct exchange *ex, int64_t wish) {
  const struct settings_route *from = ex->route->from;
  int64_t rule = from == NULL ? 0 : from->expire_after_ms / 1000;
  if (ex->link != NULL)
    rule = shorter(rule, (int64_t)ex->link->expire_after);
  return shorter(wish, rule);
}

void upload_expiry_keep(struct upload *upload, int64_t moment_s) {
  upload->expires_s = moment_s;
  if (moment_s > 0)
    snprintf(upload->expires, sizeof upload->expires, "%" PRId64, moment_s);
  else
    upload->expires[0] = '\0';
}

void upload_expiry_set(struct exchange *ex, void (*then)(struct exchange *)) {
  struct upload *upload = ex->work;
  int64_t life = upload_expiry_life(ex, upload->life_s);
  if (life == 0) {
    then(ex);
    return;
  }
  upload_expiry_keep(upload, expiry_moment(date_now_ms(), life));
  expirynote_write(&upload->note, ex, ex->key, upload->expires_s, then);
}

void upload_expiry_say(struct exchange *ex, json_t *document) {
  const struct upload *upload = ex->work;
  char date[DATE_ISO_SIZE];
  if (upload->expires_s == 0)
    return;
  expirynote_say(ex, upload->expires_s);
  if (document == NULL)
    return;
  date_iso(date, upload->expires_s);
  json_object_set_new(document, "expires_at", json_string(date));
}

uint32_t upload_expiry_bound(int64_t moment_s, uint32_t seconds) {
  int64_t left = moment_s - date_now_ms() / 1000;
  if (moment_s == 0 || left >= (int64_t)seconds)
    return seconds;
  return left < 1 ? 1 : (uint32_t)left;
}
