/* SPDX-License-Identifier: MIT
 *
 * The names in a client's certificate, which TLS has verified by
 * server.tls.client_ca.
 */
#ifndef HTTP1_CLIENTCERT_H
#define HTTP1_CLIENTCERT_H

#include <openssl/x509.h>
#include <stdbool.h>

#define CLIENTCERT_NAME_MAX 256
#define CLIENTCERT_SUBJECT_MAX 1024

struct clientcert {
  /* Its one CN; without any, the first of its alternative names that is a
   * DNS name, an address of mail or a URI.  "": none that fits. */
  char name[CLIENTCERT_NAME_MAX + 1];
  /* As RFC 4514 writes it, in UTF-8: "CN=alice,O=Example".  Controls and what
   * turns the direction of writing are escaped: \0A. */
  char subject[CLIENTCERT_SUBJECT_MAX + 1];
};

/* False: its subject is longer than that or can't be read, and both are
 * empty. */
bool clientcert_read(const X509 *, struct clientcert *);

#endif
