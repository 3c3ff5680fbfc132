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

#define TLS_SOON_DAYS 14
#define TLS_DATE_SIZE 32

enum tls_age {
  TLS_VALID,
  TLS_EARLY,  /* it begins at `date` */
  TLS_SOON,   /* it ends at `date`, within TLS_SOON_DAYS */
  TLS_EXPIRED /* it ended at `date` */
};

/* How old the certificate is; `now` in seconds since 1970. */
enum tls_age tls_age(SSL_CTX *, int64_t now, char date[TLS_DATE_SIZE]);

#endif
