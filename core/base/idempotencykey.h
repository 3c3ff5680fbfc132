/* SPDX-License-Identifier: MIT
 *
 * Idempotency-Key: a string of structured fields, in quotes, or the same
 * without, as most clients send it.
 */
#ifndef BASE_IDEMPOTENCYKEY_H
#define BASE_IDEMPOTENCYKEY_H

#define IDEMPOTENCYKEY_MAX 255 /* characters, of ASCII */

/* NULL and out filled, or why it is refused: a constant for the client. */
const char *idempotencykey_read(char out[IDEMPOTENCYKEY_MAX + 1],
                                const char *text);

#endif
