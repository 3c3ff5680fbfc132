/* SPDX-License-Identifier: MIT
 *
 * Characters that XML 1.0 has no place for (section 2.2), as Ceph writes them
 * into what it doesn't encode, since keys may have them: references to most C0
 * controls, U+FFFE and U+FFFF.  expat refuses the whole document for one of
 * them.  Called by xml, which passes an answer's bytes through here; a control
 * that isn't a reference is left to expat.
 *
 * Each becomes U+FDD0, which is no character either but one that XML allows:
 * a text with it is not what the service meant.
 */
#ifndef S3_XMLCHARS_H
#define S3_XMLCHARS_H

#include <stdbool.h>
#include <stddef.h>

#define XMLCHARS_MARK "\xEF\xB7\x90"
#define XMLCHARS_HELD 16 /* bytes of a reference that is looked at */

struct xmlchars { /* all zeros at first */
  char held[XMLCHARS_HELD];
  size_t len;
};

/* Passes bytes on, piece by piece, and keeps a few that may be the beginning
 * of such a character.  False: `pass` said so. */
bool xmlchars_feed(struct xmlchars *, const char *data, size_t len,
                   bool (*pass)(void *arg, const char *data, size_t len),
                   void *arg);
/* Passes on what was kept, at the end. */
bool xmlchars_end(struct xmlchars *,
                  bool (*pass)(void *arg, const char *data, size_t len),
                  void *arg);

#endif
