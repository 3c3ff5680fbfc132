/* SPDX-License-Identifier: MIT
 *
 * Checks names of ciphers against those that OpenSSL has.
 */
#include "tls_cipher.h"

#include <string.h>

#include "words.h"

#define MEANT "write names with : between, as in " EXAMPLE
#define EXAMPLE "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
#define KNOWN_MAX 256

/* Mozilla's "intermediate" for TLS 1.2. */
static const char intermediate[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

static bool is_of_1_3(const char *name) {
  return strncmp(name, "TLS_", 4) == 0;
}

/* Those of TLS 1.2 that encrypt, and prove who the server is. */
static void list_known(SSL_CTX *tls, const char *known[KNOWN_MAX + 1]) {
  size_t count = 0;
  SSL_CTX_set_cipher_list(tls, "ALL:!aNULL:!eNULL:!PSK:!SRP");
  const STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(tls);
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers) && count < KNOWN_MAX; i++) {
    const char *name = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, i));
    if (!is_of_1_3(name))
      known[count++] = name;
  }
  known[count] = NULL;
}

static bool fault(const char *name, const char *const *known,
                  struct errmsg *errmsg) {
  const char *nearest = words_nearest(name, known);
  if (*name == '\0')
    return errmsg_set(errmsg, "server.tls.ciphers: a name is empty; " MEANT);
  if (is_of_1_3(name))
    return errmsg_set(errmsg,
                      "server.tls.ciphers: '%s' is one of TLS 1.3, which has "
                      "good ones only; leave it out",
                      name);
  if (nearest != NULL)
    return errmsg_set(errmsg,
                      "server.tls.ciphers: '%s' is not known; did you mean "
                      "'%s'?",
                      name, nearest);
  return errmsg_set(errmsg,
                    "server.tls.ciphers: '%.64s' is not known; " MEANT
                    " ('openssl ciphers -s -tls1_2' lists them)",
                    name);
}

static bool check(const char *names, const char *const *known,
                  struct errmsg *errmsg) {
  char name[WORDS_LEN_MAX + 2];
  for (size_t count = 0;; count++) {
    size_t len = strcspn(names, ":");
    size_t kept = len < sizeof name ? len : sizeof name - 1;
    memcpy(name, names, kept);
    name[kept] = '\0';
    if (count == TLS_CIPHERS_MAX)
      return errmsg_set(errmsg, "server.tls.ciphers: more than %d; drop some",
                        TLS_CIPHERS_MAX);
    if (!words_has(known, name))
      return fault(name, known, errmsg);
    if (names[len] == '\0')
      return true;
    names += len + 1;
  }
}

bool tls_cipher_set(SSL_CTX *tls, const char *names, struct errmsg *errmsg) {
  const char *known[KNOWN_MAX + 1];
  const char *wanted = *names == '\0' ? intermediate : names;
  if (*names != '\0') {
    list_known(tls, known);
    if (!check(names, known, errmsg))
      return false;
    SSL_CTX_set_dh_auto(tls, 1); /* for those that begin with DHE */
  }
  return SSL_CTX_set_cipher_list(tls, wanted) == 1 ||
         errmsg_set(errmsg,
                    "server.tls.ciphers: OpenSSL's own configuration allows "
                    "none of them; write others");
}
