/* SPDX-License-Identifier: MIT
 *
 * Shared by the files of the layer `compress`: its handle, and the entries of
 * lists, uploads and downloads.
 */
#ifndef COMPRESS_COMPRESS_H
#define COMPRESS_COMPRESS_H

#include <sluice/plugin.h>

#include "seekable.h"

/* Objects of fewer bytes are stored as they are. */
#define COMPRESS_LEAST 4096
#define COMPRESS_PAIRS 64 /* of metadata, with the mark: an object's most */

struct compress_conf {
  const char *over;
  int64_t level;
  uint64_t frame_size;
};

struct compress { /* of all loops */
  const struct compress_conf *conf;
  size_t packer, opener; /* bytes that a context of zstd takes */
};

struct compress_handle { /* of one loop */
  struct sluice_host *host;
  struct sluice_store *store;
  const struct compress *shared;
};

struct compress_get;
struct compress_list;
struct compress_put;

/* The state of each operation begins with it. */
#define COMPRESS_STATE 256 /* bytes of it */
struct compress_op {
  struct compress_get *get;
  struct compress_put *put;
  struct compress_list *list;
  struct sluice_op *op; /* of a head or a copy */
  bool damaged;         /* its mark isn't one */
};

/* Beyond it, buffers and contexts are taken as they are needed. */
#define COMPRESS_MEMORY 4096

enum compress_kind {
  COMPRESS_AS_IS,
  COMPRESS_FRAMES,
  COMPRESS_DAMAGED /* it is marked, and can't be what the mark says */
};

/* The same meta of the plain object, whose pairs lie in `pairs`; the shape is
 * of one in frames. */
enum compress_kind compress_meta(const struct sluice_meta *stored,
                                 struct sluice_meta *plain,
                                 struct sluice_pair pairs[COMPRESS_PAIRS + 1],
                                 struct seekable *);
/* The pairs of the storage, as those above know them. */
bool compress_pairs_up(const struct sluice_pair *user,
                       struct sluice_pair pairs[COMPRESS_PAIRS + 1]);
/* As the storage is to have them, and `mark`, where it isn't NULL.  A mark
 * from above stays what it is to those above.  Else whose fault it is, and
 * `*why`. */
enum sluice_status
compress_pairs_down(const struct sluice_pair *user, const char *mark,
                    struct sluice_pair pairs[COMPRESS_PAIRS + 1],
                    const char **why);
void compress_end(struct sluice_op *, enum sluice_status, const char *why);
#define COMPRESS_BROKEN "the object isn't what was compressed"

/* compress_list.c */
void compress_list(void *handle, struct sluice_op *,
                   const struct sluice_list *);
void compress_list_cancel(struct compress_list *);

/* compress_get.c */
void compress_get(void *handle, struct sluice_op *, const struct sluice_get *);
void compress_read(void *handle, struct sluice_op *, uint64_t first,
                   uint64_t count);
void compress_more(void *handle, struct sluice_op *);
void compress_get_cancel(struct compress_get *);

/* compress_put.c */
void compress_put(void *handle, struct sluice_op *, const struct sluice_put *);
void compress_data(void *handle, struct sluice_op *,
                   const struct sluice_chunk *);
void compress_commit(void *handle, struct sluice_op *,
                     const struct sluice_object *);
void compress_put_cancel(struct compress_put *);

#endif
