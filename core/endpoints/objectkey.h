/* SPDX-License-Identifier: MIT
 *
 * The key that a request's query names.
 */
#ifndef ENDPOINTS_OBJECTKEY_H
#define ENDPOINTS_OBJECTKEY_H

#include "exchange.h"

/* The parameter "key", checked by a function of key.h; false when it was
 * answered as missing or bad. */
bool objectkey_read(struct exchange *, char key[KEY_MAX + 1],
                    const char *(*fault_of)(const char *key, size_t len));

#endif
