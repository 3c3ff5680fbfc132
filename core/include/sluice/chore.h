/* SPDX-License-Identifier: MIT
 *
 * Since 1.1: chores, for which an operator asks a backend by sluice(1): its
 * entry `chore`.  It is called in a process of its own: without start(),
 * perhaps beside a gateway that serves the same storage, and may block.
 * SLUICE_OK: it was done, also where something was found; SLUICE_ENOTSUP: it
 * has none of that kind; else sluice_fail() says why not.  A part of
 * <sluice/plugin.h>, which is what a plugin includes.
 */
#ifndef SLUICE_CHORE_H
#define SLUICE_CHORE_H

#include <sluice/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

enum sluice_chore_kind {
  SLUICE_CHORE_CHECK,   /* is all there, and whole? */
  SLUICE_CHORE_BACKUP,  /* to a folder, while a gateway may be running */
  SLUICE_CHORE_RESTORE, /* from that folder, to a place where nothing is */
  SLUICE_CHORE_SWEEP    /* of what nobody needs any more */
};

enum sluice_chore_flag {
  SLUICE_CHORE_READ = 1,   /* check: all bytes against their digests */
  SLUICE_CHORE_REPAIR = 2, /* check: mend what can be, and delete nothing */
  SLUICE_CHORE_COPY = 4,   /* backup: share no file with the storage */
  SLUICE_CHORE_DO = 8      /* sweep: remove; else only tell */
};

/* Something that is to be known. */
struct sluice_finding {
  uint32_t size;
  const char *what; /* a word for machines: "missing-blob" */
  const char *key;  /* of an object; NULL: of none */
  const char *text; /* for people */
  bool good;        /* nothing is wrong, or it has been mended */
};

struct sluice_chore {
  uint32_t size;
  enum sluice_chore_kind kind;
  unsigned flags;     /* enum sluice_chore_flag */
  const char *folder; /* of a backup */
  int64_t older_ms;   /* sweep: uploads that nobody ended, begun before that */
  /* May be called at any time until the chore returns. */
  void (*tell)(void *arg, const struct sluice_finding *);
  void (*count)(void *arg, const char *what, uint64_t number); /* once each */
  void *arg;
};
#define SLUICE_FINDING .size = (uint32_t)sizeof(struct sluice_finding)

#ifdef __cplusplus
}
#endif
#endif
