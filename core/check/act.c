/* SPDX-License-Identifier: MIT
 *
 * Operations without bytes, and what all have in common.
 */
#include "act.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

void act_init(struct act *act, struct lab *lab) {
  *act = (struct act){.lab = lab, .leave_at = ACT_NEVER};
}

void act_fini(struct act *act) {
  for (size_t i = 0; i < act->entry_count; i++) {
    free(act->entries[i].key);
    free(act->entries[i].etag);
  }
  for (size_t i = 0; i < act->user_count; i++) {
    free(act->names[i]);
    free(act->values[i]);
  }
  for (size_t i = 0; i < act->text_count; i++)
    free(act->texts[i]);
  for (size_t i = 0; i < act->lent_count; i++)
    free(act->lent[i]);
  free(act->entries);
  free(act->token);
  free(act->meta.etag);
  free(act->type);
  free(act->encoding);
  free(act->buffers[0]);
  free(act->buffers[1]);
  digest_free(act->digest);
}

static char *copy(const char *text) {
  char *made = text == NULL ? NULL : strdup(text);
  if (text != NULL && made == NULL)
    abort();
  return made;
}

const char *act_word(enum sluice_status status) {
  static const char *const words[] = {
      "SLUICE_OK",        "SLUICE_EINVAL",   "SLUICE_EAUTH",
      "SLUICE_EDENIED",   "SLUICE_ENOENT",   "SLUICE_EEXIST",
      "SLUICE_EPRECOND",  "SLUICE_ERANGE",   "SLUICE_ETOOBIG",
      "SLUICE_EBUSY",     "SLUICE_ERATE",    "SLUICE_EIO",
      "SLUICE_EUPSTREAM", "SLUICE_ETIMEOUT", "SLUICE_ENOSPC",
      "SLUICE_ENOTSUP",   "SLUICE_ENOMEM",   "SLUICE_ECANCELED"};
  return (unsigned)status < sizeof words / sizeof *words ? words[status]
                                                         : "no status";
}

/* ---- what is lent ------------------------------------------------------- */

const char *act_lend(struct act *act, const char *text) {
  if (text == NULL)
    return NULL;
  if (act->lent_count == ACT_LENT_MAX)
    abort();
  return act->lent[act->lent_count++] = copy(text);
}

void act_spoil(struct act *act) {
  for (size_t i = 0; act->lab->poison_texts && i < act->lent_count; i++)
    memset(act->lent[i], '~', strlen(act->lent[i]));
}

/* ---- life --------------------------------------------------------------- */

void act_begin(struct act *act, const char *entry, const char *key) {
  const size_t most = 48; /* of a key, from its end: what differs */
  size_t len = strlen(key);
  size_t cut = len > most ? len - most : 0;
  snprintf(act->what, sizeof act->what, "%s '%s%s'", entry,
           cut > 0 ? "..." : "", key + cut);
  lab_enter(act->lab, entry);
}

void act_begun(struct act *act, struct sluice_op *op) {
  lab_leave(act->lab);
  act->op = op;
  act_spoil(act);
  act->step = 1; /* there is nothing before the start */
  act_step(act);
}

static void on_released(void *arg) {
  struct act *act = arg;
  act->over = true;
  act->op = NULL;
}

void act_leave(struct act *act) {
  if (act->over || act->left)
    return;
  act->left = true;
  lab_enter(act->lab, "cancel");
  if (act->changing)
    op_cancel(act->op);
  else
    op_leave(act->op, on_released, act);
  lab_leave(act->lab);
}

bool act_step(struct act *act) {
  if (act->left)
    return true;
  if (act->step++ == act->leave_at)
    act_leave(act);
  return act->left;
}

void act_wait(struct act *act) {
  if (lab_until(act->lab, &act->over))
    return;
  lab_fail(act->lab, "%s: %s within %lld ms", act->what,
           act->left ? "it was canceled, and isn't done" : "it isn't done",
           (long long)act->lab->plan->patience_ms);
}

void act_expect(struct act *act, enum sluice_status status) {
  lab_need(act->lab, act->left || act->status == status,
           "%s: ended with %s instead of %s%s%s", act->what,
           act_word(act->status), act_word(status),
           act->why[0] == '\0' ? "" : ": ", act->why);
}

/* ---- what the plugin says ----------------------------------------------- */

void act_event(struct act *act, const char *event) {
  struct lab *lab = act->lab;
  if (lab->inside != NULL)
    lab_breach(lab, "block", "%s() ran the loop: %s came inside of it",
               lab->inside, event);
}

static void keep_meta(struct act_entry *entry,
                      const struct sluice_meta *meta) {
  entry->length = meta->length;
  entry->mtime_ms = meta->mtime_ms;
  entry->etag = copy(meta->etag);
}

void act_on_meta(struct act *act, const struct sluice_meta *meta) {
  act_event(act, "sluice_meta()");
  act->described = true;
  keep_meta(&act->meta, meta);
  act->type = copy(meta->type);
  act->encoding = copy(meta->encoding);
  for (; meta->user[act->user_count].name != NULL; act->user_count++) {
    act->names[act->user_count] = copy(meta->user[act->user_count].name);
    act->values[act->user_count] = copy(meta->user[act->user_count].value);
  }
}

static void keep_entries(struct act *act) {
  size_t count = op_entries(act->op);
  act->entries = calloc(count + 1, sizeof *act->entries);
  if (act->entries == NULL)
    abort();
  for (; act->entry_count < count; act->entry_count++) {
    struct act_entry *entry = &act->entries[act->entry_count];
    struct op_entry said = op_entry(act->op, act->entry_count);
    entry->key = copy(said.key);
    entry->folded = said.meta == NULL;
    if (said.meta != NULL)
      keep_meta(entry, said.meta);
  }
}

void act_on_done(void *arg, enum sluice_status status, const char *why) {
  struct act *act = arg;
  act_event(act, "sluice_done()");
  act->status = status;
  if (why != NULL)
    snprintf(act->why, sizeof act->why, "%s", why);
  keep_entries(act);
  act->token = copy(op_token(act->op));
  for (; act->text_count < op_texts(act->op); act->text_count++)
    act->texts[act->text_count] = copy(op_text(act->op, act->text_count));
  act->over = true;
  act->op = NULL;
}

static void on_meta(void *arg, const struct sluice_meta *meta) {
  struct act *act = arg;
  act_on_meta(act, meta);
  act_step(act);
}

/* ---- starts ------------------------------------------------------------- */

static const struct op_events events = {.meta = on_meta, .done = act_on_done};

void act_head(struct act *act, const char *key) {
  const char *lent = act_lend(act, key);
  act_begin(act, "head", key);
  act_begun(act, op_head(&act->lab->handle, lent, &events, act));
}

void act_remove(struct act *act, const char *key) {
  const char *lent = act_lend(act, key);
  act->changing = true;
  act_begin(act, "remove", key);
  act_begun(act, op_remove(&act->lab->handle, lent, &events, act));
}

void act_ping(struct act *act) {
  act_begin(act, "ping", "");
  act_begun(act, op_ping(&act->lab->handle, &events, act));
}

void act_list(struct act *act, const struct sluice_list *list) {
  struct sluice_list lent = {.prefix = act_lend(act, list->prefix),
                             .delimiter = act_lend(act, list->delimiter),
                             .token = act_lend(act, list->token),
                             .max = list->max};
  act_begin(act, "list", list->prefix);
  struct sluice_op *op = op_list(&act->lab->handle, &lent, &events, act);
  digest_wipe(&lent, sizeof lent);
  act_begun(act, op);
}

void act_presign(struct act *act, const struct sluice_link *link) {
  struct sluice_link lent = *link;
  lent.key = act_lend(act, link->key);
  lent.method = act_lend(act, link->method);
  lent.disposition = act_lend(act, link->disposition);
  lent.type = act_lend(act, link->type);
  lent.signed_url = act_lend(act, link->signed_url);
  act_begin(act, "presign", link->key);
  struct sluice_op *op = op_presign(&act->lab->handle, &lent, &events, act);
  digest_wipe(&lent, sizeof lent);
  act_begun(act, op);
}

void act_verify(struct act *act, const struct sluice_claim *claim) {
  struct sluice_claim lent = {.method = act_lend(act, claim->method),
                              .query = act_lend(act, claim->query)};
  act_begin(act, "verify", claim->query);
  struct sluice_op *op = op_verify(&act->lab->handle, &lent, &events, act);
  digest_wipe(&lent, sizeof lent);
  act_begun(act, op);
}
