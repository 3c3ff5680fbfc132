/* SPDX-License-Identifier: MIT
 *
 * Copies in one request take the metadata along by themselves; those in parts
 * are new objects, so all that the source's HEAD says is said again.
 */
#include "copy_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "codec.h"
#include "must.h"
#include "task.h"

/* The rest is for what a write itself says. */
#define HEADERS_MAX (S3_CALL_HEADERS_MAX - 8)

struct copy_source {
  struct buf name; /* "bucket/key", encoded */
  char if_match[164];
  bool pinned;
  size_t count;
  struct {
    char *name, *value;
  } headers[HEADERS_MAX];
};

/* Amazon S3 API reference, HeadObject: what an object was stored with.  The
 * write's id is each write's own. */
static bool describes(const char *name) {
  static const char *const names[] = {
      "Content-Type",     "Content-Disposition", "Content-Encoding",
      "Content-Language", "Cache-Control",       "Expires"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcasecmp(name, names[i]) == 0)
      return true;
  return strncasecmp(name, "x-amz-meta-", 11) == 0 &&
         strcasecmp(name, S3_WRITE_ID) != 0;
}

static bool keep(struct copy_source *source, const char *name,
                 const char *value) {
  if (source->count == HEADERS_MAX)
    return false;
  size_t i = source->count++;
  source->headers[i].name = strdup(name);
  source->headers[i].value = strdup(value);
  must_have(source->headers[i].name && source->headers[i].value);
  return true;
}

struct copy_source *copy_source_new(const struct s3 *s3, const char *key,
                                    const struct s3_call *head) {
  struct copy_source *source = calloc(1, sizeof *source);
  const char *name, *value;
  char etag[160];
  bool fits = true;
  must_have(source); /* charged with the request */
  buf_init(&source->name, 4096);
  buf_adds(&source->name, s3->conf->bucket);
  buf_addc(&source->name, '/');
  codec_percent(&source->name, key, strlen(key), CODEC_PATH);
  s3_etag(etag, s3_call_header(head, "ETag"));
  snprintf(source->if_match, sizeof source->if_match, "\"%s\"", etag);
  source->pinned = etag[0] != '\0' && (s3_guards(s3) & S3_GUARDS_SOURCE);
  for (size_t i = 0; s3_call_header_each(head, i, &name, &value); i++)
    if (describes(name))
      fits = fits && keep(source, name, value);
  if (fits)
    return source;
  copy_source_free(source);
  return NULL;
}

void copy_source_free(struct copy_source *source) {
  if (source == NULL)
    return;
  for (size_t i = 0; i < source->count; i++) {
    free(source->headers[i].name);
    free(source->headers[i].value);
  }
  buf_fini(&source->name);
  free(source);
}

size_t copy_source_names(const struct copy_source *source,
                         struct sigv4_pair *out) {
  size_t n = 0;
  out[n++] = (struct sigv4_pair){"x-amz-copy-source", source->name.data};
  if (source->pinned)
    out[n++] =
        (struct sigv4_pair){"x-amz-copy-source-if-match", source->if_match};
  return n;
}

size_t copy_source_headers(const struct copy_source *source,
                           struct sigv4_pair *out) {
  for (size_t i = 0; i < source->count; i++)
    out[i] =
        (struct sigv4_pair){source->headers[i].name, source->headers[i].value};
  return source->count;
}
