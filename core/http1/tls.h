/* SPDX-License-Identifier: MIT
 *
 * The TLS that listeners speak: 1.2 and newer, by OpenSSL's defaults.
 */
#ifndef HTTP1_TLS_H
#define HTTP1_TLS_H

#include <openssl/ssl.h>

#include "errmsg.h"

/* NULL and why: which file is wrong, and what it should hold. */
SSL_CTX *tls_new(const char *certificate, const char *private_key,
                 struct errmsg *);

#endif
