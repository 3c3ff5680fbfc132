/* SPDX-License-Identifier: MIT
 *
 * The layer `encrypt`: the storage below sees sealed bytes alone.  Names,
 * types and metadata are the storage's to see.  sluice-encrypt(7); the format
 * is in docs/encrypted-objects.md.
 */
#include "encrypt.h"

#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "errmsg.h"
#include "keyfile.h"

struct encrypt_conf {
  const char *over, *key_file;
};

static const struct sluice_option options[] = {
    {"over", SLUICE_BACKEND_NAME, NULL, offsetof(struct encrypt_conf, over),
     "the backend that keeps the sealed objects"},
    {"key_file", SLUICE_STRING, NULL, offsetof(struct encrypt_conf, key_file),
     "a file of keys, 64 hex digits a line; the first one seals"},
    {NULL, 0, NULL, 0, NULL}};

bool encrypt_meta(const struct sluice_meta *sealed,
                  struct sluice_meta *plain) {
  *plain = *sealed;
  plain->md5 = NULL; /* of the sealed bytes */
  return crypt_plain_length(sealed->length, &plain->length);
}

void encrypt_end(struct sluice_op *op, enum sluice_status status,
                 const char *why) {
  if (why == NULL)
    sluice_done(op, status, NULL);
  else
    sluice_done(op, status, "%s", why);
}

/* ---- life --------------------------------------------------------------- */

static void encrypt_stop(void *instance) {
  digest_wipe(instance, sizeof(struct crypt_keys));
  free(instance);
}

static void *encrypt_start(const void *arg, struct sluice_host *host) {
  const struct encrypt_conf *conf = arg;
  struct crypt_keys *keys = calloc(1, sizeof *keys);
  struct errmsg err = {"no memory is left"};
  if (keys != NULL && keyfile_read(keys, conf->key_file, &err))
    return keys;
  sluice_fail(host, "%s", err.text);
  if (keys != NULL)
    encrypt_stop(keys);
  return NULL;
}

static void *encrypt_open(void *instance, struct sluice_host *host) {
  struct encrypt_handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL) {
    sluice_fail(host, "no memory is left");
    return NULL;
  }
  handle->host = host;
  handle->store = sluice_store(host, NULL);
  handle->keys = instance;
  return handle;
}

static void encrypt_cancel(void *handle, struct sluice_op *op) {
  struct encrypt_op *state = sluice_op_state(op, sizeof *state);
  (void)handle;
  if (state->get != NULL)
    encrypt_get_cancel(state->get);
  else
    sluice_ask_cancel(sluice_asked(op));
}

static const struct sluice_backend encrypt = {
    SLUICE_HEAD(sluice_backend),
    .name = "encrypt",
    .version = SLUICE_VERSION,
    .summary = "seals what another backend keeps",
    .options = options,
    .conf_size = sizeof(struct encrypt_conf),
    .start = encrypt_start,
    .stop = encrypt_stop,
    .open = encrypt_open,
    .close = free,
    .head = encrypt_head,
    .get = encrypt_get,
    .read = encrypt_read,
    .more = encrypt_more,
    .put = encrypt_put,
    .data = encrypt_data,
    .commit = encrypt_commit,
    .list = encrypt_list,
    .cancel = encrypt_cancel,
    .copy = encrypt_copy,
    .remove = encrypt_remove,
    .remove_if = encrypt_remove_if,
    .remove_many = encrypt_remove_many,
    .op_memory = ENCRYPT_MEMORY,
};

SLUICE_REACH({"key_file", SLUICE_REACH_READ, NULL})
SLUICE_BACKEND(encrypt, encrypt)
