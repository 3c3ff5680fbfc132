/* SPDX-License-Identifier: MIT
 *
 * A small object of the gateway's own, whose text is the key.
 */
#include "expirynote.h"

#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "expiry.h"
#include "key.h"
#include "must.h"
#include "ownobject.h"
#include "reply.h"
#include "uploads.h"

struct expirynote {
  struct exchange *ex; /* NULL: gone */
  struct expirynote **place;
  struct uploads *uploads;
  struct ownobject own;
  void (*then)(struct exchange *);
  char text[KEY_MAX + 1];
};

static void expirynote_on_written(void *arg, enum sluice_status status,
                                  const char *why) {
  struct expirynote *note = arg;
  struct exchange *ex = note->ex;
  void (*then)(struct exchange *) = note->then;
  if (status == SLUICE_OK)
    uploads_count_note(note->uploads);
  if (ex != NULL)
    *note->place = NULL;
  free(note);
  if (ex == NULL)
    return;
  exchange_unwatch(ex);
  if (status == SLUICE_OK)
    then(ex);
  else
    reply_failure(ex, status, why);
}

void expirynote_write(struct expirynote **place, struct exchange *ex,
                      const char *key, int64_t moment_s,
                      void (*then)(struct exchange *)) {
  char note_key[EXPIRY_KEY_SIZE];
  size_t len = strlen(key);
  struct expirynote *note = calloc(1, sizeof *note);
  must(note != NULL && len < sizeof note->text); /* charged with the request */
  *place = note;
  note->ex = ex;
  note->place = place;
  note->uploads = ex->gate->uploads;
  note->then = then;
  memcpy(note->text, key, len + 1);
  ownobject_init(&note->own, exchange_backend(ex), note->text, KEY_MAX,
                 expirynote_on_written, note);
  expiry_note_key(note_key, moment_s, key);
  exchange_watch(ex);
  ownobject_write(&note->own, note_key, len, OWNOBJECT_ANYHOW);
}

void expirynote_leave(struct expirynote *note) {
  if (note != NULL)
    note->ex = NULL;
}

void expirynote_say(struct exchange *ex, int64_t moment_s) {
  char date[DATE_HTTP_SIZE];
  if (moment_s == 0)
    return;
  date_http(date, moment_s);
  reply_header(ex, "X-Expires-At", date);
}
