/* SPDX-License-Identifier: MIT
 *
 * Files of blobs, as a check lists them before it looks at the index.
 */
#ifndef LOCAL_STRAYS_H
#define LOCAL_STRAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct checker;

struct strays {
  uint64_t *files; /* number << 2 | in lost+found << 1 | committed */
  size_t count, room;
};

/* Adds what is below the folder; one that isn't there is empty.  False,
 * errno. */
bool strays_list(struct strays *, struct checker *, const char *folder,
                 bool lost);
void strays_fini(struct strays *);
/* Fills the table `seen`. */
bool strays_note(const struct strays *, struct checker *);
/* After a repair: no number is handed out again. */
bool strays_end(struct checker *);

#endif
