/* SPDX-License-Identifier: MIT
 *
 * Wrong passwords, counted by who sent them, for all loops together: who had
 * too many has to wait before the next one is looked at.
 *
 * A client is a block of addresses.  A user who was admitted from there lately
 * counts apart from the others behind it: their guesses don't hold up the
 * user, and guesses at the user's own password are counted all the same.
 */
#ifndef AUTH_BASIC_FAILURES_H
#define AUTH_BASIC_FAILURES_H

#include <stdint.h>

#define FAILURES_MAX 1000
#define FAILURES_ADMITTED_USEC (UINT64_C(3600) * 1000000)

struct failures;

/* At most `most` (up to FAILURES_MAX) at once, and as many again in `usec`; 0:
 * nobody ever waits.  NULL: no memory. */
struct failures *failures_new(uint64_t most, uint64_t usec);
void failures_free(struct failures *);

/* The client's number. */
uint64_t failures_client(const struct failures *, const char *client);
/* The number under which failures of this user from this client count.  Times
 * are microseconds of one clock that doesn't jump. */
uint64_t failures_who(const struct failures *, const char *client,
                      const char *user, uint64_t now);
/* How long they have to wait; 0: not at all. */
uint64_t failures_wait(const struct failures *, uint64_t who, uint64_t now);
/* The password was wrong. */
void failures_add(struct failures *, uint64_t who, uint64_t now);
/* The password was right: for a while the user counts apart. */
void failures_admit(struct failures *, const char *client, const char *user,
                    uint64_t now);

#endif
