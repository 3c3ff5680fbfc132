/* SPDX-License-Identifier: MIT
 *
 * Shared by the files of the layer `encrypt`: its handle, and the entries of
 * uploads and downloads.
 */
#ifndef ENCRYPT_ENCRYPT_H
#define ENCRYPT_ENCRYPT_H

#include <sluice/plugin.h>

#include "cryptform.h"

struct encrypt_handle { /* of one loop */
  struct sluice_host *host;
  struct sluice_store *store;
  const struct crypt_keys *keys;
};

struct encrypt_get;
struct encrypt_put;

/* The state of each operation that has one. */
struct encrypt_op {
  struct encrypt_get *get;
  struct encrypt_put *put;
  struct sluice_op *op; /* of a list, or of a head */
  struct sluice_ask *ask;
  bool foreign; /* a head of an object that isn't sealed */
  bool own;     /* a list of the gateway's names */
};

/* Two buffers of one piece, a header and a state. */
#define ENCRYPT_MEMORY (2 * CRYPT_SEALED + 4096)

/* The same meta of the plain object; false: it can't be one of ours. */
bool encrypt_meta(const struct sluice_meta *sealed, struct sluice_meta *plain);
void encrypt_end(struct sluice_op *, enum sluice_status, const char *why);

/* encrypt_name.c */
#define ENCRYPT_KEY_MAX 1024
#define ENCRYPT_NAME_SIZE (ENCRYPT_KEY_MAX + 1)
bool encrypt_is_own(const char *key); /* a name of the gateway's */
/* The name below of a key, perhaps in `room`; NULL: it is too long. */
const char *encrypt_down(const char *key, char room[ENCRYPT_NAME_SIZE]);
/* The key of a name below; NULL: it isn't one of those wanted. */
const char *encrypt_up(const char *name, bool own,
                       char room[ENCRYPT_NAME_SIZE]);
void encrypt_end_too_long(struct sluice_op *);
void encrypt_head(void *handle, struct sluice_op *, const char *key);
void encrypt_list(void *handle, struct sluice_op *,
                  const struct sluice_list *);
void encrypt_copy(void *handle, struct sluice_op *,
                  const struct sluice_copy *);
void encrypt_remove(void *handle, struct sluice_op *, const char *key);
void encrypt_remove_if(void *handle, struct sluice_op *,
                       const struct sluice_removal *);
void encrypt_remove_many(void *handle, struct sluice_op *,
                         const char *const *keys, size_t count);

/* encrypt_get.c */
void encrypt_get(void *handle, struct sluice_op *, const struct sluice_get *);
void encrypt_read(void *handle, struct sluice_op *, uint64_t first,
                  uint64_t count);
void encrypt_more(void *handle, struct sluice_op *);
void encrypt_get_cancel(struct encrypt_get *);

/* encrypt_put.c */
void encrypt_put(void *handle, struct sluice_op *, const struct sluice_put *);
void encrypt_data(void *handle, struct sluice_op *,
                  const struct sluice_chunk *);
void encrypt_commit(void *handle, struct sluice_op *,
                    const struct sluice_object *);

#endif
