/* SPDX-License-Identifier: MIT
 *
 * Reads the secret of a storage, or makes it: of several gateways that make
 * one at once, that of the first counts, as it is put where nothing is, and
 * read again afterwards.
 */
#include "linksecret.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "codec.h"
#include "gate.h"
#include "log.h"
#include "ownobject.h"

#define NAME ".sluice/link-secret"
#define LEN 64                    /* hex digits */
#define UPLOADS "sluice-upload-1" /* for this use */
#define LINKS "sluice-links-1"    /* so too */
#define TRIES 3                   /* to read it */
#define MATERIAL_MAX 65536

struct linksecret {
  struct gate *gate;
  size_t index;                /* among the backends */
  struct linksecret_keys keys; /* NULL: not known yet */
  struct ownobject own;        /* it, in the storage */
  char text[LEN + 1];
  bool makes; /* and doesn't read it */
  struct linksecret_waiter *waiters;
  unsigned tries;
};

struct linksecrets {
  size_t count;
  struct linksecret of[];
};

static const struct linksecret_keys *known(const struct linksecret *secret) {
  return secret->keys.uploads == NULL ? NULL : &secret->keys;
}

/* Where the backend's options have a key for links, it is made of that one. */
static void prefer_own(struct linksecret *secret) {
  const struct gate *gate = secret->gate;
  size_t index = secret->index;
  unsigned char key[DIGEST_SHA256_LEN];
  if (!gate->keyed[index])
    return;
  digest_key_sum(gate->cursor_keys[index], key, LINKS, sizeof LINKS);
  digest_key_free(secret->keys.links);
  secret->keys.links = digest_key_new(key, sizeof key);
  digest_wipe(key, sizeof key);
}

/* Makes a key for each use of the secret. */
static void linksecret_take(struct linksecret *secret, const void *text,
                            size_t len) {
  unsigned char uploads[DIGEST_SHA256_LEN];
  secret->keys.links = digest_key_new(text, len);
  if (secret->keys.links == NULL)
    return;
  prefer_own(secret);
  if (secret->keys.links == NULL)
    return;
  digest_key_sum(secret->keys.links, uploads, UPLOADS, sizeof UPLOADS);
  secret->keys.uploads = digest_key_new(uploads, sizeof uploads);
  digest_wipe(uploads, sizeof uploads);
}

static void linksecret_tell(struct linksecret *secret,
                            enum sluice_status status, const char *why) {
  struct linksecret_waiter *waiter = secret->waiters;
  struct gate *gate = secret->gate;
  secret->waiters = NULL;
  secret->tries = 0;
  while (waiter != NULL) {
    struct linksecret_waiter *next = waiter->next;
    waiter->next = NULL;
    waiter->told(waiter->arg, known(secret), status, why);
    waiter = next;
  }
  gate_release(gate);
}

/* ---- making it ---------------------------------------------------------- */

static void read_it(struct linksecret *secret);

static void linksecret_on_made(struct linksecret *secret,
                               enum sluice_status status, const char *why) {
  if (status == SLUICE_OK)
    log_line(SLUICE_LOG_INFO, secret->own.backend->host.name,
             "a secret for links and for addresses of uploads was made in the "
             "storage, as " NAME);
  if (status == SLUICE_OK || status == SLUICE_EEXIST)
    read_it(secret);
  else
    linksecret_tell(secret, status, why);
}

static void make_it(struct linksecret *secret) {
  unsigned char random[LEN / 2];
  digest_random(random, sizeof random);
  codec_hex(secret->text, random, sizeof random);
  digest_wipe(random, sizeof random);
  secret->makes = true;
  ownobject_write(&secret->own, NAME, LEN, OWNOBJECT_NEW);
}

/* ---- reading it --------------------------------------------------------- */

static bool somebody_makes(const struct linksecret *secret) {
  const struct linksecret_waiter *waiter = secret->waiters;
  while (waiter != NULL && waiter->only_reads)
    waiter = waiter->next;
  return waiter != NULL;
}

static void linksecret_on_read(struct linksecret *secret,
                               enum sluice_status status, const char *why) {
  if (status == SLUICE_ENOENT && somebody_makes(secret) &&
      secret->tries++ < TRIES) {
    make_it(secret);
    return;
  }
  bool fits = secret->own.length == LEN && !secret->own.foreign;
  if (status == SLUICE_OK && fits)
    linksecret_take(secret, secret->text, LEN);
  digest_wipe(secret->text, LEN);
  if (known(secret) != NULL)
    linksecret_tell(secret, SLUICE_OK, NULL);
  else if (status == SLUICE_OK || secret->own.foreign)
    linksecret_tell(
        secret, SLUICE_EUPSTREAM,
        NAME " isn't a secret of 64 characters; remove it, so that a new one "
             "is made, which ends the links that were signed before");
  else
    linksecret_tell(secret, status, why);
}

static void read_it(struct linksecret *secret) {
  secret->makes = false;
  ownobject_read(&secret->own, NAME);
}

static void linksecret_on_own(void *arg, enum sluice_status status,
                              const char *why) {
  struct linksecret *secret = arg;
  if (secret->makes)
    linksecret_on_made(secret, status, why);
  else
    linksecret_on_read(secret, status, why);
}

/* ---- of the configuration ----------------------------------------------- */

/* For each backend another one. */
static void derive(struct linksecret *secret) {
  const struct sluice_backend *plugin = secret->own.backend->plugin;
  const char *const texts[] = {"link", secret->own.backend->host.name,
                               plugin->name,
                               secret->gate->settings->links.secret};
  unsigned char key[DIGEST_SHA256_LEN];
  struct buf material;
  buf_init(&material, MATERIAL_MAX);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    buf_add(&material, texts[i], strlen(texts[i]) + 1);
  digest_sha256(key, material.data, material.len);
  if (!material.overflown)
    linksecret_take(secret, key, sizeof key);
  digest_wipe(material.data, material.len);
  digest_wipe(key, sizeof key);
  buf_fini(&material);
}

/* ---- for endpoints ------------------------------------------------------ */

const struct linksecret_keys *linksecret_known(struct linksecrets *secrets,
                                               size_t backend) {
  struct linksecret *secret = &secrets->of[backend];
  if (known(secret) == NULL && *secret->gate->settings->links.secret != '\0')
    derive(secret);
  return known(secret);
}

void linksecret_ask(struct linksecrets *secrets, size_t backend,
                    struct linksecret_waiter *waiter) {
  struct linksecret *secret = &secrets->of[backend];
  const struct linksecret_keys *keys = linksecret_known(secrets, backend);
  if (keys != NULL) {
    waiter->told(waiter->arg, keys, SLUICE_OK, NULL);
    return;
  }
  waiter->next = secret->waiters;
  secret->waiters = waiter;
  if (secret->own.op != NULL)
    return;
  gate_hold(secret->gate);
  read_it(secret);
}

void linksecret_leave(struct linksecrets *secrets, size_t backend,
                      struct linksecret_waiter *waiter) {
  struct linksecret_waiter **at = &secrets->of[backend].waiters;
  for (; *at != NULL; at = &(*at)->next)
    if (*at == waiter) {
      *at = waiter->next;
      return;
    }
}

struct linksecrets *linksecrets_new(struct gate *gate) {
  size_t count = gate->settings->backend_count;
  struct linksecrets *secrets =
      calloc(1, sizeof *secrets + count * sizeof secrets->of[0]);
  if (secrets == NULL)
    return NULL;
  secrets->count = count;
  for (size_t i = 0; i < count; i++) {
    secrets->of[i].gate = gate;
    secrets->of[i].index = i;
    ownobject_init(&secrets->of[i].own, gate->backends[i], secrets->of[i].text,
                   LEN, linksecret_on_own, &secrets->of[i]);
  }
  return secrets;
}

static void free_keys(struct linksecret_keys *keys) {
  digest_key_free(keys->links);
  digest_key_free(keys->uploads);
}

void linksecrets_free(struct linksecrets *secrets) {
  for (size_t i = 0; secrets != NULL && i < secrets->count; i++)
    free_keys(&secrets->of[i].keys);
  free(secrets);
}
