/* SPDX-License-Identifier: MIT
 *
 * The elements of S3's XML that are read, by the root element and by what they
 * lie in.
 */
#ifndef S3_XMLSCHEMA_H
#define S3_XMLSCHEMA_H

#include "xml.h"

enum field {
  FIELD_CODE, /* those up to FIELD_NONE become texts of the result */
  FIELD_MESSAGE,
  FIELD_REQUEST_ID,
  FIELD_REGION,
  FIELD_BUCKET,
  FIELD_NEXT_TOKEN,
  FIELD_NEXT_KEY_MARKER,
  FIELD_NEXT_UPLOAD_ID_MARKER,
  FIELD_INITIATED,
  FIELD_MADE_ETAG, /* of an object or a part */
  FIELD_LOCATION,
  FIELD_NONE,
  FIELD_TRUNCATED,
  FIELD_ENCODING,
  FIELD_PREFIX,
  FIELD_KEY, /* from here on: of an entry */
  FIELD_UPLOAD_ID,
  FIELD_KEY_CODE,
  FIELD_ETAG,
  FIELD_SIZE,
  FIELD_TIME
};

enum group {
  GROUP_ROOT,
  GROUP_OBJECT,
  GROUP_PREFIX,
  GROUP_UPLOAD,
  GROUP_DELETED,
  GROUP_REFUSED, /* an error of one key */
  GROUP_NONE
};

/* XML_ANY: of another document. */
enum xml_kind xmlschema_root(const char *name);
/* The kind of entries that this child of the root holds. */
enum group xmlschema_group(enum xml_kind, const char *name);
/* The field that an element of a group is. */
enum field xmlschema_field(enum xml_kind, enum group, const char *name);

#endif
