/* SPDX-License-Identifier: MIT
 *
 * MOUNT/signed: what a link allows, without asking any hook that guards.  The
 * link is checked first, whatever the method; then it is a download, an upload
 * or a PUT as any other, but for what the link says in ex->link.
 */
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "endpoints.h"
#include "linkcheck.h"
#include "linksecret.h"
#include "linkuses.h"
#include "mime.h"
#include "must.h"
#include "range.h"
#include "reply.h"
#include "revocations.h"
#include "uploadhead.h"

#define SCOPE_MAX 2048
#define COST_LINK OWNLINK_MAX

struct check {
  struct exchange *ex;
  struct ownlink link;
  struct linksecret_waiter secret;
  struct revocations_waiter known;
  struct linkuses_waiter count;
};

static void check_left(void *work) {
  struct check *check = work;
  struct gate *gate = check->ex->gate;
  size_t backend = check->ex->request.backend;
  linksecret_leave(gate->links, backend, &check->secret);
  revocations_leave(gate->revocations, backend, &check->known);
  linkuses_leave(gate->linkuses, &check->count);
}

static void check_free(void *work) {
  struct check *check = work;
  ownlink_fini(&check->link);
  free(check);
}

/* ---- refusals ----------------------------------------------------------- */

static void signed_refuse(struct exchange *ex, const char *code,
                          const char *what) {
  reply_error(ex, 403, code, "%s", what);
}

static void refuse_unknown(struct exchange *ex) {
  signed_refuse(ex, "link_invalid",
                "This is no link of this gateway, or not all of it");
}

static void refuse_method(struct exchange *ex, enum ownlink_method method) {
  const char *allow =
      method == OWNLINK_GET ? "GET, HEAD" : ownlink_method_name(method);
  reply_header(ex, "Allow", allow);
  reply_error(ex, 405, "method_not_allowed", "This link allows %s", allow);
}

/* ---- what it allows ----------------------------------------------------- */

/* A part of an upload would be stored as if it were all of it. */
static bool is_resumable(const struct exchange *ex) {
  bool complete;
  return head_get(&ex->head, "Tus-Resumable") != NULL ||
         (uploadhead_boolean(head_get(&ex->head, "Upload-Complete"),
                             &complete) &&
          !complete);
}

static void signed_go_on(struct exchange *ex) {
  const char *type = head_get(&ex->head, "Content-Type");
  switch (ex->link->method) {
  case OWNLINK_GET:
    download_endpoint.start(ex);
    return;
  case OWNLINK_PUT:
    object_put_endpoint.start(ex);
    return;
  case OWNLINK_POST:
    break;
  }
  if (is_resumable(ex))
    reply_error(ex, 501, "not_implemented",
                "A link takes an upload in one request; send all of it as the "
                "body");
  else if (type != NULL && mime_is(type, "multipart/form-data"))
    upload_endpoint.start(ex);
  else
    uploads_endpoint.start(ex);
}

static bool is_of_method(const struct exchange *ex,
                         const struct ownlink *link) {
  const char *method = ex->head.method;
  if (link->method == OWNLINK_GET && strcmp(method, "HEAD") == 0)
    return true;
  return strcmp(method, ownlink_method_name(link->method)) == 0;
}

/* The link is good: the request acts for who made it. */
static void admit(struct exchange *ex) {
  struct check *check = ex->work;
  if (!is_of_method(ex, &check->link)) {
    refuse_method(ex, check->link.method);
    return;
  }
  ex->link = malloc(sizeof *ex->link);
  must_have(ex->link); /* charged */
  *ex->link = check->link;
  check->link = (struct ownlink){0};
  exchange_drop(ex);
  if (ex->link->by != NULL && ex->link->established &&
      ex->link->method != OWNLINK_GET)
    request_identify(&ex->request, ex->link->by);
  signed_go_on(ex);
}

/* ---- its uses ----------------------------------------------------------- */

/* Does it go on behind the first byte?  A range that counts from the end may.
 */
static bool may_resume(const struct exchange *ex) {
  const char *wanted = head_get(&ex->head, "Range");
  struct range range;
  if (wanted == NULL || strcmp(ex->head.method, "GET") != 0)
    return false;
  return range_parse(wanted, INT64_MAX, &range) == RANGE_PART &&
         range.first > 0;
}

/* Used up, it still serves what goes on with the last download. */
static void on_count(void *arg, enum sluice_status status, const char *why,
                     const struct linkcount *count) {
  struct exchange *ex = arg;
  const struct check *check = ex->work;
  exchange_unwatch(ex);
  if (status != SLUICE_OK) {
    linkcheck_refuse_count(ex, status, why);
    return;
  }
  bool young = date_now_ms() - count->last_ms < LINKUSES_RESUME_MS;
  bool over = count->used >= check->link.uses;
  if (over && !(check->link.method == OWNLINK_GET && young && may_resume(ex)))
    linkcheck_refuse_count(ex, SLUICE_EDENIED, NULL);
  else
    admit(ex);
}

/* ---- the check ---------------------------------------------------------- */

static void check_revoked(struct exchange *ex, enum sluice_status status,
                          const char *why) {
  struct check *check = ex->work;
  if (!linkcheck_known(ex, &check->link, status, why))
    return;
  if (check->link.uses == 0) {
    admit(ex);
    return;
  }
  exchange_watch(ex);
  check->count = (struct linkuses_waiter){.told = on_count, .arg = ex};
  linkuses_ask(ex->gate->linkuses, ex->request.backend, &check->link,
               LINKUSES_LOOK, &check->count);
}

static void signed_on_known(void *arg, enum sluice_status status,
                            const char *why) {
  exchange_unwatch(arg);
  check_revoked(arg, status, why);
}

/* Mostly it is known, and there is nothing to watch. */
static void ask_revoked(struct exchange *ex) {
  struct revocations *revocations = ex->gate->revocations;
  struct check *check = ex->work;
  size_t backend = ex->request.backend;
  if (revocations_known(revocations, backend, REVOCATIONS_AGE_MS)) {
    check_revoked(ex, SLUICE_OK, NULL);
    return;
  }
  exchange_watch(ex);
  revocations_ask(revocations, backend, REVOCATIONS_AGE_MS, &check->known);
}

static void check_signature(struct exchange *ex,
                            const struct linksecret_keys *keys) {
  struct check *check = ex->work;
  struct buf scope;
  buf_init(&scope, SCOPE_MAX);
  linkcheck_scope(ex, &scope);
  enum ownlink_verdict verdict =
      ownlink_read(&check->link, keys->links, scope.data, ex->head.query,
                   date_now_ms() / 1000);
  buf_fini(&scope);
  switch (verdict) {
  case OWNLINK_INVALID:
    refuse_unknown(ex);
    return;
  case OWNLINK_EXPIRED:
    signed_refuse(ex, "link_expired", "This link has expired");
    return;
  case OWNLINK_GOOD:
    break;
  }
  ask_revoked(ex);
}

static void signed_on_secret(void *arg, const struct linksecret_keys *keys,
                             enum sluice_status status, const char *why) {
  struct exchange *ex = arg;
  exchange_unwatch(ex);
  if (keys == NULL && status == SLUICE_ENOENT)
    refuse_unknown(ex);
  else if (keys == NULL)
    reply_failure(ex, status, why);
  else
    check_signature(ex, keys);
}

/* A link is served from the backend that it was made for: hooks that guard,
 * which may have chosen it, aren't asked.  False: it is none of these. */
static bool find_backend(struct exchange *ex) {
  char *name = ownlink_backend(ex->head.query);
  bool ok = name == NULL ||
            request_find_backend(&ex->request, name, &ex->request.backend);
  free(name);
  return ok;
}

static void signed_start(struct exchange *ex) {
  if (!find_backend(ex)) {
    refuse_unknown(ex);
    return;
  }
  struct check *check = calloc(1, sizeof *check);
  must_have(check); /* charged with the request */
  check->ex = ex;
  check->secret = (struct linksecret_waiter){
      .told = signed_on_secret, .arg = ex, .only_reads = true};
  check->known =
      (struct revocations_waiter){.told = signed_on_known, .arg = ex};
  ex->work = check;
  ex->work_free = check_free;
  ex->work_left = check_left;
  const struct linksecret_keys *keys =
      linksecret_known(ex->gate->links, ex->request.backend);
  if (keys != NULL) {
    check_signature(ex, keys);
    return;
  }
  exchange_watch(ex);
  linksecret_ask(ex->gate->links, ex->request.backend, &check->secret);
}

/* Those of no link are here so that a link which was changed is told before
 * them. */
#define SIGNED(name, word, ...)                                    \
  const struct endpoint name = {.operation = OPERATION_SIGNED,     \
                                .method = word,                    \
                                .tail = "/signed",                 \
                                .cost = EXCHANGE_COST + COST_LINK, \
                                .start = signed_start,             \
                                __VA_ARGS__}

SIGNED(signed_endpoint, "GET", .cors_expose = SIGNED_CORS_EXPOSE);
SIGNED(signed_put_endpoint, "PUT", .cors_headers = SIGNED_CORS_HEADERS,
       .cors_expose = SIGNED_CORS_EXPOSE);
SIGNED(signed_post_endpoint, "POST", .cors_headers = SIGNED_CORS_HEADERS,
       .cors_expose = SIGNED_CORS_EXPOSE);
SIGNED(signed_delete_endpoint, "DELETE", .unlisted = true);
SIGNED(signed_patch_endpoint, "PATCH", .unlisted = true);
