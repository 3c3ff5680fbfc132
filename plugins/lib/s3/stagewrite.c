/* SPDX-License-Identifier: MIT
 *
 * A PUT from memory, whose digests the service checks.
 */
#include "stagewrite.h"

#include "codec.h"
#include "digest.h"
#include "put.h"
#include "stagerecord.h"

static void on_written(void *arg, struct s3_call *call,
                       const struct s3_answer *answer) {
  struct stagewrite *writing = arg;
  (void)call;
  writing->call = NULL;
  /* A record that isn't taken doesn't say that there is no stage. */
  writing->done(writing->arg,
                answer->status == SLUICE_ENOENT ? SLUICE_EUPSTREAM
                                                : answer->status,
                answer->why);
}

void stagewrite_init(struct stagewrite *writing, struct s3_loop *loop,
                     struct sluice_op *op) {
  *writing = (struct stagewrite){.loop = loop, .op = op};
  buf_init(&writing->text, STAGERECORD_MAX);
}

void stagewrite_fini(struct stagewrite *writing) {
  if (writing->call != NULL)
    s3_call_cancel(writing->call);
  writing->call = NULL;
  buf_fini(&writing->text);
}

void stagewrite_start(struct stagewrite *writing, const char *base,
                      const struct stagename_record *record,
                      void (*done)(void *arg, enum sluice_status,
                                   const char *why),
                      void *arg) {
  static const struct s3_events events = {.done = on_written};
  const struct buf *text = &writing->text;
  unsigned char md5[DIGEST_MD5_LEN], sha256[DIGEST_SHA256_LEN];
  stagename_write(writing->key, base, record);
  digest_md5(md5, text->data, text->len);
  put_base64_md5(writing->md5, md5);
  digest_sha256(sha256, text->data, text->len);
  codec_hex(writing->sha256, sha256, sizeof sha256);
  writing->done = done;
  writing->arg = arg;
  writing->request =
      (struct s3_request){.op = writing->op,
                          .method = "PUT",
                          .key = writing->key,
                          .headers = {{"Content-Type", "text/plain"},
                                      {"Content-MD5", writing->md5}},
                          .data = text->data,
                          .length = text->len,
                          .sha256 = writing->sha256};
  writing->call =
      s3_call_start(writing->loop, &writing->request, &events, writing);
}
