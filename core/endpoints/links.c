/* SPDX-License-Identifier: MIT
 *
 * DELETE /files/links: links are taken back, by id, key, prefix or identity.
 * The operation `revoke` is for anybody's; with presign alone, one may take
 * back one's own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "endpoints.h"
#include "jsonbody.h"
#include "key.h"
#include "linkmark.h"
#include "linksecret.h"
#include "must.h"
#include "ownobject.h"
#include "reply.h"
#include "revocations.h"
#include "upload.h"

/* As long as any link may live, by any gateway's configuration. */
#define LIFE_S (INT64_C(7) * 24 * 3600)
#define SLACK_S 3600 /* of two clocks */
#define OWN_MAX 1024 /* of an identity that takes back its own alone */

/* The writing, which takes place whoever leaves. */
struct raising {
  struct exchange *ex; /* NULL: nobody waits for it any more */
  struct marks *marks;
  struct ownobject own;
  char text[2];
  struct linkmark mark;
};

struct links {
  struct exchange *ex;
  struct linksecret_waiter secret;
  struct revocations_waiter known;
  const struct digest_key *key;
  enum linkmark_kind kind;
  char *value;
  char who[REQUEST_IDENTITY_MAX + 1]; /* "": nobody is known */
  bool only_own;
  int64_t expires_s;
  struct raising *raising;
};

static void links_left(void *work) {
  struct links *links = work;
  struct gate *gate = links->ex->gate;
  size_t backend = links->ex->request.backend;
  linksecret_leave(gate->links, backend, &links->secret);
  revocations_leave(gate->revocations, backend, &links->known);
  if (links->raising != NULL)
    links->raising->ex = NULL;
}

static void links_free(void *work) {
  struct links *links = work;
  free(links->value);
  free(links);
}

/* ---- writing it --------------------------------------------------------- */

/* In force on this gateway from now on. */
static void links_on_written(void *arg, enum sluice_status status,
                             const char *why) {
  struct raising *raising = arg;
  struct exchange *ex = raising->ex;
  struct mark mark = {.number = raising->mark.number};
  memcpy(mark.name, raising->mark.mark, sizeof mark.name);
  if (status == SLUICE_OK && !marks_raise(raising->marks, &mark)) {
    status = SLUICE_ENOMEM;
    why = "limits.memory has no room for what was taken back; it is in force "
          "when it is read";
  }
  free(raising);
  if (ex == NULL)
    return;
  struct links *links = ex->work;
  links->raising = NULL;
  if (status != SLUICE_OK)
    reply_failure(ex, status, why);
  else
    reply_json(ex, 200, json_pack("{s:s}", "revoked", links->value));
}

/* Numbers only grow.  That they begin with the time is for a storage that
 * lost those it had. */
static uint64_t next_number(uint64_t top) {
  uint64_t now = (uint64_t)date_now_ms();
  return top < now ? now : top + 1;
}

/* One for each that somebody takes back of their own: not so many that there
 * is no room for others'. */
static bool is_counted(const struct links *links) {
  return links->only_own && links->kind != LINKMARK_IDENTITY;
}

/* False when it was answered. */
static bool has_room(struct exchange *ex, struct marks *marks) {
  const struct links *links = ex->work;
  unsigned char owner[LINKMARK_OWNER_LEN];
  linkmark_owner(owner, links->who);
  if (is_counted(links) &&
      marks_count_ends(marks, owner, sizeof owner) >= OWN_MAX)
    reply_error(ex, 507, "too_many_revocations",
                "You took back %d links that haven't expired, one by one; "
                "name your identity to take all of yours back, or wait",
                OWN_MAX);
  else if (marks_count(marks) >= MARKS_MAX)
    reply_error(ex, 507, "too_many_revocations",
                "So many links were taken back one by one that there is room "
                "for no more; wait until some of them have expired");
  else
    return true;
  return false;
}

static void links_on_known(void *arg, enum sluice_status status,
                           const char *why) {
  struct exchange *ex = arg;
  struct links *links = ex->work;
  struct marks *marks = ex->gate->marks[ex->request.backend];
  char key[LINKMARK_KEY_SIZE];
  if (status != SLUICE_OK) {
    reply_failure(ex, status, why);
    return;
  }
  unsigned char mark[LINKMARK_LEN];
  linkmark_make(mark, links->kind, links->value,
                is_counted(links) ? links->who : NULL);
  if (marks_find(marks, mark) == 0 && !has_room(ex, marks))
    return;
  struct raising *raising = calloc(1, sizeof *raising);
  must_have(raising); /* charged with the request */
  raising->ex = ex;
  raising->marks = marks;
  raising->mark.number = next_number(marks_top(marks));
  raising->mark.expires_s = links->expires_s;
  memcpy(raising->mark.mark, mark, sizeof mark);
  linkmark_key(key, &raising->mark);
  links->raising = raising;
  raising->text[0] = '\n';
  ownobject_init(&raising->own, exchange_backend(ex), raising->text, 1,
                 links_on_written, raising);
  exchange_watch(ex);
  ownobject_write(&raising->own, key, 1, OWNOBJECT_ANYHOW);
}

/* Numbers that others have raised meanwhile count. */
static void raise(struct exchange *ex) {
  struct links *links = ex->work;
  exchange_watch(ex);
  links->known =
      (struct revocations_waiter){.told = links_on_known, .arg = ex};
  revocations_ask(ex->gate->revocations, ex->request.backend, 0,
                  &links->known);
}

/* ---- who may ------------------------------------------------------------ */

static bool links_is_own(const struct links *links) {
  const char *who = links->who[0] == '\0' ? NULL : links->who;
  switch (links->kind) {
  case LINKMARK_ID:
    return linkid_is_of(links->key, links->value, who);
  case LINKMARK_IDENTITY:
    return who != NULL && strcmp(links->value, who) == 0;
  case LINKMARK_KEY:
  case LINKMARK_PREFIX:
    break; /* of theirs alone, where they may no more */
  }
  return links->only_own;
}

/* Hooks are asked about all that the revocation reaches: "" is every key. */
static void check(struct exchange *ex) {
  const struct links *links = ex->work;
  char key[KEY_MAX + 2] = "";
  bool own = links_is_own(links);
  exchange_unwatch(ex);
  if (links->only_own && !own) {
    reply_error(ex, 403, "forbidden",
                "Only who may 'revoke' takes back links of others");
    return;
  }
  if (own) {
    raise(ex);
    return;
  }
  if (links->kind == LINKMARK_KEY || links->kind == LINKMARK_PREFIX)
    snprintf(key, sizeof key, "%s%s", links->value,
             links->kind == LINKMARK_PREFIX ? "/" : "");
  exchange_check_as(ex, OPERATION_REVOKE, key, raise);
}

static void links_on_secret(void *arg, const struct linksecret_keys *keys,
                            enum sluice_status status, const char *why) {
  struct exchange *ex = arg;
  struct links *links = ex->work;
  int64_t now = date_now_ms() / 1000;
  links->expires_s = now + LIFE_S + SLACK_S;
  if (keys == NULL) {
    reply_failure(ex, status, why);
    return;
  }
  links->key = keys->links;
  if (links->kind == LINKMARK_ID) {
    if (!linkid_read(keys->links, links->value, &links->expires_s) ||
        links->expires_s < now) {
      reply_error(ex, 404, "link_not_found",
                  "No link of this id was made here, or it has expired");
      return;
    }
    links->expires_s += SLACK_S;
  }
  check(ex);
}

/* ---- what is asked ------------------------------------------------------ */

static const char *links_read_key(struct links *links, const char *text,
                                  size_t len) {
  links->value = strdup(text);
  return key_found_fault(text, len);
}

static const char *links_read_prefix(struct links *links, const char *text,
                                     size_t len) {
  char prefix[KEY_MAX + 1];
  if (strspn(text, "/") == len)
    return "it names no segment";
  const char *fault = key_prefix(prefix, text, len, "");
  links->value = fault == NULL ? strdup(prefix) : NULL;
  return fault;
}

static const char *links_read_word(struct links *links, const char *text,
                                   size_t len) {
  links->value = strdup(text);
  return strlen(text) == len && len <= KEY_MAX ? NULL : "it is none of a link";
}

static const struct {
  const char *name;
  enum linkmark_kind kind;
  const char *(*read)(struct links *, const char *text, size_t len);
} words[] = {{"id", LINKMARK_ID, links_read_word},
             {"key", LINKMARK_KEY, links_read_key},
             {"prefix", LINKMARK_PREFIX, links_read_prefix},
             {"identity", LINKMARK_IDENTITY, links_read_word}};
#define WORDS (sizeof words / sizeof *words)

/* False when it was answered. */
static bool read_document(struct exchange *ex, json_t *document) {
  struct links *links = ex->work;
  size_t count = 0, which = 0;
  for (size_t i = 0; i < WORDS; i++)
    if (json_object_get(document, words[i].name) != NULL) {
      which = i;
      count++;
    }
  if (count != 1) {
    reply_error(ex, 400, "bad_request",
                "Name exactly one of 'id', 'key', 'prefix' and 'identity'");
    return false;
  }
  const json_t *value = json_object_get(document, words[which].name);
  const char *text = json_string_value(value);
  const char *fault =
      text == NULL || *text == '\0'
          ? "it isn't a text, or an empty one"
          : words[which].read(links, text, json_string_length(value));
  links->kind = words[which].kind;
  if (fault == NULL)
    return true;
  reply_error(ex, 400, "bad_key", "Bad '%s': %s", words[which].name, fault);
  return false;
}

static void links_on_json(struct exchange *ex, json_t *document) {
  bool refused;
  struct links *links = calloc(1, sizeof *links);
  must_have(links); /* charged with the request */
  links->ex = ex;
  ex->work = links;
  ex->work_free = links_free;
  ex->work_left = links_left;
  const char *may = operation_name(OPERATION_REVOKE);
  links->only_own = strcmp(ex->request.operation, may) != 0;
  if (!read_document(ex, document))
    return;
  const char *who = upload_who(ex, &refused);
  if (refused)
    return;
  if (links->only_own && sluice_request_identity(&ex->request) == NULL) {
    reply_error(ex, 403, "forbidden", "Nobody knows whose links are meant");
    return;
  }
  snprintf(links->who, sizeof links->who, "%s", who == NULL ? "" : who);
  links->secret =
      (struct linksecret_waiter){.told = links_on_secret, .arg = ex};
  exchange_watch(ex);
  linksecret_ask(ex->gate->links, ex->request.backend, &links->secret);
}

static void links_start(struct exchange *ex) {
  jsonbody_read(ex, links_on_json);
}

static const enum operation lesser = OPERATION_PRESIGN;

const struct endpoint links_endpoint = {.operation = OPERATION_REVOKE,
                                        .method = "DELETE",
                                        .tail = "/links",
                                        .cost = EXCHANGE_COST,
                                        .lesser = &lesser,
                                        .start = links_start};
