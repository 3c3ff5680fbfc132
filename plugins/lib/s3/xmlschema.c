/* SPDX-License-Identifier: MIT
 *
 * Knows the elements of S3's XML that are read.  Called by xml for each
 * element; what the tables don't name is passed over.
 */
#include "xmlschema.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct {
  const char *name;
  enum xml_kind kind;
} roots[] = {
    {"Error", XML_ERROR},
    {"ListBucketResult", XML_LIST},
    {"ListMultipartUploadsResult", XML_UPLOADS},
    {"InitiateMultipartUploadResult", XML_INITIATE},
    {"InitiateMultipartUpload", XML_INITIATE}, /* rclone serve s3 1.75.2 */
    {"CompleteMultipartUploadResult", XML_COMPLETE},
    {"LocationConstraint", XML_LOCATION},
    {"CopyObjectResult", XML_COPY},
    {"CopyPartResult", XML_COPY},
    {"DeleteResult", XML_DELETE},
};

static const struct {
  const char *name;
  enum xml_kind kind;
  enum group group;
} groups[] = {
    {"Contents", XML_LIST, GROUP_OBJECT},
    {"CommonPrefixes", XML_LIST, GROUP_PREFIX},
    {"Upload", XML_UPLOADS, GROUP_UPLOAD},
    {"CommonPrefixes", XML_UPLOADS, GROUP_PREFIX},
    {"Deleted", XML_DELETE, GROUP_DELETED},
    {"Error", XML_DELETE, GROUP_REFUSED},
};

static const struct {
  enum xml_kind kind;
  enum group group;
  const char *name;
  enum field field;
} elements[] = {
    {XML_ERROR, GROUP_ROOT, "Code", FIELD_CODE},
    {XML_ERROR, GROUP_ROOT, "Message", FIELD_MESSAGE},
    {XML_ERROR, GROUP_ROOT, "RequestId", FIELD_REQUEST_ID},
    {XML_ERROR, GROUP_ROOT, "Region", FIELD_REGION},
    {XML_ERROR, GROUP_ROOT, "BucketName", FIELD_BUCKET},
    {XML_ERROR, GROUP_ROOT, "Bucket", FIELD_BUCKET},
    {XML_LIST, GROUP_ROOT, "NextContinuationToken", FIELD_NEXT_TOKEN},
    {XML_LIST, GROUP_ROOT, "IsTruncated", FIELD_TRUNCATED},
    {XML_LIST, GROUP_ROOT, "EncodingType", FIELD_ENCODING},
    {XML_LIST, GROUP_OBJECT, "Key", FIELD_KEY},
    {XML_LIST, GROUP_OBJECT, "ETag", FIELD_ETAG},
    {XML_LIST, GROUP_OBJECT, "Size", FIELD_SIZE},
    {XML_LIST, GROUP_OBJECT, "LastModified", FIELD_TIME},
    {XML_LIST, GROUP_PREFIX, "Prefix", FIELD_PREFIX},
    {XML_UPLOADS, GROUP_ROOT, "NextKeyMarker", FIELD_NEXT_KEY_MARKER},
    {XML_UPLOADS, GROUP_ROOT, "NextUploadIdMarker",
     FIELD_NEXT_UPLOAD_ID_MARKER},
    {XML_UPLOADS, GROUP_ROOT, "IsTruncated", FIELD_TRUNCATED},
    {XML_UPLOADS, GROUP_ROOT, "EncodingType", FIELD_ENCODING},
    {XML_UPLOADS, GROUP_UPLOAD, "Key", FIELD_KEY},
    {XML_UPLOADS, GROUP_UPLOAD, "UploadId", FIELD_UPLOAD_ID},
    {XML_UPLOADS, GROUP_UPLOAD, "Initiated", FIELD_TIME},
    {XML_UPLOADS, GROUP_PREFIX, "Prefix", FIELD_PREFIX},
    {XML_INITIATE, GROUP_ROOT, "UploadId", FIELD_INITIATED},
    {XML_COMPLETE, GROUP_ROOT, "ETag", FIELD_MADE_ETAG},
    {XML_COPY, GROUP_ROOT, "ETag", FIELD_MADE_ETAG},
    {XML_DELETE, GROUP_DELETED, "Key", FIELD_KEY},
    {XML_DELETE, GROUP_REFUSED, "Key", FIELD_KEY},
    {XML_DELETE, GROUP_REFUSED, "Code", FIELD_KEY_CODE},
    /* The API's description has it once more inside of itself. */
    {XML_LOCATION, GROUP_ROOT, "LocationConstraint", FIELD_LOCATION},
};

enum xml_kind xmlschema_root(const char *name) {
  for (size_t i = 0; i < COUNT(roots); i++)
    if (strcmp(roots[i].name, name) == 0)
      return roots[i].kind;
  return XML_ANY;
}

enum group xmlschema_group(enum xml_kind kind, const char *name) {
  for (size_t i = 0; i < COUNT(groups); i++)
    if (groups[i].kind == kind && strcmp(groups[i].name, name) == 0)
      return groups[i].group;
  return GROUP_NONE;
}

enum field xmlschema_field(enum xml_kind kind, enum group group,
                           const char *name) {
  for (size_t i = 0; i < COUNT(elements); i++)
    if (elements[i].kind == kind && elements[i].group == group &&
        strcmp(elements[i].name, name) == 0)
      return elements[i].field;
  return FIELD_NONE;
}
