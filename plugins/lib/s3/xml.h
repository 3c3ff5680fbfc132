/* SPDX-License-Identifier: MIT
 *
 * S3's answers in XML, read as they arrive by expat: bounded in depth,
 * text and entries, UTF-8 only, without a document type and so without
 * entities.
 */
#ifndef S3_XML_H
#define S3_XML_H

#include <stdint.h>

#include "buf.h"

#define XML_BYTES_MAX (8u << 20) /* of an answer */
#define XML_DEPTH_MAX 16
#define XML_TEXT_MAX 8192 /* of one element that is read */
#define XML_ENTRIES_MAX 10000
#define XML_TOKEN_MAX 65536 /* of a tag or comment, as far as it waits */

enum xml_kind {
  XML_ERROR,    /* <Error> */
  XML_LIST,     /* <ListBucketResult> of ListObjectsV2, url-encoded or not */
  XML_UPLOADS,  /* <ListMultipartUploadsResult> */
  XML_INITIATE, /* <InitiateMultipartUploadResult> */
  XML_COMPLETE, /* <CompleteMultipartUploadResult>, or <Error> in a 200 */
  XML_LOCATION, /* <LocationConstraint> */
  XML_COPY,     /* <CopyObjectResult>, <CopyPartResult> */
  XML_DELETE,   /* <DeleteResult> of DeleteObjects */
  XML_ANY       /* whichever of them the root element says */
};

struct xml_object {
  const char *key;  /* decoded, UTF-8 */
  const char *etag; /* without quotes */
  uint64_t size;
  int64_t mtime_ms;
};

struct xml_upload {
  const char *key, *upload_id;
  int64_t initiated_ms;
};

struct xml_deletion {
  const char *key;
  const char *code; /* "": it is gone */
};

/* Called by xml_end(), in the answer's order: MinIO says only at the end that
 * keys are encoded.  Texts are lent until the function returns. */
struct xml_events { /* each may be NULL; false ends the reading */
  bool (*object)(void *arg, const struct xml_object *);
  bool (*prefix)(void *arg, const char *prefix); /* CommonPrefixes */
  bool (*upload)(void *arg, const struct xml_upload *);
  bool (*deletion)(void *arg, const struct xml_deletion *);
  void *arg;
};

/* Single values, valid until xml_free(); "" where they aren't there. */
struct xml_result {
  enum xml_kind kind; /* by the root element: XML_ERROR in place of what was
                         expected tells that it failed */
  const char *code, *message, *request_id, *region, *bucket; /* of an error */
  const char *next_token; /* list: NextContinuationToken */
  const char *next_key_marker, *next_upload_id_marker;
  const char *upload_id; /* initiate */
  const char *etag;      /* complete, copy */
  const char *location;  /* LocationConstraint */
  bool truncated;
  bool token_unreadable; /* XML has no place for its characters */
};

struct xml;

/* `events` are copied; NULL: none.  NULL: no memory. */
struct xml *xml_new(enum xml_kind expected, const struct xml_events *);
void xml_free(struct xml *);
/* False once it is no good: xml_fault() says why. */
bool xml_feed(struct xml *, const char *data, size_t len);
/* After the last byte: NULL when it isn't whole, another document, or an event
 * said so: xml_fault() says why. */
const struct xml_result *xml_end(struct xml *);
const char *xml_fault(const struct xml *);

#endif
