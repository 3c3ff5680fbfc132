/* SPDX-License-Identifier: MIT
 *
 * Sums of a request's body as it came, beside the file that is found in it:
 * its bytes are gathered, and hashed by a thread of the pool where they are
 * many.
 */
#ifndef ENDPOINTS_BODYSUM_H
#define ENDPOINTS_BODYSUM_H

#include "digestfield.h"
#include "exchange.h"

struct bodysum;

/* Charged to the exchange; NULL: answered.  `go_on` is called when there is
 * room again, or all is hashed. */
struct bodysum *bodysum_new(struct exchange *,
                            void (*go_on)(struct exchange *));
void bodysum_free(struct bodysum *); /* NULL: nothing */
/* Those that the field says; before the first byte. */
void bodysum_make(struct bodysum *, const struct digestfield *);

/* Bytes that it takes now; 0: go_on() comes. */
size_t bodysum_room(struct bodysum *);
void bodysum_add(struct bodysum *, const void *data, size_t len);
/* Is all of it hashed?  False: go_on() comes. */
bool bodysum_end(struct bodysum *);
/* Then. */
const struct sums *bodysum_sums(const struct bodysum *);

#endif
