/* SPDX-License-Identifier: MIT
 *
 * Bytes gather in put->spool; a full one goes to the service as a part when
 * more comes, and the next is filled meanwhile.  Each is kept until the
 * service has it, so that it can be sent again: in memory, as far as
 * EARLY_MEMORY and the gateway's own go, else in a file.
 */
#include "early.h"

#include <stdlib.h>
#include <string.h>

#include "must.h"

#define MIB ((uint64_t)1 << 20)

enum early_state {
  EARLY_TAKES,  /* chunks */
  EARLY_COMMITS /* all have come, and it is known what they become */
};

struct early {
  enum early_state state;
  uint64_t part_size, sent;  /* sent: bytes that have gone, or go */
  uint32_t count;            /* parts, at most */
  size_t held;               /* memory for put->spool */
  struct sluice_chunk chunk; /* lent; of it `used` are in the spool */
  uint64_t used;
};

static void early_feed(struct put *put);

/* ---- spools ------------------------------------------------------------- */

static size_t hold(struct s3 *s3, size_t size) {
  size_t had = atomic_fetch_add(&s3->early, size);
  if (size <= EARLY_MEMORY && had <= EARLY_MEMORY - size)
    return size;
  atomic_fetch_sub(&s3->early, size);
  return 0;
}

static void let_go(struct put *put, size_t *held) {
  atomic_fetch_sub(&put->loop->s3->early, *held);
  *held = 0;
}

static void keep_in_memory(struct put *put) {
  struct early *early = put->early;
  early->held = hold(put->loop->s3, (size_t)early->part_size);
  spool_expect(put->spool, early->part_size);
  if (early->held > 0)
    spool_keep_memory(put->spool, early->held);
}

void early_drop(struct put *put, struct part *part) {
  if (part->spool != NULL)
    spool_free(part->spool, NULL, NULL);
  part->spool = NULL;
  let_go(put, &part->held);
}

/* ---- the beginning ------------------------------------------------------ */

/* Parts as small as may be, as their memory is taken all the while; 0: they
 * would be larger than part_size. */
static uint64_t early_part_size(const struct s3 *s3, uint64_t length) {
  uint64_t parts = s3->dialect->parts_max;
  uint64_t usual = s3->conf->part_size;
  uint64_t least = (length + parts - 1) / parts;
  uint64_t rounded = (least + MIB - 1) / MIB * MIB;
  if (usual > EARLY_PART)
    usual = EARLY_PART > s3->dialect->part_min ? EARLY_PART
                                               : s3->dialect->part_min;
  if (rounded > usual)
    usual = rounded;
  return usual <= s3->conf->part_size ? usual : 0;
}

bool early_start(struct put *put, const struct sluice_put *wanted) {
  const struct s3 *s3 = put->loop->s3;
  uint64_t length = wanted->length > 0 ? (uint64_t)wanted->length : 0;
  uint64_t size = early_part_size(s3, length);
  if (wanted->object == NULL || size == 0 || length <= size)
    return false;
  bool fits = put_foresee_object(put, wanted->object);
  if (!fits || !put_may_be_in_parts(put)) {
    put_forget_object(put);
    return false;
  }
  put->early = calloc(1, sizeof *put->early);
  must_have(put->early); /* charged with the request */
  put->early->part_size = size;
  put->early->count = (uint32_t)((length + size - 1) / size);
  keep_in_memory(put);
  return true;
}

void early_free(struct put *put) {
  if (put->early != NULL)
    let_go(put, &put->early->held);
  free(put->early);
  put->early = NULL;
}

/* ---- parts -------------------------------------------------------------- */

static struct part *free_part(const struct multipart *multipart) {
  for (size_t i = 0; i < multipart->slots; i++)
    if (multipart->parts[i].number == 0)
      return &multipart->parts[i];
  return NULL;
}

/* It is done with once the service has it. */
static void next_spool(struct put *put, struct part *part) {
  struct early *early = put->early;
  part->spool = put->spool;
  part->held = early->held;
  put->spool = spool_new(put->loop->host, &put->loop->s3->spools);
  must_have(put->spool);
  keep_in_memory(put);
}

/* The spool's bytes are sent as the next part; false: not yet, or it ended. */
static bool early_fly(struct put *put) {
  struct early *early = put->early;
  struct multipart *multipart = put->multipart;
  if (multipart == NULL) {
    spool_digest(put->spool, NULL); /* parts have their own */
    digest_free(put->sha256);
    put->sha256 = NULL;
    if (multipart_begin(put, early->part_size, early->count))
      put->multipart->count = 0; /* so far */
    return false;
  }
  struct part *part = free_part(multipart);
  if (multipart->upload_id == NULL || multipart->sweeping || part == NULL)
    return false;
  if (multipart->count == early->count) {
    multipart_give_up(put, SLUICE_EINVAL, "more bytes came than were told");
    return false;
  }
  uint64_t length = spool_length(put->spool);
  early->sent += length;
  *part = (struct part){.put = put, .number = ++multipart->next};
  multipart->count = multipart->next;
  part->sum.count = length;
  next_spool(put, part);
  multipart_send(part);
  return true;
}

static bool is_whole(const struct put *put) {
  return put->multipart->finished == put->multipart->count &&
         spool_length(put->spool) == 0;
}

static void early_end(struct put *put) {
  if (spool_length(put->spool) > 0)
    early_fly(put);
  else if (is_whole(put))
    put_send(put);
}

void early_advance(struct put *put) {
  if (put->adding)
    return;
  if (put->early->state == EARLY_COMMITS)
    early_end(put);
  else if (put->early->chunk.data != NULL)
    early_feed(put);
}

/* ---- bytes -------------------------------------------------------------- */

/* It ends soon, and reads no chunk any more. */
static bool is_given_up(const struct put *put) {
  return put->multipart != NULL && put->multipart->aborting;
}

static void early_on_added(void *arg, enum sluice_status status,
                           const char *why) {
  struct put *put = arg;
  put->adding = false;
  if (is_given_up(put))
    multipart_idle(put);
  else if (put->canceled)
    put_end(put, SLUICE_ECANCELED, "canceled");
  else if (status != SLUICE_OK)
    put_give_up(put, status, why);
  else
    early_feed(put);
}

static void early_feed(struct put *put) {
  struct early *early = put->early;
  uint64_t left = early->chunk.length - early->used;
  uint64_t room = early->part_size - spool_length(put->spool);
  if (left == 0) {
    early->chunk = (struct sluice_chunk){0};
    sluice_next(put->op);
    return;
  }
  if (room == 0 && !early_fly(put))
    return; /* until it has begun, or a part is there */
  room = early->part_size - spool_length(put->spool);
  size_t len = (size_t)(left < room ? left : room);
  const char *data = early->chunk.data;
  put->adding = true;
  spool_add(put->spool, data + early->used, len, early_on_added, put);
  early->used += len;
}

void early_data(void *work, const struct sluice_chunk *chunk) {
  struct put *put = work;
  if (is_given_up(put))
    return;
  if (chunk->length == 0) {
    sluice_next(put->op);
    return;
  }
  put->early->chunk = *chunk;
  put->early->used = 0;
  early_feed(put);
}

/* ---- commit ------------------------------------------------------------- */

void early_commit(struct put *put, const struct sluice_object *object) {
  struct early *early = put->early;
  if (is_given_up(put))
    return;
  if (strcmp(object->key, put->key) != 0 ||
      object->length != early->sent + spool_length(put->spool)) {
    multipart_give_up(put, SLUICE_EINVAL,
                      "its commit says another key or length than was told");
    return;
  }
  put->length = object->length;
  early->state = EARLY_COMMITS;
  early_end(put);
}
