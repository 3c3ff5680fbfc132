/* SPDX-License-Identifier: MIT
 *
 * Content-Digest is of one request, and has it count whole or not at all; what
 * the creation says of the whole upload stays with its state.
 */
#include "reply.h"
#include "resumable.h"

bool resumable_read_digests(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  if (r->act != RESUMABLE_CREATE) {
    if (!updigest_read_content(ex, &r->content))
      return false;
  } else if (!updigest_read(ex, &r->upload.digest)) {
    return false;
  }
  struct updigest *digest = r->upload.digest;
  if (digest != NULL) {
    r->content = digest->content;
    digest->content = (struct digestfield){.said = {false}};
    sums_make_said(&digest->file, &digest->repr);
  }
  sums_make_said(&r->content_sums, &r->content);
  r->summed = r->summed || digestfield_is_any(&r->content);
  return true;
}

bool resumable_check_content(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  if (r->checked && !checksum_is(&r->sum, r->checksum.sum)) {
    reply_error(ex, 460, "checksum_mismatch",
                "The content isn't what 'Upload-Checksum' says");
    return false;
  }
  if (sums_fit(&r->content_sums, &r->content))
    return true;
  updigest_refuse(ex, "Content-Digest");
  return false;
}
