/* SPDX-License-Identifier: MIT
 *
 * Since 1.1: what a hook sees of an object before there is one, and may say of
 * it.  A part of <sluice/plugin.h>, which says by which rules and is what a
 * plugin includes.
 *
 * on_body() comes with each chunk of the object's bytes in turn, in memory,
 * and with nothing twice.  The last one says so, and may be empty.  An upload
 * is committed only when its last chunk was let pass, by each hook that has
 * the entry, and by all ways in which bytes come through the gateway: a form,
 * a plain body, a PUT by name, a link, and what was uploaded in several
 * requests, which is read back from its stage before its commit.
 *   PASS   the next chunk may come;
 *   ALLOW  enough: no more of this upload comes to this hook;
 *   DENY   the request ends, and nothing was stored;
 *   WAIT   the next one waits for sluice_request_resume(), and so does the
 *          client.
 * The chunk is lent until the function returns, or, with WAIT, until the
 * resume, also when the request is over before.
 */
#ifndef SLUICE_UPLOAD_H
#define SLUICE_UPLOAD_H

#include <sluice/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An object that is about to be made, as far as it is known. */
struct sluice_upload {
  const char *key;  /* NULL: not made yet */
  const char *name; /* of the file, as its client said; NULL: it didn't */
  const char *type; /* as it would be stored */
  int64_t length;   /* of all bytes; -1: unknown yet */
  const char *md5;  /* of all bytes, 32 hex digits; NULL: unknown yet */
  const struct sluice_pair *user; /* ends with a NULL name */
  /* The gateway makes the key, and it isn't bound to a prefix: one may be
   * chosen, now. */
  bool prefix_is_open;
};

#define SLUICE_UPLOAD_PAIRS_MAX 8   /* that hooks add, all told */
#define SLUICE_UPLOAD_META_MAX 1024 /* bytes of them */
#define SLUICE_UPLOAD_NAME_MAX 64   /* bytes of a name */

#pragma GCC visibility push(default)

/* In on_key() and on_body() of a request that makes an object of bytes; NULL:
 * it makes none, as a copy doesn't, nor an upload that was stored before.
 * Lent until the function returns. */
const struct sluice_upload *
sluice_request_object(const struct sluice_request *);
/* The next may be called where there is one, and say false where it can't be:
 * then nothing has changed.
 *
 * Another type, which is a media type.  By a link that doesn't take it the
 * upload ends with 415. */
bool sluice_request_set_type(struct sluice_request *, const char *type);
/* Before DENY, in place of sluice_request_refuse(): the object is of a type
 * that isn't taken, which is a 415 with the code `unsupported_media_type`. */
void sluice_request_refuse_type(struct sluice_request *, const char *message);
/* Metadata beside the gateway's own: a name of a-z, 0-9, - and _ that isn't
 * there yet and doesn't begin with "sluice-"; a value of UTF-8 without control
 * characters. */
bool sluice_request_add_meta(struct sluice_request *, const char *name,
                             const char *value);
/* Another prefix in place of the client's, once: the key is made of it, and
 * every hook is asked about that key anew, on_key() first to last, so that it
 * is one that each allows. */
bool sluice_request_set_prefix(struct sluice_request *, const char *prefix);
/* A hook that waits in on_key() or on_body() goes on: its
 * limits.backend_timeout begins anew. */
void sluice_request_alive(struct sluice_request *);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif
