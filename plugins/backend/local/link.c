/* SPDX-License-Identifier: MIT
 *
 * Links that the directory's own key signs.
 */
#include "link.h"

#include <string.h>

/* A version, and the method: HEAD is what GET allows. */
#define SCOPE "sluice-local-1\nGET\n"

static bool is_read(const char *method) {
  return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

enum sluice_status link_make(struct buf *url, const struct digest_key *key,
                             const struct sluice_link *link,
                             const char **why) {
  const struct signedlink wanted = {.key = link->key,
                                    .expires_s = link->expires_s,
                                    .disposition = link->disposition,
                                    .type = link->type};
  *why = NULL;
  if (!is_read(link->method)) {
    *why = "links are for GET and HEAD only";
    return SLUICE_ENOTSUP;
  }
  buf_adds(url, link->signed_url);
  buf_addc(url, '?');
  if (url->overflown || !signedlink_make(url, key, SCOPE, &wanted)) {
    *why = "the link would be too long";
    return SLUICE_EINVAL;
  }
  return SLUICE_OK;
}

enum sluice_status link_check(struct signedlink_grant *grant,
                              const struct digest_key *key,
                              const struct sluice_claim *claim, int64_t now_s,
                              const char **why) {
  *why = signedlink_check(grant, key, SCOPE, claim->query, now_s);
  if (!is_read(claim->method))
    *why = "the link is for another method";
  return *why ? SLUICE_EDENIED : SLUICE_OK;
}
