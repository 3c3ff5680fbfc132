/* SPDX-License-Identifier: MIT
 *
 * The one table from S3's errors to ours.  Codes come first, as a status
 * alone says little; the sources are the providers' error lists.
 */
#include "call.h"

#include <string.h>

/* Of a request that names a key, whatever else they may mean of others: so
 * S3Proxy, SeaweedFS and B2 refuse keys that they don't take. */
static const struct {
  const char *code;
  enum sluice_status status;
} of_keys[] = {
    {"InvalidArgument", SLUICE_EINVAL},
    {"InvalidRequest", SLUICE_EINVAL},
    {"InvalidURI", SLUICE_EINVAL},
    {"InvalidObjectName", SLUICE_EINVAL},
    {"InvalidUTF8Encoding", SLUICE_EINVAL},
    {"KeyTooLong", SLUICE_EINVAL},
    {"KeyTooLongError", SLUICE_EINVAL},
    {"XMinioInvalidObjectName", SLUICE_EINVAL},
    {"XMinioInvalidResourceName", SLUICE_EINVAL},
};

/* So versitygw and MinIO, which keep objects as files, refuse what is in the
 * way of a file, or has one in its way: no object has that key. */
static const char *const in_the_way[] = {
    "ErrDirectoryNotEmpty", "ObjectParentIsFile",
    "XMinioObjectExistsAsDirectory", "XMinioParentIsObject"};

static const struct {
  const char *code;
  struct s3_error_class class;
} codes[] = {
    {"NoSuchKey", {SLUICE_ENOENT, false}},
    {"NoSuchVersion", {SLUICE_ENOENT, false}},
    {"NoSuchBucket", {SLUICE_EUPSTREAM, false}},
    {"NoSuchUpload", {SLUICE_EUPSTREAM, false}}, /* somebody aborted it */
    {"AccessDenied", {SLUICE_EUPSTREAM, false}},
    {"PreconditionFailed", {SLUICE_EPRECOND, false}},
    {"InvalidRange", {SLUICE_ERANGE, false}},
    {"EntityTooLarge", {SLUICE_ETOOBIG, false}},
    {"MetadataTooLarge", {SLUICE_EINVAL, false}},
    {"QuotaExceeded", {SLUICE_ENOSPC, false}},
    {"XMinioStorageFull", {SLUICE_ENOSPC, false}},
    {"XMinioAdminBucketQuotaExceeded", {SLUICE_ENOSPC, false}},
    {"NotImplemented", {SLUICE_EUPSTREAM, false}},
    {"BadDigest", {SLUICE_EUPSTREAM, true}},
    {"IncompleteBody", {SLUICE_EUPSTREAM, true}},
    {"XAmzContentSHA256Mismatch", {SLUICE_EUPSTREAM, true}},
    {"RequestTimeout", {SLUICE_EUPSTREAM, true}},
    {"InternalError", {SLUICE_EUPSTREAM, true}},
    {"SlowDown", {SLUICE_EUPSTREAM, true}},
    {"SlowDownRead", {SLUICE_EUPSTREAM, true}},
    {"SlowDownWrite", {SLUICE_EUPSTREAM, true}},
    {"TooManyRequests", {SLUICE_EUPSTREAM, true}},
    {"ServiceUnavailable", {SLUICE_EUPSTREAM, true}},
    {"Throttling", {SLUICE_EUPSTREAM, true}},
    {"XMinioServerNotInitialized", {SLUICE_EUPSTREAM, true}},
    {"OperationAborted", {SLUICE_EUPSTREAM, true}},
    {"ConditionalRequestConflict", {SLUICE_EUPSTREAM, true}},
};

static const struct {
  int http;
  struct s3_error_class class;
} statuses[] = {
    {404, {SLUICE_ENOENT, false}},   {412, {SLUICE_EPRECOND, false}},
    {413, {SLUICE_ETOOBIG, false}},  {416, {SLUICE_ERANGE, false}},
    {429, {SLUICE_EUPSTREAM, true}}, {500, {SLUICE_EUPSTREAM, true}},
    {502, {SLUICE_EUPSTREAM, true}}, {503, {SLUICE_EUPSTREAM, true}},
    {504, {SLUICE_ETIMEOUT, true}},  {507, {SLUICE_ENOSPC, false}},
    {509, {SLUICE_EUPSTREAM, true}},
};

static bool is_in_the_way(const char *code) {
  for (size_t i = 0; i < sizeof in_the_way / sizeof *in_the_way; i++)
    if (strcmp(in_the_way[i], code) == 0)
      return true;
  return false;
}

struct s3_error_class s3_error_class(int http, const char *code,
                                     enum s3_subject subject) {
  bool names_key = subject != S3_NO_KEY;
  if (names_key && is_in_the_way(code))
    return (struct s3_error_class){
        subject == S3_NEW_KEY ? SLUICE_EEXIST : SLUICE_ENOENT, false};
  for (size_t i = 0; names_key && i < sizeof of_keys / sizeof *of_keys; i++)
    if (strcmp(of_keys[i].code, code) == 0)
      return (struct s3_error_class){of_keys[i].status, false};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    if (strcmp(codes[i].code, code) == 0)
      return codes[i].class;
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
    if (statuses[i].http == http)
      return statuses[i].class;
  /* One of the many words for what is in the way. */
  if (http == 409 && names_key)
    return (struct s3_error_class){SLUICE_EEXIST, false};
  return (struct s3_error_class){SLUICE_EUPSTREAM, false};
}
