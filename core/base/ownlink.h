/* SPDX-License-Identifier: MIT
 *
 * Links of the gateway: a query that carries all that its link allows, and at
 * its end &signature=HEX, the HMAC-SHA-256 of a scope and of all before it.
 * The query is signed byte for byte as it was made: a link that verifies is
 * one that this key made, and there is no second reading of it.
 */
#ifndef BASE_OWNLINK_H
#define BASE_OWNLINK_H

#include "buf.h"
#include "digest.h"
#include "linkid.h"

#define OWNLINK_MAX 16384        /* bytes of a URL */
#define OWNLINK_USES_MAX 1000000 /* times that it may be good for */
#define OWNLINK_TYPES_MAX 64     /* media types, ... */
#define OWNLINK_TYPE_MAX 127     /* ... of so many bytes each */

enum ownlink_method { OWNLINK_GET, OWNLINK_PUT, OWNLINK_POST };

struct ownlink {
  enum ownlink_method method;
  char id[LINKID_SIZE];
  char *name; /* the key, or of a POST the prefix */
  /* The next eight are NULL, 0 or false where nobody asked for them. */
  char *filename; /* a download is saved as this */
  bool is_inline; /* a download is shown */
  bool replace;   /* a PUT may be over an object */
  char *types;    /* "image/png,text/" "*": of uploads */
  uint64_t max_bytes;
  uint64_t expire_after; /* seconds that an upload's object lives at most */
  uint32_t uses;
  /* Of who made it; NULL: nobody is known. */
  char *by;
  bool established;  /* a hook said so, and not the client itself */
  char *backend;     /* that serves it; NULL: the mount's own */
  uint64_t number;   /* of the last revocation before it was made */
  int64_t expires_s; /* since 1970, UTC */
};

/* "GET", ... */
const char *ownlink_method_name(enum ownlink_method);
/* False: there is none of that name. */
bool ownlink_method_find(const char *name, enum ownlink_method *);

/* Makes its id, and adds its query to `url`.  The scope says where it is good:
 * one of another scope doesn't verify.  False: it would be too long. */
bool ownlink_make(struct buf *url, struct ownlink *, const struct digest_key *,
                  const char *scope);

enum ownlink_verdict { OWNLINK_GOOD, OWNLINK_INVALID, OWNLINK_EXPIRED };
/* Reads a query that came back; NULL is one.  The link is to be finished in
 * any case. */
enum ownlink_verdict ownlink_read(struct ownlink *, const struct digest_key *,
                                  const char *scope, const char *query,
                                  int64_t now_s);
void ownlink_fini(struct ownlink *);
/* The backend that a query names, which is to be freed, before anybody can say
 * whether it is a link: whose key it has to verify by.  NULL: none. */
char *ownlink_backend(const char *query);

/* Is it one media type without parameters, or "type/" "*"? */
bool ownlink_type_valid(const char *type);
/* Is this type, which may have parameters, one of the link's? */
bool ownlink_takes(const struct ownlink *, const char *type);

#endif
