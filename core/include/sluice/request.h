/* SPDX-License-Identifier: MIT
 *
 * Since 1.1: a hook chooses the backend of a request or asks which it is, and
 * hooks of a request tell each other what they found out.  A part of
 * <sluice/plugin.h>, which says by which rules and is what a plugin includes.
 */
#ifndef SLUICE_REQUEST_H
#define SLUICE_REQUEST_H

#include <sluice/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_ATTRIBUTES_MAX 32     /* of a request */
#define SLUICE_ATTRIBUTES_SIZE 4096  /* bytes: names, values, NULs */
#define SLUICE_ATTRIBUTE_NAME_MAX 64 /* bytes of a name */

#pragma GCC visibility push(default)

/* In on_request(), and while that waits: the request is for the configured
 * backend of this name in place of its route's, whatever it asks for.  Of
 * several the last one counts.  False: no backend has the name; then the
 * request is answered with 500 when hooks let it pass, so that it never comes
 * to a storage that nobody meant, unless another call chooses one that is
 * there.  In another phase it is a violation, and changes nothing.
 *
 * Whoever chooses does so by what all requests about an object have in common
 * (who asks, or the path's mount): a list, a download or the next part of an
 * upload finds only what is in the backend chosen for it.  A link is
 * served from the backend that was chosen when it was made, whatever is chosen
 * when it is used. */
bool sluice_request_backend(struct sluice_request *, const char *name);

/* The name of the backend that the request is for: its route's, the one that
 * was chosen, or a link's; from on_key() on it stays.  Keys are those of one
 * backend: the same one in another is another object.  NULL: of no route.
 * Lent until the hook's function returns. */
const char *sluice_request_backend_name(const struct sluice_request *);

/* A text that all hooks of the request may read from now on, in any phase up
 * to on_log(); one of the same name is replaced, and NULL takes it away.  The
 * name is of a-z, 0-9, '-', '_' and '.', by custom with the plugin's in front
 * ("scan.verdict"); the value is UTF-8 without control characters.  False: it
 * isn't, or there are too many or too long ones; then nothing has changed. */
bool sluice_request_set_attribute(struct sluice_request *, const char *name,
                                  const char *value);
/* NULL: there is none.  Lent until it is set anew, or the hook's function
 * returns. */
const char *sluice_request_attribute(const struct sluice_request *,
                                     const char *name);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif
