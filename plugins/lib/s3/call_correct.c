/* SPDX-License-Identifier: MIT
 *
 * Puts right what an answer says is wrong with a request: the clock it was
 * signed by, or the region.  Called by call.c; all later requests of the loop
 * are made so too.
 */
#include "call_private.h"

#include <stdlib.h>
#include <string.h>

#include "date.h"

#define SKEW_S 300 /* below that no service minds */

/* The service's clock, once, where it is so far from what we said. */
static bool adopt_clock(struct s3_call *call, int64_t least_s) {
  const char *date = httpc_header(call->http, "Date");
  int64_t now = date_now_ms() / 1000, theirs;
  if (call->corrected || date == NULL ||
      !date_http_parse(date, now, &theirs) ||
      llabs(theirs - s3_now(call->loop)) < least_s)
    return false;
  call->loop->skew_s = theirs - now;
  sluice_log(call->loop->host, SLUICE_LOG_WARN,
             "the service's clock is %+lld s from ours: set this machine's",
             (long long)call->loop->skew_s);
  return true;
}

/* The bucket's region, once. */
static bool adopt_region(struct s3_call *call, const char *region) {
  char *ours = call->loop->region;
  if (call->corrected || region == NULL || !s3_is_region(region) ||
      strcmp(region, ours) == 0)
    return false;
  sluice_log(call->loop->host, SLUICE_LOG_WARN,
             "the bucket is in region '%s', not '%s': set 'region' so", region,
             ours);
  memcpy(ours, region, strlen(region) + 1); /* a region fits */
  return true;
}

/* The region that an answer names: as an element, in a header or, as MinIO
 * does, in its words: "expecting 'eu-central-1'". */
static const char *named_region(const struct s3_call *call,
                                const struct xml_result *xml,
                                char out[S3_REGION_MAX + 1]) {
  static const char words[] = "expecting '";
  if (xml != NULL && xml->region != NULL && xml->region[0] != '\0')
    return xml->region;
  const char *at =
      xml == NULL || xml->message == NULL ? NULL : strstr(xml->message, words);
  if (at == NULL)
    return httpc_header(call->http, "x-amz-bucket-region");
  at += sizeof words - 1;
  size_t len = strcspn(at, "'");
  if (len > S3_REGION_MAX)
    return NULL;
  memcpy(out, at, len);
  out[len] = '\0';
  return out;
}

bool s3_call_correct(struct s3_call *call, int http, const char *code,
                     const struct xml_result *xml) {
  char region[S3_REGION_MAX + 1];
  bool corrected = false;
  if (strcmp(code, "RequestTimeTooSkewed") == 0)
    corrected = adopt_clock(call, 1);
  else if (http == 403 && code[0] == '\0') /* HEAD: it can't say why */
    corrected = adopt_clock(call, SKEW_S);
  else if (strcmp(code, "AuthorizationHeaderMalformed") == 0 ||
           strcmp(code, "PermanentRedirect") == 0 || http == 301 ||
           (code[0] == '\0' && http == 400))
    corrected = adopt_region(call, named_region(call, xml, region));
  call->corrected |= corrected;
  return corrected;
}
