/* SPDX-License-Identifier: MIT
 *
 * Making links: the one that was asked for, and the one that an upload's
 * answer carries.
 */
#include "presign.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "date.h"
#include "key.h"
#include "linkcheck.h"
#include "linkuses.h"
#include "mime.h"
#include "must.h"
#include "ownurl.h"
#include "quantity.h"

#define URL_BASE_MAX 2048

const char *presign_filename(const struct sluice_meta *meta) {
  const struct sluice_pair *pair = meta->user;
  for (; pair != NULL && pair->name != NULL; pair++)
    if (strcmp(pair->name, "original-filename") == 0)
      return pair->value == NULL || *pair->value == '\0' ? NULL : pair->value;
  return NULL;
}

static void presign_tell(struct presign_ask *ask, enum sluice_status status,
                         const char *why, const char *url, const char *id,
                         uint32_t seconds) {
  ask->then(ask->ex, &(struct presigned){status, why, url, id, seconds});
}

/* ---- what can be kept --------------------------------------------------- */

/* A backend that has links verified has the gateway serve them, so they are
 * the gateway's. */
static bool has_links(const struct op_backend *backend) {
  return backend->plugin->presign != NULL && backend->plugin->verify == NULL;
}

/* Of version 1.0 a backend was asked for downloads alone. */
static bool knows_methods(const struct op_backend *backend) {
  return (backend->plugin->abi & 0xffff) >= 1;
}

/* Uploads by this route end, by its own rule. */
static bool has_rule(const struct exchange *ex) {
  return ex->route->from != NULL && ex->route->from->expire_after_ms > 0;
}

/* No storage counts, looks at types, creates without being told so by who
 * uploads, or shows hooks what it is given. */
static bool storage_keeps(struct exchange *ex, const struct ownlink *link) {
  const struct op_backend *backend = exchange_backend(ex);
  if (!has_links(backend) || link->uses > 0 || link->types != NULL ||
      link->max_bytes > 0 || link->expire_after > 0)
    return false;
  switch (link->method) {
  case OWNLINK_GET:
    return true;
  case OWNLINK_PUT:
    return link->replace && knows_methods(backend) && !has_rule(ex) &&
           !request_wants_body(&ex->request);
  case OWNLINK_POST:
    break;
  }
  return false;
}

static bool is_by_storage(const struct presign_ask *ask) {
  return ask->via != PRESIGN_GATEWAY &&
         !ask->ex->gate->settings->presign.by_gateway &&
         storage_keeps(ask->ex, &ask->link);
}

const char *presign_fault(const struct presign_ask *ask) {
  const struct ownlink *link = &ask->link;
  struct exchange *ex = ask->ex;
  bool creates = link->method == OWNLINK_PUT && !link->replace;
  if (is_by_storage(ask))
    return NULL;
  if (ask->via == PRESIGN_STORAGE)
    return "This storage has no link that keeps that, or the configuration "
           "has none of them; leave out 'via'";
  if (ex->route->signed_path == NULL)
    return "No route serves links of the gateway";
  if (link->uses > 0 && !linkuses_offered(exchange_backend(ex)))
    return "This storage can't count: 'uses' isn't offered";
  if (creates && !exchange_can(ex, SLUICE_CAN_CREATE))
    return "This storage can't see to it that a PUT replaces nothing; say "
           "\"replace\": true where it may";
  return NULL;
}

/* ---- of the gateway ----------------------------------------------------- */

/* A link asks no hook that guards, so it has to say by itself what one has
 * chosen. */
static void name_backend(struct exchange *ex, struct ownlink *link) {
  free(link->backend);
  link->backend = NULL;
  if (ex->request.backend == ex->route->backend)
    return;
  link->backend = strdup(exchange_backend(ex)->host.name);
  must_have(link->backend); /* charged with the request */
}

static void presign_on_known(void *arg, enum sluice_status status,
                             const char *why) {
  struct presign_ask *ask = arg;
  struct exchange *ex = ask->ex;
  struct buf url, scope;
  if (status != SLUICE_OK) {
    presign_tell(ask, status, why, NULL, NULL, ask->seconds);
    return;
  }
  buf_init(&url, OWNLINK_MAX);
  buf_init(&scope, URL_BASE_MAX);
  ask->link.expires_s = date_now_ms() / 1000 + ask->seconds;
  name_backend(ex, &ask->link);
  ask->link.number =
      revocations_number(ex->gate->revocations, ex->request.backend);
  bool ok = ownurl_add(ex, &url, ex->route->signed_path) &&
            buf_addc(&url, '?') && linkcheck_scope(ex, &scope) &&
            ownlink_make(&url, &ask->link, ask->key, scope.data);
  buf_fini(&scope);
  if (ok)
    presign_tell(ask, SLUICE_OK, NULL, url.data, ask->link.id, ask->seconds);
  else
    presign_tell(ask, SLUICE_EINVAL, "the link would be too long", NULL, NULL,
                 ask->seconds);
  buf_fini(&url);
}

static void presign_on_secret(void *arg, const struct linksecret_keys *keys,
                              enum sluice_status status, const char *why) {
  struct presign_ask *ask = arg;
  struct exchange *ex = ask->ex;
  if (keys == NULL) {
    presign_tell(ask, status, why, NULL, NULL, ask->seconds);
    return;
  }
  ask->key = keys->links;
  revocations_ask(ex->gate->revocations, ex->request.backend,
                  ask->fresh ? 0 : REVOCATIONS_AGE_MS, &ask->known);
}

static void by_gateway(struct presign_ask *ask) {
  struct exchange *ex = ask->ex;
  if (ex->route->signed_path == NULL)
    presign_tell(ask, SLUICE_ENOTSUP, "no route serves links", NULL, NULL,
                 ask->seconds);
  else
    linksecret_ask(ex->gate->links, ex->request.backend, &ask->secret);
}

/* ---- of the storage ----------------------------------------------------- */

/* How long it is good, which may be less than was wanted. */
static uint32_t seconds_of(const struct sluice_op *op, uint32_t wanted) {
  const char *text = op_text(op, 1);
  int64_t seconds;
  if (text == NULL || !quantity_int(text, &seconds) || seconds < 0 ||
      seconds > wanted)
    return wanted;
  return (uint32_t)seconds;
}

/* A storage that takes no name for a download leaves it out of the URL. */
static bool lacks_name(const struct presign_ask *ask, const char *url) {
  bool named = ask->link.filename != NULL || ask->link.is_inline;
  return named && strcasestr(url, "disposition") == NULL;
}

static void presign_on_made(void *arg, enum sluice_status status,
                            const char *why) {
  struct presign_ask *ask = arg;
  const char *url = status == SLUICE_OK ? op_text(ask->ex->op, 0) : NULL;
  uint32_t seconds = seconds_of(ask->ex->op, ask->seconds);
  char *copy = url == NULL ? NULL : strdup(url);
  ask->ex->op = NULL;
  if (status == SLUICE_OK && copy == NULL) {
    op_violation(exchange_backend(ask->ex), "sluice_done",
                 "before sluice_text()");
    status = SLUICE_EUPSTREAM;
  }
  if (copy == NULL || !lacks_name(ask, copy))
    presign_tell(ask, status, why, copy, NULL, seconds);
  else if (ask->via == PRESIGN_STORAGE)
    presign_tell(ask, SLUICE_ENOTSUP, "its links name no file", NULL, NULL,
                 seconds);
  else
    by_gateway(ask);
  free(copy);
}

static void presign_on_alive(void *arg) {
  exchange_alive(((struct presign_ask *)arg)->ex);
}

static void by_storage(struct presign_ask *ask, const char *filename) {
  static const struct op_events events = {.alive = presign_on_alive,
                                          .done = presign_on_made};
  struct exchange *ex = ask->ex;
  struct buf disposition;
  char last[KEY_MAX + 1];
  buf_init(&disposition, 8 * KEY_MAX);
  if (ask->link.filename != NULL)
    filename = ask->link.filename;
  if (filename == NULL && ask->link.is_inline) {
    key_name(last, ex->key);
    filename = last;
  }
  bool named = filename != NULL && ask->link.method == OWNLINK_GET &&
               mime_disposition(&disposition, ask->link.is_inline, filename);
  struct sluice_link link = {.key = ex->key,
                             .method = ownlink_method_name(ask->link.method),
                             .expires_s = date_now_ms() / 1000 + ask->seconds,
                             .seconds = ask->seconds,
                             .disposition = named ? disposition.data : NULL,
                             .signed_url = ""};
  ex->op = op_presign(exchange_backend(ex), &link, &events, ask);
  buf_fini(&disposition);
}

/* ---- both --------------------------------------------------------------- */

void presign_make(struct presign_ask *ask, const char *stored) {
  ask->secret =
      (struct linksecret_waiter){.told = presign_on_secret, .arg = ask};
  ask->known =
      (struct revocations_waiter){.told = presign_on_known, .arg = ask};
  exchange_watch(ask->ex);
  if (is_by_storage(ask))
    by_storage(ask, stored);
  else
    by_gateway(ask);
}

void presign_link(struct exchange *ex, struct presign_ask *ask,
                  const char *filename, uint32_t seconds, const char *by,
                  void (*then)(struct exchange *, const struct presigned *)) {
  *ask = (struct presign_ask){.ex = ex, .seconds = seconds, .then = then};
  ask->link.name = strdup(ex->key);
  ask->link.by = by == NULL ? NULL : strdup(by);
  ask->link.established = sluice_request_identity(&ex->request) != NULL;
  must_have(ask->link.name != NULL && (by == NULL || ask->link.by != NULL));
  presign_make(ask, filename);
}

void presign_leave(struct presign_ask *ask) {
  if (ask->ex == NULL)
    return;
  linksecret_leave(ask->ex->gate->links, ask->ex->request.backend,
                   &ask->secret);
  revocations_leave(ask->ex->gate->revocations, ask->ex->request.backend,
                    &ask->known);
  ownlink_fini(&ask->link);
  ask->ex = NULL;
}
