/* SPDX-License-Identifier: MIT
 *
 * The TLS that listeners speak: by default what Mozilla calls intermediate
 * (docs/decisions/0027).
 */
#ifndef HTTP1_TLS_H
#define HTTP1_TLS_H

#include <openssl/ssl.h>

#include "errmsg.h"

struct tls_settings {
  const char *certificate, *private_key; /* PEM files */
  const char *ciphers; /* of TLS 1.2, with : between; "": Mozilla's */
  bool only_1_3;
  const char *client_ca; /* PEM file of who signs clients; "": none is asked */
  bool optional;         /* a client may come without a certificate */
};

/* NULL and why: which file or name is wrong, and what it should be. */
SSL_CTX *tls_new(const struct tls_settings *, struct errmsg *);

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
