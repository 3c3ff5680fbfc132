/* SPDX-License-Identifier: MIT
 *
 * What lies under an upload's key, asked by HEAD: where the answer to a PUT or
 * to the end of parts was lost, or didn't tell what was stored.
 */
#include <stdio.h>
#include <string.h>

#include "put.h"

static const char *said_md5(const struct put *put) {
  for (size_t i = 0; i < put->user_count; i++)
    if (strcmp(put->user_names[i], "x-amz-meta-md5") == 0)
      return put->user[i].data;
  return NULL;
}

static enum put_found judge(const struct put *put, const struct s3_call *call,
                            const struct s3_answer *answer) {
  const char *md5 = s3_call_header(call, "x-amz-meta-md5");
  const char *ours = said_md5(put);
  char etag[160];
  if (answer->http == 404)
    return PUT_ABSENT;
  if (answer->status != SLUICE_OK)
    return PUT_UNKNOWN;
  s3_etag(etag, s3_call_header(call, "ETag"));
  bool tells = put->etag[0] != '\0' && s3_etag_tells(call);
  bool same_etag = strcmp(etag, put->etag) == 0;
  /* What others put there has another MD5, or none; the ETag alone can't say
   * whose it is where it is wrong. */
  if (ours != NULL ? md5 == NULL || strcmp(md5, ours) != 0
                   : !tells || !same_etag)
    return PUT_FOREIGN;
  uint64_t length;
  bool same_length = s3_length(call, &length) && length == put->length;
  return same_length && (!tells || same_etag) ? PUT_OURS : PUT_SPOILED;
}

static void on_asked(void *arg, struct s3_call *call,
                     const struct s3_answer *answer) {
  struct put *put = arg;
  put->call = NULL;
  put->on_found(put, judge(put, call, answer), answer);
}

void put_find(struct put *put, const char *etag,
              void (*on_found)(struct put *, enum put_found,
                               const struct s3_answer *)) {
  static const struct s3_events events = {.done = on_asked};
  snprintf(put->etag, sizeof put->etag, "%s", etag);
  put->on_found = on_found;
  put->request = (struct s3_request){.method = "HEAD", .key = put->key};
  put->call = s3_call_start(put->loop, &put->request, &events, put);
}

static void on_removed(void *arg, struct s3_call *call,
                       const struct s3_answer *answer) {
  struct put *put = arg;
  (void)call;
  put->call = NULL;
  put->removing = false;
  if (answer->status != SLUICE_OK && answer->status != SLUICE_ENOENT)
    sluice_log(put->loop->host, SLUICE_LOG_WARN,
               "what an upload that failed may have stored is left behind: %s",
               answer->why);
  put->on_removed(put);
}

void put_remove(struct put *put, void (*on_gone)(struct put *)) {
  static const struct s3_events events = {.done = on_removed};
  put->on_removed = on_gone;
  put->removing = true;
  put->request = (struct s3_request){.method = "DELETE", .key = put->key};
  put->call = s3_call_start(put->loop, &put->request, &events, put);
}

void put_keep_failure(struct put *put, enum sluice_status status,
                      const char *why) {
  put->failure = status;
  snprintf(put->why, sizeof put->why, "%s", why == NULL ? "" : why);
}
