/* SPDX-License-Identifier: MIT
 *
 * All that is saved with an upload's bytes, so that any request of any gateway
 * goes on from there.
 */
#include "resumable.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "must.h"

enum version {
  BARE = 1, /* the length, all ones while it is unknown; the running MD5 */
  DIGESTS   /* and behind it: bits, then the running ones, then those said */
};

#define KEEPS 1u
#define MADE(kind) (2u << (kind))
#define SAID(kind) (8u << (kind))

/* ---- digests ------------------------------------------------------------ */

static unsigned bits_of(const struct updigest *digest) {
  unsigned bits = digest->keeps ? KEEPS : 0;
  for (unsigned kind = 0; kind < SHA2_KINDS; kind++) {
    if (digest->file.made[kind])
      bits |= MADE(kind);
    if (digest->repr.said[kind])
      bits |= SAID(kind);
  }
  return bits;
}

static unsigned char *save_digests(const struct updigest *digest,
                                   unsigned char *at) {
  *at++ = (unsigned char)bits_of(digest);
  for (unsigned kind = 0; kind < SHA2_KINDS; kind++)
    if (digest->file.made[kind]) {
      sha2_save(&digest->file.of[kind], at);
      at += sha2_saved(kind);
    }
  for (unsigned kind = 0; kind < SHA2_KINDS; kind++)
    if (digest->repr.said[kind]) {
      memcpy(at, digest->repr.sum[kind], sha2_size(kind));
      at += sha2_size(kind);
    }
  return at;
}

static size_t size_of(unsigned bits) {
  size_t size = 1;
  for (unsigned kind = 0; kind < SHA2_KINDS; kind++)
    size += (bits & MADE(kind) ? sha2_saved(kind) : 0) +
            (bits & SAID(kind) ? sha2_size(kind) : 0);
  return size;
}

static bool load_digests(struct resumable *r, const unsigned char *at,
                         size_t len) {
  if (len == 0 || len != size_of(*at))
    return false;
  if (r->upload.digest == NULL)
    r->upload.digest = calloc(1, sizeof *r->upload.digest);
  struct updigest *digest = r->upload.digest;
  must_have(digest); /* charged with the request */
  unsigned bits = *at++;
  digest->keeps = (bits & KEEPS) != 0;
  for (unsigned kind = 0; kind < SHA2_KINDS; kind++)
    if (bits & MADE(kind)) {
      digest->file.made[kind] = true;
      sha2_load(&digest->file.of[kind], kind, at);
      at += sha2_saved(kind);
      if (digest->file.of[kind].length != r->upload.md5.length)
        return false;
    }
  for (unsigned kind = 0; kind < SHA2_KINDS; kind++)
    if (bits & SAID(kind)) {
      digest->repr.said[kind] = true;
      memcpy(digest->repr.sum[kind], at, sha2_size(kind));
      at += sha2_size(kind);
    }
  return true;
}

/* ---- all of it ---------------------------------------------------------- */

struct sluice_save resumable_state(const struct resumable *r,
                                   unsigned char state[RESUMABLE_STATE]) {
  const struct updigest *digest = r->upload.digest;
  uint64_t length = htole64((uint64_t)r->length);
  int64_t keep_s = r->gate->settings->uploads.expires_ms / 1000;
  unsigned char *end = state + RESUMABLE_STATE_BARE;
  bool bare = digest == NULL || bits_of(digest) == 0;
  state[0] = bare ? BARE : DIGESTS;
  memcpy(state + 1, &length, sizeof length);
  md5_save(&r->upload.md5, state + 1 + sizeof length);
  if (!bare)
    end = save_digests(digest, end);
  return (struct sluice_save){.state = state,
                              .state_size = (size_t)(end - state),
                              .expires_s = date_now_ms() / 1000 + keep_s};
}

static bool is_sane(const struct sluice_staged *staged) {
  const unsigned char *state = staged->state;
  size_t size = staged->state_size;
  return size >= RESUMABLE_STATE_BARE &&
         (state[0] == BARE ? size == RESUMABLE_STATE_BARE
                           : state[0] == DIGESTS);
}

int64_t resumable_length(const struct sluice_staged *staged) {
  const unsigned char *state = staged->state;
  uint64_t length;
  if (!is_sane(staged))
    return -1;
  memcpy(&length, state + 1, sizeof length);
  return (int64_t)le64toh(length);
}

bool resumable_load(struct resumable *r, const struct sluice_staged *staged) {
  const unsigned char *state = staged->state;
  size_t bare = RESUMABLE_STATE_BARE;
  if (!is_sane(staged))
    return false;
  r->length = resumable_length(staged);
  md5_load(&r->upload.md5, state + 1 + sizeof(uint64_t));
  return r->upload.md5.length == staged->offset &&
         (state[0] == BARE ||
          load_digests(r, state + bare, staged->state_size - bare));
}
