/* SPDX-License-Identifier: MIT
 *
 * The words of clamd(8): where it listens, and what it answers to INSTREAM.
 */
#ifndef SCAN_CLAMD_CLAMD_H
#define SCAN_CLAMD_CLAMD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "errmsg.h"

#define CLAMD_REPLY_MAX 1024 /* bytes of an answer, with its NUL */
#define CLAMD_NAME_MAX 128   /* of a signature, with its NUL */

struct clamd_address {
  struct sockaddr_storage at;
  socklen_t size;
};

/* "/run/clamav/clamd.ctl", "unix:/run/...", "127.0.0.1:3310", "[::1]:3310";
 * names of hosts aren't looked up.  False, and why. */
bool clamd_address(struct clamd_address *, const char *text, struct errmsg *);

enum clamd_word {
  CLAMD_CLEAN,
  CLAMD_FOUND,     /* `name` says what */
  CLAMD_TOO_LARGE, /* its StreamMaxLength, or another limit of its own */
  CLAMD_NONSENSE   /* anything else: it failed */
};

/* Of a whole answer.  The name has no other characters than visible ASCII. */
enum clamd_word clamd_read(const char *reply, char name[CLAMD_NAME_MAX]);

#endif
