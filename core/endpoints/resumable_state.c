/* SPDX-License-Identifier: MIT
 *
 * All that is saved with an upload's bytes, so that any request of any gateway
 * goes on from there.
 */
#include "resumable.h"

#include <endian.h>
#include <string.h>

#include "date.h"

#define STATE_VERSION 1

/* A version; the length, all ones while it is unknown; the running MD5. */
struct sluice_save resumable_state(const struct resumable *r,
                                   unsigned char state[RESUMABLE_STATE]) {
  uint64_t length = htole64((uint64_t)r->length);
  int64_t keep_s = r->gate->settings->uploads.expires_ms / 1000;
  state[0] = STATE_VERSION;
  memcpy(state + 1, &length, sizeof length);
  md5_save(&r->upload.md5, state + 1 + sizeof length);
  return (struct sluice_save){.state = state,
                              .state_size = RESUMABLE_STATE,
                              .expires_s = date_now_ms() / 1000 + keep_s};
}

int64_t resumable_length(const struct sluice_staged *staged) {
  const unsigned char *state = staged->state;
  uint64_t length;
  if (staged->state_size != RESUMABLE_STATE || state[0] != STATE_VERSION)
    return -1;
  memcpy(&length, state + 1, sizeof length);
  return (int64_t)le64toh(length);
}

bool resumable_load(struct resumable *r, const struct sluice_staged *staged) {
  const unsigned char *state = staged->state;
  if (staged->state_size != RESUMABLE_STATE || state[0] != STATE_VERSION)
    return false;
  r->length = resumable_length(staged);
  md5_load(&r->upload.md5, state + 1 + sizeof(uint64_t));
  return r->upload.md5.length == staged->offset;
}
