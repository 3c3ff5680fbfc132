/* SPDX-License-Identifier: MIT
 *
 * Reads the secret of a storage, or makes it: of several gateways that make
 * one at once, that of the first counts, as it is put where nothing is, and
 * read again afterwards.
 */
#include "linksecret.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "codec.h"
#include "gate.h"
#include "log.h"
#include "work.h"

#define NAME ".sluice/link-secret"
#define LEN 64                    /* hex digits */
#define UPLOADS "sluice-upload-1" /* for this use */
#define LINKS "sluice-links-1"    /* so too */
#define TRIES 3                   /* to read it */
#define MATERIAL_MAX 65536

struct linksecret {
  struct gate *gate;
  struct op_backend *backend;
  struct linksecret_keys keys; /* NULL: not known yet */
  struct sluice_op *op;        /* reads or makes it */
  struct linksecret_waiter *waiters;
  unsigned tries;
  bool told; /* the plugin has the chunk: then it wants the commit */
  char text[LEN], md5[2 * DIGEST_MD5_LEN + 1];
  size_t length; /* of the object */
  int fd;        /* of its bytes */
  uint64_t offset;
  struct sluice_object object;
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
  size_t index = (size_t)(secret->backend - gate->backends);
  unsigned char key[DIGEST_SHA256_LEN];
  if (!gate->keyed[index])
    return;
  digest_key_sum(gate->cursor_keys[index], key, LINKS, sizeof LINKS);
  digest_key_free(secret->keys.links);
  secret->keys.links = digest_key_new(key, sizeof key);
  digest_wipe(key, sizeof key);
}

/* Makes a key for each use of the secret. */
static void take(struct linksecret *secret, const void *text, size_t len) {
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

static void tell(struct linksecret *secret, enum sluice_status status,
                 const char *why) {
  struct linksecret_waiter *waiter = secret->waiters;
  secret->waiters = NULL;
  secret->tries = 0;
  while (waiter != NULL) {
    struct linksecret_waiter *next = waiter->next;
    waiter->next = NULL;
    waiter->told(waiter->arg, known(secret), status, why);
    waiter = next;
  }
}

/* ---- making it ---------------------------------------------------------- */

static void read_it(struct linksecret *secret);

static void on_next(void *arg) {
  struct linksecret *secret = arg;
  if (secret->told) {
    op_commit(secret->op, &secret->object);
    return;
  }
  secret->told = true;
  op_data(secret->op,
          &(struct sluice_chunk){
              .data = secret->text, .length = LEN, .fd = -1, .last = true});
}

static void on_made(void *arg, enum sluice_status status, const char *why) {
  struct linksecret *secret = arg;
  secret->op = NULL;
  if (status == SLUICE_OK)
    log_line(SLUICE_LOG_INFO, secret->backend->host.name,
             "a secret for links and for addresses of uploads was made in the "
             "storage, as " NAME);
  if (status == SLUICE_OK || status == SLUICE_EEXIST)
    read_it(secret);
  else
    tell(secret, status, why);
}

static void make_it(struct linksecret *secret) {
  static const struct sluice_pair none[] = {{NULL, NULL}};
  static const struct op_events events = {.next = on_next, .done = on_made};
  unsigned char random[LEN / 2], md5[DIGEST_MD5_LEN];
  char hex[LEN + 1];
  digest_random(random, sizeof random);
  codec_hex(hex, random, sizeof random);
  memcpy(secret->text, hex, LEN);
  digest_md5(md5, secret->text, LEN);
  codec_hex(secret->md5, md5, sizeof md5);
  digest_wipe(random, sizeof random);
  digest_wipe(hex, sizeof hex);
  secret->object = (struct sluice_object){.key = NAME,
                                          .type = "text/plain",
                                          .length = LEN,
                                          .md5 = secret->md5,
                                          .user = none,
                                          .exclusive = true};
  secret->told = false;
  secret->op = op_put(secret->backend, &(struct sluice_put){.length = LEN},
                      &events, secret);
}

/* ---- reading it --------------------------------------------------------- */

static void on_meta(void *arg, const struct sluice_meta *meta) {
  struct linksecret *secret = arg;
  secret->length = meta->length;
  if (meta->length == LEN)
    op_read(secret->op, 0, LEN);
  else
    op_cancel(secret->op);
}

static void read_file(void *arg) {
  struct linksecret *secret = arg;
  if (pread(secret->fd, secret->text, LEN, (off_t)secret->offset) != LEN)
    secret->length = 0;
}

static void file_read(void *arg) {
  struct linksecret *secret = arg;
  if (secret->op != NULL)
    op_more(secret->op);
}

static void on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct linksecret *secret = arg;
  if (chunk->length != LEN)
    secret->length = 0;
  secret->fd = chunk->fd;
  secret->offset = chunk->offset;
  if (chunk->length == LEN && chunk->fd >= 0) {
    work_submit(secret->backend->host.share, secret->gate->loop, read_file,
                file_read, secret);
    return;
  }
  if (chunk->length == LEN)
    memcpy(secret->text, chunk->data, LEN);
  op_more(secret->op);
}

static void on_read(void *arg, enum sluice_status status, const char *why) {
  struct linksecret *secret = arg;
  secret->op = NULL;
  if (status == SLUICE_ENOENT && secret->tries++ < TRIES) {
    make_it(secret);
    return;
  }
  if (status == SLUICE_OK && secret->length == LEN)
    take(secret, secret->text, LEN);
  digest_wipe(secret->text, LEN);
  if (known(secret) != NULL)
    tell(secret, SLUICE_OK, NULL);
  else if (status == SLUICE_OK || secret->length != LEN)
    tell(secret, SLUICE_EUPSTREAM,
         NAME " isn't a secret of 64 characters; remove it, so that a new one "
              "is made, which ends the links that were signed before");
  else
    tell(secret, status, why);
}

static void read_it(struct linksecret *secret) {
  static const struct op_events events = {
      .meta = on_meta, .chunk = on_chunk, .done = on_read};
  secret->length = LEN;
  secret->op = op_get(secret->backend,
                      &(struct sluice_get){.key = NAME, .count = UINT64_MAX},
                      &events, secret);
}

/* ---- of the configuration ----------------------------------------------- */

/* For each backend another one. */
static void derive(struct linksecret *secret) {
  const struct sluice_backend *plugin = secret->backend->plugin;
  const char *const texts[] = {"link", secret->backend->host.name,
                               plugin->name,
                               secret->gate->settings->links.secret};
  unsigned char key[DIGEST_SHA256_LEN];
  struct buf material;
  buf_init(&material, MATERIAL_MAX);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    buf_add(&material, texts[i], strlen(texts[i]) + 1);
  digest_sha256(key, material.data, material.len);
  if (!material.overflown)
    take(secret, key, sizeof key);
  digest_wipe(material.data, material.len);
  digest_wipe(key, sizeof key);
  buf_fini(&material);
}

/* ---- for endpoints ------------------------------------------------------ */

void linksecret_ask(struct linksecrets *secrets, size_t backend,
                    struct linksecret_waiter *waiter) {
  struct linksecret *secret = &secrets->of[backend];
  if (known(secret) == NULL && *secret->gate->settings->links.secret != '\0')
    derive(secret);
  if (known(secret) != NULL) {
    waiter->told(waiter->arg, known(secret), SLUICE_OK, NULL);
    return;
  }
  waiter->next = secret->waiters;
  secret->waiters = waiter;
  if (secret->op == NULL)
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
    secrets->of[i].backend = &gate->backends[i];
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
