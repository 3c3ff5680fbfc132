/* SPDX-License-Identifier: MIT
 *
 * Operations without bytes, and what all have in common.
 */
#include "op_driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "rules.h"

void op_driver_init(struct op_driver *driver, struct fixture *fixture) {
  *driver =
      (struct op_driver){.fixture = fixture, .leave_at = OP_DRIVER_NEVER};
}

void op_driver_fini(struct op_driver *driver) {
  for (size_t i = 0; i < driver->entry_count; i++) {
    free(driver->entries[i].key);
    free(driver->entries[i].etag);
  }
  for (size_t i = 0; i < driver->user_count; i++) {
    free(driver->names[i]);
    free(driver->values[i]);
  }
  for (size_t i = 0; i < driver->text_count; i++)
    free(driver->texts[i]);
  for (size_t i = 0; i < driver->lent_count; i++)
    free(driver->lent[i]);
  free(driver->entries);
  free(driver->token);
  free(driver->meta.etag);
  free(driver->type);
  free(driver->encoding);
  free(driver->buffers[0]);
  free(driver->buffers[1]);
  digest_free(driver->digest);
}

static char *copy_text(const char *text) {
  char *made = text == NULL ? NULL : strdup(text);
  if (text != NULL && made == NULL)
    abort();
  return made;
}

const char *op_driver_word(enum sluice_status status) {
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

const char *op_driver_lend(struct op_driver *driver, const char *text) {
  if (text == NULL)
    return NULL;
  if (driver->lent_count == OP_DRIVER_LENT_MAX)
    abort();
  return driver->lent[driver->lent_count++] = copy_text(text);
}

void op_driver_spoil(struct op_driver *driver) {
  for (size_t i = 0; driver->fixture->poison_texts && i < driver->lent_count;
       i++)
    memset(driver->lent[i], '~', strlen(driver->lent[i]));
}

/* ---- life --------------------------------------------------------------- */

void op_driver_begin(struct op_driver *driver, const char *entry,
                     const char *key) {
  const size_t most = 48; /* of a key, from its end: what differs */
  size_t len = strlen(key);
  size_t cut = len > most ? len - most : 0;
  snprintf(driver->what, sizeof driver->what, "%s '%s%s'", entry,
           cut > 0 ? "..." : "", key + cut);
  fixture_enter(driver->fixture, entry);
}

void op_driver_begun(struct op_driver *driver, struct sluice_op *op) {
  fixture_leave(driver->fixture);
  driver->op = op;
  op_driver_spoil(driver);
  driver->step = 1; /* there is nothing before the start */
  op_driver_step(driver);
}

static void op_driver_on_released(void *arg) {
  struct op_driver *driver = arg;
  driver->over = true;
  driver->op = NULL;
}

void op_driver_leave(struct op_driver *driver) {
  if (driver->over || driver->left)
    return;
  driver->left = true;
  fixture_enter(driver->fixture, "cancel");
  if (driver->changing)
    op_cancel(driver->op);
  else
    op_leave(driver->op, op_driver_on_released, driver);
  fixture_leave(driver->fixture);
}

bool op_driver_step(struct op_driver *driver) {
  if (driver->left)
    return true;
  if (driver->step++ == driver->leave_at)
    op_driver_leave(driver);
  return driver->left;
}

void op_driver_wait(struct op_driver *driver) {
  if (fixture_until(driver->fixture, &driver->over))
    return;
  fixture_fail_late(driver->fixture, RULE_DONE,
                    "%s: %s, and said nothing for %lld ms", driver->what,
                    driver->left ? "it was canceled, isn't done"
                                 : "it isn't done",
                    (long long)driver->fixture->plan->patience_ms);
}

void op_driver_hold(struct op_driver *put) {
  if (!fixture_until(put->fixture, &put->ready))
    fixture_fail_late(put->fixture, RULE_PUT,
                      "%s: not all chunks come back, and nothing was said for "
                      "%lld ms",
                      put->what, (long long)put->fixture->plan->patience_ms);
  fixture_need_by(put->fixture, !put->over, RULE_PUT,
                  "%s: ended with %s before all chunks came back", put->what,
                  op_driver_word(put->status));
}

/* The rule of the entry that a driver's `what` begins with. */
static const char *rule_of(const struct op_driver *driver) {
  static const struct {
    const char *entry, *rule;
  } rules[] = {{"head ", "head(): sluice_meta(), done; SLUICE_ENOENT"},
               {"get ", RULE_MORE},
               {"put ", RULE_COMMIT},
               {"list ", RULE_LIST},
               {"remove ", RULE_REMOVE},
               {"ping ", "Is the storage reachable?  done"},
               {"presign ", RULE_PRESIGN},
               {"verify ", RULE_VERIFY}};
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
    if (strncmp(driver->what, rules[i].entry, strlen(rules[i].entry)) == 0)
      return rules[i].rule;
  abort();
}

void op_driver_expect(struct op_driver *driver, enum sluice_status status) {
  fixture_need_by(driver->fixture, driver->left || driver->status == status,
                  rule_of(driver), "%s: ended with %s instead of %s%s%s",
                  driver->what, op_driver_word(driver->status),
                  op_driver_word(status), driver->why[0] == '\0' ? "" : ": ",
                  driver->why);
}

/* ---- what the plugin says ----------------------------------------------- */

void op_driver_event(struct op_driver *driver, const char *event) {
  struct fixture *fixture = driver->fixture;
  if (fixture->inside != NULL)
    fixture_report(fixture, "block", "%s() ran the loop: %s came inside of it",
                   fixture->inside, event);
  fixture_heard(fixture, true);
}

void op_driver_on_alive(void *arg) {
  struct op_driver *driver = arg;
  fixture_heard(driver->fixture, false);
}

static void keep_meta(struct op_driver_entry *entry,
                      const struct sluice_meta *meta) {
  entry->length = meta->length;
  entry->mtime_ms = meta->mtime_ms;
  entry->etag = copy_text(meta->etag);
}

void op_driver_on_meta(struct op_driver *driver,
                       const struct sluice_meta *meta) {
  op_driver_event(driver, "sluice_meta()");
  driver->described = true;
  keep_meta(&driver->meta, meta);
  driver->type = copy_text(meta->type);
  driver->encoding = copy_text(meta->encoding);
  driver->before = meta->before;
  for (; meta->user[driver->user_count].name != NULL; driver->user_count++) {
    driver->names[driver->user_count] =
        copy_text(meta->user[driver->user_count].name);
    driver->values[driver->user_count] =
        copy_text(meta->user[driver->user_count].value);
  }
}

static void keep_entries(struct op_driver *driver) {
  size_t count = op_entries(driver->op);
  driver->entries = calloc(count + 1, sizeof *driver->entries);
  if (driver->entries == NULL)
    abort();
  for (; driver->entry_count < count; driver->entry_count++) {
    struct op_driver_entry *entry = &driver->entries[driver->entry_count];
    struct op_entry said = op_entry(driver->op, driver->entry_count);
    entry->key = copy_text(said.key);
    entry->folded = said.meta == NULL;
    if (said.meta != NULL)
      keep_meta(entry, said.meta);
  }
}

void op_driver_on_done(void *arg, enum sluice_status status, const char *why) {
  struct op_driver *driver = arg;
  op_driver_event(driver, "sluice_done()");
  driver->status = status;
  if (why != NULL)
    snprintf(driver->why, sizeof driver->why, "%s", why);
  keep_entries(driver);
  driver->token = copy_text(op_token(driver->op));
  for (; driver->text_count < op_texts(driver->op); driver->text_count++)
    driver->texts[driver->text_count] =
        copy_text(op_text(driver->op, driver->text_count));
  for (size_t i = 0; i < driver->many; i++)
    driver->failures += op_removed(driver->op, i) != SLUICE_OK;
  driver->over = driver->ready = true;
  driver->op = NULL;
}

void op_driver_on_head_meta(void *arg, const struct sluice_meta *meta) {
  struct op_driver *driver = arg;
  op_driver_on_meta(driver, meta);
  op_driver_step(driver);
}

/* ---- starts ------------------------------------------------------------- */

static const struct op_events events = {.meta = op_driver_on_head_meta,
                                        .alive = op_driver_on_alive,
                                        .done = op_driver_on_done};

void op_driver_head(struct op_driver *driver, const char *key) {
  const char *lent = op_driver_lend(driver, key);
  op_driver_begin(driver, "head", key);
  op_driver_begun(driver,
                  op_head(&driver->fixture->handle, lent, &events, driver));
}

void op_driver_remove(struct op_driver *driver, const char *key) {
  const char *lent = op_driver_lend(driver, key);
  driver->changing = true;
  op_driver_begin(driver, "remove", key);
  op_driver_begun(driver,
                  op_remove(&driver->fixture->handle, lent, &events, driver));
}

void op_driver_remove_if(struct op_driver *driver,
                         const struct sluice_removal *removal) {
  struct sluice_removal lent = {.key = op_driver_lend(driver, removal->key),
                                .if_match =
                                    op_driver_lend(driver, removal->if_match),
                                .if_ended = removal->if_ended};
  driver->changing = true;
  op_driver_begin(driver, "remove_if", removal->key);
  struct sluice_op *op =
      op_remove_if(&driver->fixture->handle, &lent, &events, driver);
  digest_wipe(&lent, sizeof lent);
  op_driver_begun(driver, op);
}

void op_driver_remove_many(struct op_driver *driver, const char *const *keys,
                           size_t count) {
  driver->changing = true;
  driver->many = count;
  op_driver_begin(driver, "remove_many", keys[0]);
  op_driver_begun(driver, op_remove_many(&driver->fixture->handle, keys, count,
                                         &events, driver));
}

void op_driver_copy(struct op_driver *driver, const struct sluice_copy *copy) {
  struct sluice_copy lent = {.from = op_driver_lend(driver, copy->from),
                             .to = op_driver_lend(driver, copy->to),
                             .if_match =
                                 op_driver_lend(driver, copy->if_match),
                             .exclusive = copy->exclusive};
  driver->changing = true;
  op_driver_begin(driver, "copy", copy->to);
  struct sluice_op *op =
      op_copy(&driver->fixture->handle, &lent, &events, driver);
  digest_wipe(&lent, sizeof lent);
  op_driver_begun(driver, op);
}

void op_driver_ping(struct op_driver *driver) {
  op_driver_begin(driver, "ping", "");
  op_driver_begun(driver, op_ping(&driver->fixture->handle, &events, driver));
}

void op_driver_list(struct op_driver *driver, const struct sluice_list *list) {
  struct sluice_list lent = {.prefix = op_driver_lend(driver, list->prefix),
                             .delimiter =
                                 op_driver_lend(driver, list->delimiter),
                             .token = op_driver_lend(driver, list->token),
                             .max = list->max};
  op_driver_begin(driver, "list", list->prefix);
  struct sluice_op *op =
      op_list(&driver->fixture->handle, &lent, &events, driver);
  digest_wipe(&lent, sizeof lent);
  op_driver_begun(driver, op);
}

void op_driver_presign(struct op_driver *driver,
                       const struct sluice_link *link) {
  struct sluice_link lent = *link;
  lent.key = op_driver_lend(driver, link->key);
  lent.method = op_driver_lend(driver, link->method);
  lent.disposition = op_driver_lend(driver, link->disposition);
  lent.type = op_driver_lend(driver, link->type);
  lent.signed_url = op_driver_lend(driver, link->signed_url);
  op_driver_begin(driver, "presign", link->key);
  struct sluice_op *op =
      op_presign(&driver->fixture->handle, &lent, &events, driver);
  digest_wipe(&lent, sizeof lent);
  op_driver_begun(driver, op);
}

void op_driver_verify(struct op_driver *driver,
                      const struct sluice_claim *claim) {
  struct sluice_claim lent = {.method = op_driver_lend(driver, claim->method),
                              .query = op_driver_lend(driver, claim->query)};
  op_driver_begin(driver, "verify", claim->query);
  struct sluice_op *op =
      op_verify(&driver->fixture->handle, &lent, &events, driver);
  digest_wipe(&lent, sizeof lent);
  op_driver_begun(driver, op);
}
