/* SPDX-License-Identifier: MIT
 *
 * The lines are the client's headers that were chosen, then ours.  Its id and
 * its trace aren't digested: no two requests would be alike.
 */
#include "inquiry.h"

#include <string.h>

#include "codec.h"
#include "must.h"

bool inquiry_is_ours(const char *name) {
  static const char *const ours[] = {"X-Original-Method",
                                     "X-Original-URI",
                                     "X-Operation",
                                     "X-Request-Id",
                                     "X-Client",
                                     "X-Key",
                                     "Host",
                                     "Content-Length",
                                     "Transfer-Encoding",
                                     "Connection",
                                     "Keep-Alive",
                                     "Expect",
                                     "Upgrade",
                                     "TE",
                                     "Trailer"};
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
    if (codec_same(name, strlen(name), ours[i]))
      return true;
  return false;
}

/* The gateway's parser lets none through; a line of its own would be one that
 * the client wrote in our name. */
static bool is_clean(const char *value) {
  for (; *value != '\0'; value++) {
    unsigned char c = (unsigned char)*value;
    if ((c < ' ' && c != '\t') || c == 127)
      return false;
  }
  return true;
}

static bool inquiry_add(struct inquiry *inquiry, const char *name,
                        const char *value) {
  if (!is_clean(value))
    return false;
  buf_addf(&inquiry->text, "%s: ", name);
  buf_adds(&inquiry->text, value);
  return buf_addc(&inquiry->text, '\0');
}

static bool add_uri(struct inquiry *inquiry,
                    const struct sluice_request *request) {
  const char *path = sluice_request_path(request);
  const char *query = sluice_request_query(request);
  if (!is_clean(path) || (query != NULL && !is_clean(query)))
    return false;
  buf_addf(&inquiry->text, "X-Original-URI: ");
  buf_adds(&inquiry->text, path);
  if (query != NULL) {
    buf_addc(&inquiry->text, '?');
    buf_adds(&inquiry->text, query);
  }
  return buf_addc(&inquiry->text, '\0');
}

static bool add_key(struct inquiry *inquiry, const char *key) {
  if (key == NULL)
    return true;
  buf_adds(&inquiry->text, "X-Key: ");
  codec_percent(&inquiry->text, key, strlen(key), CODEC_PATH);
  return buf_addc(&inquiry->text, '\0');
}

/* The client's own isn't sent beside ours. */
static bool is_of_trace(const char *name) {
  return codec_same(name, strlen(name), "traceparent") ||
         codec_same(name, strlen(name), "tracestate");
}

static bool inquiry_add_all(struct inquiry *inquiry,
                            const struct sluice_request *request,
                            const char *const *names, const char *key) {
  for (; *names != NULL; names++) {
    const char *value = sluice_request_header(request, *names);
    if (value != NULL && !is_of_trace(*names) &&
        !inquiry_add(inquiry, *names, value))
      return false;
  }
  return inquiry_add(inquiry, "X-Original-Method",
                     sluice_request_method(request)) &&
         add_uri(inquiry, request) &&
         inquiry_add(inquiry, "X-Operation",
                     sluice_request_operation(request)) &&
         inquiry_add(inquiry, "X-Client", sluice_request_client(request)) &&
         add_key(inquiry, key);
}

/* Of this request alone. */
static bool add_own(struct inquiry *inquiry,
                    const struct sluice_request *request) {
  const char *state = sluice_request_tracestate(request);
  return inquiry_add(inquiry, "X-Request-Id", sluice_request_id(request)) &&
         inquiry_add(inquiry, "traceparent",
                     sluice_request_traceparent(request)) &&
         (state == NULL || inquiry_add(inquiry, "tracestate", state));
}

bool inquiry_init(struct inquiry *inquiry,
                  const struct sluice_request *request,
                  const char *const *names, const char *key,
                  const struct digest_key *salt) {
  buf_init(&inquiry->text, INQUIRY_MAX);
  if (!inquiry_add_all(inquiry, request, names, key))
    return false;
  digest_key_sum(salt, inquiry->digest, inquiry->text.data, inquiry->text.len);
  if (!add_own(inquiry, request))
    return false;
  size_t count = 0;
  for (size_t at = 0; at < inquiry->text.len;
       at += strlen(inquiry->text.data + at) + 1) {
    must(count + 1 < sizeof inquiry->lines / sizeof *inquiry->lines);
    inquiry->lines[count++] = inquiry->text.data + at;
  }
  inquiry->lines[count] = NULL;
  return true;
}

void inquiry_fini(struct inquiry *inquiry) {
  digest_wipe(inquiry->text.data, inquiry->text.len);
  buf_fini(&inquiry->text);
}
