/* SPDX-License-Identifier: MIT
 *
 * The ciphers of TLS 1.2.  Those of 1.3 are OpenSSL's: all of them are good.
 */
#ifndef HTTP1_TLS_CIPHER_H
#define HTTP1_TLS_CIPHER_H

#include <openssl/ssl.h>

#include "errmsg.h"

#define TLS_CIPHERS_MAX 64 /* that a configuration may name */

/* `names`: as OpenSSL writes them, with : between; "": the default.  OpenSSL
 * itself passes over names that it doesn't know; here they are refused. */
bool tls_cipher_set(SSL_CTX *, const char *names, struct errmsg *);

#endif
