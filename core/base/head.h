/* SPDX-License-Identifier: MIT
 *
 * A request's head, parsed strictly (RFC 9112).  What is ambiguous is refused,
 * never guessed: framing is a security boundary.
 */
#ifndef BASE_HEAD_H
#define BASE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define HEAD_FIELDS_MAX 100
#define HEAD_METHOD_MAX 16
#define HEAD_TARGET_MAX 16384

struct head_field {
  const char *name, *value; /* value without outer white space */
};

struct head {
  char *text; /* owned; everything below points into it */
  const char *method;
  const char *path;  /* as sent, "/..." or "*"; not decoded */
  const char *query; /* without "?"; NULL: none */
  const char *host;  /* of Host, or of an absolute target; NULL in 1.0 */
  int minor;         /* of HTTP/1.x: 0 or 1 */
  struct head_field fields[HEAD_FIELDS_MAX];
  size_t count;
  bool chunked;
  bool keep_alive;
  bool expect_continue;
  int64_t length; /* Content-Length; -1: none */
};

struct head_refusal {
  int status;       /* 400, 413, 414, 417, 431, 501, 505 */
  const char *what; /* constant, for the client */
};

/* `text` is a malloc'd block of len bytes and one spare, that ends in CRLF
 * CRLF; it is taken in any case.  True, or false and why.
 * Refused: bare CR or LF, NUL and controls, obs-fold, space before the colon,
 * names that aren't tokens, a second Host, Content-Length, Content-Type,
 * Authorization, Range, Expect, X-User-Id or X-Request-Id, Content-Length
 * with Transfer-Encoding, any coding but chunked, chunked in HTTP/1.0, no
 * Host in 1.1 or one with a letter that no host has, unknown versions,
 * HEAD_*_MAX exceeded. */
bool head_parse(struct head *, char *text, size_t len, struct head_refusal *);
void head_fini(struct head *);
/* The value of a field, without case; NULL when it isn't there. */
const char *head_get(const struct head *, const char *name);

/* The same of a list, which may stand on several lines: they are one, joined
 * with ", " in `joined` (RFC 9110, section 5.3). */
const char *head_list(const struct head *, const char *name,
                      struct buf *joined);

/* The end of the head in data[0..len): the offset after CRLF CRLF, 0 when it
 * isn't there yet.  `from` is where the last search stopped, and is moved. */
size_t head_end(const char *data, size_t len, size_t *from);

#endif
