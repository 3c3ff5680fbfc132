/* SPDX-License-Identifier: MIT
 *
 * How often a link with `uses` was used, as a storage keeps it: one small
 * object for each such link, whose key begins with when the link ends.
 */
#ifndef BASE_LINKCOUNT_H
#define BASE_LINKCOUNT_H

#include "ownlink.h"

#define LINKCOUNT_FOLDER ".sluice/uses/"
#define LINKCOUNT_KEY_SIZE 80
#define LINKCOUNT_TEXT_SIZE 64
#define LINKCOUNT_SLACK_S 3600 /* of two gateways' clocks */

struct linkcount {
  uint32_t used;
  uint64_t nonce;  /* of who wrote it: tells its own from another's alike */
  int64_t last_ms; /* since 1970, UTC: the last use that was counted; 0: none
                    */
};

void linkcount_key(char out[LINKCOUNT_KEY_SIZE], const struct ownlink *);
/* Is it such a key, of a link that by no gateway's clock is good any more? */
bool linkcount_is_over(const char *key, int64_t now_s);

void linkcount_print(char out[LINKCOUNT_TEXT_SIZE], const struct linkcount *);
bool linkcount_parse(struct linkcount *, const char *text); /* false: bad */

#endif
