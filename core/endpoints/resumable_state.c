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
#include "upload_expiry.h"

enum version {
  BARE = 1, /* the length, all ones while it is unknown; the running MD5 */
  DIGESTS   /* and behind it: bits, then the running ones, then those said */
};

#define ENDS                                                  \
  0x40u /* beside the version: seconds are at the end, of the \
           object's life, or, once it is complete, of its moment */
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
  int64_t seconds =
      r->upload.expires_s > 0 ? r->upload.expires_s : r->upload.life_s;
  state[0] = bare ? BARE : DIGESTS;
  memcpy(state + 1, &length, sizeof length);
  md5_save(&r->upload.md5, state + 1 + sizeof length);
  if (!bare)
    end = save_digests(digest, end);
  if (seconds > 0) {
    uint64_t kept = htole64((uint64_t)seconds);
    state[0] |= ENDS;
    memcpy(end, &kept, sizeof kept);
    end += sizeof kept;
  }
  return (struct sluice_save){.state = state,
                              .state_size = (size_t)(end - state),
                              .expires_s = date_now_ms() / 1000 + keep_s};
}

/* Bytes of the seconds at its end. */
static size_t ending(const unsigned char *state) {
  return state[0] & ENDS ? sizeof(uint64_t) : 0;
}

static bool is_sane(const struct sluice_staged *staged) {
  const unsigned char *state = staged->state;
  size_t size = staged->state_size;
  if (size < RESUMABLE_STATE_BARE)
    return false;
  size_t bare = RESUMABLE_STATE_BARE + ending(state);
  unsigned version = state[0] & ~ENDS;
  return version == BARE ? size == bare : version == DIGESTS && size > bare;
}

static void load_ending(struct resumable *r,
                        const struct sluice_staged *staged) {
  const unsigned char *state = staged->state;
  uint64_t seconds = 0;
  size_t size = ending(state);
  memcpy(&seconds, state + staged->state_size - size, size);
  if (staged->complete)
    upload_expiry_keep(&r->upload, (int64_t)le64toh(seconds));
  else
    r->upload.life_s = (int64_t)le64toh(seconds);
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
  load_ending(r, staged);
  md5_load(&r->upload.md5, state + 1 + sizeof(uint64_t));
  return r->upload.md5.length == staged->offset &&
         ((state[0] & ~ENDS) == BARE ||
          load_digests(r, state + bare,
                       staged->state_size - bare - ending(state)));
}
