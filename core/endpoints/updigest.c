/* SPDX-License-Identifier: MIT
 *
 * The words of a head are refused at once where they are malformed, and
 * compared when the last byte is hashed, before anything of the upload can be
 * seen.
 */
#include "updigest.h"

#include <stdlib.h>
#include <string.h>

#include "bodysum.h"
#include "codec.h"
#include "must.h"
#include "reply.h"

#define FIELD_MAX 16384 /* bytes of one, all its lines together */

struct updigest *updigest_need(struct exchange *ex, struct updigest **of) {
  if (*of == NULL && exchange_charge(ex, sizeof **of)) {
    *of = calloc(1, sizeof **of);
    must_have(*of); /* charged */
  }
  return *of;
}

void updigest_leave(struct updigest *digest) {
  if (digest == NULL)
    return;
  bodysum_free(digest->body);
  digest->body = NULL;
}

void updigest_free(struct updigest *digest) {
  updigest_leave(digest);
  free(digest);
}

/* ---- the head ----------------------------------------------------------- */

static bool read_field(struct exchange *ex, const char *name,
                       struct digestfield *field) {
  struct buf lines;
  buf_init(&lines, FIELD_MAX);
  const char *text = head_list(&ex->head, name, &lines);
  const char *fault = lines.overflown ? "is longer than 16 KiB"
                                      : digestfield_read(field, text);
  buf_fini(&lines);
  if (fault != NULL)
    reply_error(ex, 400, "bad_digest", "'%s' %s", name, fault);
  return fault == NULL;
}

bool updigest_read_content(struct exchange *ex, struct digestfield *field) {
  return read_field(ex, "Content-Digest", field);
}

static bool wants(const struct exchange *ex) {
  struct buf lines;
  buf_init(&lines, FIELD_MAX);
  const char *text = head_list(&ex->head, "Want-Repr-Digest", &lines);
  bool wanted = !lines.overflown && digestfield_wants(text);
  buf_fini(&lines);
  return wanted;
}

bool updigest_read(struct exchange *ex, struct updigest **of) {
  struct digestfield content, repr;
  bool keeps = ex->gate->settings->uploads.sha256 || wants(ex);
  if (!updigest_read_content(ex, &content) ||
      !read_field(ex, "Repr-Digest", &repr))
    return false;
  if (!keeps && !digestfield_is_any(&content) && !digestfield_is_any(&repr))
    return true;
  struct updigest *digest = updigest_need(ex, of);
  if (digest == NULL)
    return false;
  digest->content = content;
  digest->repr = repr;
  digest->keeps = keeps;
  if (keeps)
    sums_make(&digest->file, SHA2_256);
  return true;
}

void updigest_of_file(struct updigest *digest) {
  if (digest == NULL)
    return;
  sums_make_said(&digest->file, &digest->content);
  sums_make_said(&digest->file, &digest->repr);
}

/* ---- a form ------------------------------------------------------------- */

/* The representation that a form's request has is the form (RFC 9530, section
 * 3.1); who means its file is understood, too. */
bool updigest_of_form(struct exchange *ex, struct updigest *digest,
                      void (*go_on)(struct exchange *)) {
  if (digest == NULL)
    return true;
  sums_make_said(&digest->file, &digest->repr);
  if (!digestfield_is_any(&digest->content) &&
      !digestfield_is_any(&digest->repr))
    return true;
  digest->body = bodysum_new(ex, go_on);
  if (digest->body == NULL)
    return false;
  bodysum_make(digest->body, &digest->content);
  bodysum_make(digest->body, &digest->repr);
  return true;
}

bool updigest_read_field(struct updigest *digest, const char *text,
                         size_t len) {
  bool ok = len == UPDIGEST_HEX &&
            codec_unhex(digest->field.sum[SHA2_256], SHA2_256_LEN, text);
  digest->field.said[SHA2_256] = ok;
  return ok;
}

/* ---- the end ------------------------------------------------------------ */

void updigest_refuse(struct exchange *ex, const char *field) {
  reply_error(ex, 400, "digest_mismatch",
              "The bytes that came aren't those that '%s' says; send them "
              "again, or make the digest anew",
              field);
}

const char *updigest_misfit(const struct updigest *digest) {
  if (digest == NULL)
    return NULL;
  const struct sums *file = &digest->file;
  const struct sums *body =
      digest->body == NULL ? file : bodysum_sums(digest->body);
  if (!sums_fit(body, &digest->content))
    return "Content-Digest";
  if (!sums_fit(body, &digest->repr) && !sums_fit(file, &digest->repr))
    return "Repr-Digest";
  if (!sums_fit(file, &digest->field))
    return "sha256";
  return NULL;
}

void updigest_sum(struct updigest *digest) {
  unsigned char sum[SHA2_256_LEN];
  if (digest == NULL || !digest->file.made[SHA2_256])
    return;
  sha2_sum(&digest->file.of[SHA2_256], sum);
  codec_hex(digest->sha256, sum, sizeof sum);
}

bool updigest_check(struct exchange *ex, struct updigest *digest) {
  const char *field = updigest_misfit(digest);
  if (field != NULL) {
    updigest_refuse(ex, field);
    return false;
  }
  updigest_sum(digest);
  return true;
}

/* ---- what is kept ------------------------------------------------------- */

void updigest_say(struct exchange *ex, const char *sha256) {
  unsigned char sum[SHA2_256_LEN];
  struct buf value;
  if (sha256 == NULL || !codec_unhex(sum, sizeof sum, sha256))
    return;
  buf_init(&value, 128);
  if (digestfield_add(&value, sum))
    reply_header(ex, "Repr-Digest", value.data);
  buf_fini(&value);
}

const char *updigest_kept(const struct sluice_pair *user) {
  for (; user != NULL && user->name != NULL; user++)
    if (strcmp(user->name, UPDIGEST_META) == 0)
      return user->value;
  return NULL;
}
