/* SPDX-License-Identifier: MIT
 *
 * Notices that the file of a profile is another one than it was: links are
 * signed without asking the service, which therefore can't say that their key
 * is gone.  Asked at most once a second, and never on the loop's thread.
 */
#ifndef S3_CREDENTIALS_WATCH_H
#define S3_CREDENTIALS_WATCH_H

#include "credentials.h"

struct credentials_watch;

/* `source` is a file; `changed` comes from the loop, never from inside this.
 * NULL: no memory. */
struct credentials_watch *
credentials_watch_new(const struct credentials_source *source,
                      struct sluice_host *, void (*changed)(void *arg),
                      void *arg);
void credentials_watch_free(struct credentials_watch *); /* NULL: nothing */
/* Looks, if that was long ago. */
void credentials_watch_look(struct credentials_watch *, int64_t now_ms);

#endif
