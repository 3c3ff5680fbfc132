/* SPDX-License-Identifier: MIT
 *
 * Entries that pass through a layer.  It is never gone around in what it does
 * itself: so an entry that would have the backend below do the same in another
 * way doesn't pass.
 */
#include "layer.h"

#include "ask.h"

bool layer_is_name(int type) {
  return type == SLUICE_BACKEND_NAME || type == SLUICE_BACKEND_NAMES;
}

enum layer_kind layer_kind(const struct sluice_option *table) {
  enum layer_kind kind = LAYER_NONE;
  for (; table != NULL && table->name != NULL; table++) {
    bool always = table->fallback == NULL || table->fallback[0] != '\0';
    if (!layer_is_name(table->type))
      continue;
    kind = kind == LAYER_NONE && table->type == SLUICE_BACKEND_NAME && always
               ? LAYER_ONE
               : LAYER_MANY;
  }
  return kind;
}

/* ---- life --------------------------------------------------------------- */

static void *start_as_conf(const void *conf, struct sluice_host *host) {
  (void)host;
  return (void *)conf;
}

static void *open_as_host(void *instance, struct sluice_host *host) {
  (void)instance;
  return host;
}

static void end_of_nothing(void *arg) {
  (void)arg;
}

void layer_live(struct sluice_backend *own) {
  if (own->start == NULL)
    own->start = start_as_conf;
  if (own->stop == NULL)
    own->stop = end_of_nothing;
  if (own->open == NULL)
    own->open = open_as_host;
  if (own->close == NULL)
    own->close = end_of_nothing;
}

/* ---- entries ------------------------------------------------------------ */

static bool own_reads(const struct sluice_backend *own) {
  return own->get != NULL || own->read != NULL || own->more != NULL;
}

/* A copy would show under another key what head or get may refuse. */
static bool guards_reads(const struct sluice_backend *own) {
  return own->head != NULL || own_reads(own);
}

static bool own_stores(const struct sluice_backend *own) {
  return own->put != NULL || own->data != NULL || own->commit != NULL;
}

static bool own_stages(const struct sluice_backend *own) {
  return own->stage != NULL || own->save != NULL || own->stage_commit != NULL;
}

/* An operation of which the layer has a step goes through it as a whole. */
static struct sluice_backend calls_of(const struct sluice_backend *own) {
  struct sluice_backend calls = *own;
#define PASS(entry)        \
  if (calls.entry == NULL) \
  calls.entry = ask_pass.entry
  PASS(cancel);
  if (own_reads(own)) {
    PASS(get);
  }
  if (own_reads(own) || own->stage_get != NULL) {
    PASS(read);
    PASS(more);
  }
  if (own_stores(own)) {
    PASS(put);
    PASS(commit);
  }
  if (own_stores(own) || own_stages(own))
    PASS(data);
  if (own_stages(own)) {
    PASS(stage);
    PASS(save);
    PASS(stage_commit);
  }
#undef PASS
  return calls;
}

static void offer_links(struct sluice_backend *offers,
                        const struct sluice_backend *own,
                        const struct sluice_backend *below) {
  bool changes = guards_reads(own) || own_stores(own);
  offers->presign = NULL;
  offers->verify = NULL;
  if (below->presign != NULL)
    offers->presign = changes ? own->presign : below->presign;
  if (below->verify != NULL)
    offers->verify = changes ? own->verify : below->verify;
}

static void offer_stages(struct sluice_backend *offers,
                         const struct sluice_backend *own,
                         const struct sluice_backend *below) {
  if (below->stage == NULL || (own_stores(own) && own->stage == NULL))
    offers->stage = NULL;
  else
    offers->stage = below->stage;
}

void layer_unfold(struct layer *layer, const struct sluice_backend *own,
                  const struct sluice_backend *below) {
  layer->calls = calls_of(own);
  layer->offers = *own;
  if (below == NULL)
    return;
  struct sluice_backend *offers = &layer->offers;
  offer_links(offers, own, below);
  offer_stages(offers, own, below);
  if (own->copy == NULL && !own_stores(own) && !guards_reads(own))
    offers->copy = below->copy;
  if (own->remove == NULL && own->remove_if == NULL)
    offers->remove_if = below->remove_if;
  if (own->remove == NULL && own->remove_many == NULL)
    offers->remove_many = below->remove_many;
}

/* A layer that takes an upload's bytes itself has to say that it can give them
 * back, or is to be told of their object: those below may be others. */
unsigned layer_inherits(const struct sluice_backend *own, unsigned below) {
  unsigned its_own = SLUICE_CAN_REREAD | SLUICE_CAN_EARLY;
  return own_stores(own) ? below & ~its_own : below;
}

unsigned layer_can(const struct sluice_backend *offers, unsigned said) {
  if (offers->remove_if == NULL)
    said &= ~(unsigned)SLUICE_CAN_REMOVE;
  if (offers->copy == NULL)
    said &= ~(unsigned)(SLUICE_CAN_COPY | SLUICE_CAN_COPY_NEW);
  return said;
}
