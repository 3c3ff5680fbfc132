/* SPDX-License-Identifier: MIT
 *
 * Makes the context of TLS: a certificate and its key, and the rules of
 * handshakes.
 */
#include "tls.h"

#include <openssl/err.h>
#include <string.h>
#include <time.h>

#include "tls_cipher.h"

#define GROUPS "X25519:P-256:P-384"

/* Where a file can't be read, the first error has the errno. */
static const char *reason(void) {
  unsigned long first = ERR_peek_error();
  if (ERR_SYSTEM_ERROR(first))
    return strerror(ERR_GET_REASON(first));
  const char *text = ERR_reason_error_string(ERR_peek_last_error());
  return text == NULL ? "unknown error" : text;
}

static bool load(SSL_CTX *tls, const struct tls_settings *settings,
                 struct errmsg *errmsg) {
  const char *certificate = settings->certificate;
  const char *private_key = settings->private_key;
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1)
    return errmsg_set(errmsg,
                      "server.tls.certificate: cannot use %s: %s; it must be "
                      "a PEM file with the certificate and its chain",
                      certificate, reason());
  if (SSL_CTX_use_PrivateKey_file(tls, private_key, SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(tls) != 1)
    return errmsg_set(errmsg,
                      "server.tls.private_key: cannot use %s: %s; it must be "
                      "the certificate's own key, in PEM, without a password",
                      private_key, reason());
  return true;
}

/* A server has nobody to ask. */
static int no_password(char *out, int size, int writing, void *arg) {
  (void)out, (void)size, (void)writing, (void)arg;
  return -1;
}

/* RFC 7301, section 3.2: a client that names protocols, and none that is
 * spoken here, is told so. */
static int choose_protocol(SSL *ssl, const unsigned char **out,
                           unsigned char *len, const unsigned char *offered,
                           unsigned offered_len, void *arg) {
  static const unsigned char spoken[] = "\x08http/1.1\x08http/1.0";
  unsigned char *chosen;
  (void)ssl, (void)arg;
  if (SSL_select_next_proto(&chosen, len, spoken, sizeof spoken - 1, offered,
                            offered_len) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

/* Each certificate of the file is trusted, whoever has signed it in turn. */
static bool ask_clients(SSL_CTX *tls, const struct tls_settings *settings,
                        struct errmsg *errmsg) {
  const char *file = settings->client_ca;
  if (*file == '\0')
    return true;
  ERR_clear_error();
  STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);
  if (names == NULL || SSL_CTX_load_verify_file(tls, file) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return errmsg_set(errmsg,
                      "server.tls.client_ca: cannot use %s: %s; it must be a "
                      "PEM file with the certificates that sign clients'",
                      file, reason());
  }
  SSL_CTX_set_client_CA_list(tls, names);
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(tls),
                              X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_verify(tls,
                     settings->optional
                         ? SSL_VERIFY_PEER
                         : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                     NULL);
  return true;
}

/* All of the ciphers are good, so the client may choose: it knows which of
 * them its hardware has. */
static bool set_rules(SSL_CTX *tls, const struct tls_settings *settings,
                      struct errmsg *errmsg) {
  int oldest = settings->only_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
  SSL_CTX_set_min_proto_version(tls, oldest);
  SSL_CTX_set_options(tls, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                               SSL_OP_CLEANSE_PLAINTEXT);
  /* Sessions that know a client's certificate are resumed only with it. */
  SSL_CTX_set_session_id_context(tls, (const unsigned char *)"sluice", 6);
  /* The first group is there since OpenSSL 3.5. */
  if (SSL_CTX_set1_groups_list(tls, "X25519MLKEM768:" GROUPS) != 1 &&
      SSL_CTX_set1_groups_list(tls, GROUPS) != 1)
    return errmsg_set(errmsg, "TLS: %s", reason());
  return tls_cipher_set(tls, settings->ciphers, errmsg);
}

SSL_CTX *tls_new(const struct tls_settings *settings, struct errmsg *errmsg) {
  SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
  if (tls == NULL) {
    errmsg_set(errmsg, "TLS: %s", reason());
    return NULL;
  }
  SSL_CTX_set_alpn_select_cb(tls, choose_protocol, NULL);
  SSL_CTX_set_default_passwd_cb(tls, no_password);
  /* An idle connection keeps no buffers. */
  SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
  if (set_rules(tls, settings, errmsg) && load(tls, settings, errmsg) &&
      ask_clients(tls, settings, errmsg))
    return tls;
  SSL_CTX_free(tls);
  return NULL;
}

enum tls_age tls_age(SSL_CTX *tls, int64_t now, char date[TLS_DATE_SIZE]) {
  const X509 *certificate = SSL_CTX_get0_certificate(tls);
  const ASN1_TIME *from = X509_get0_notBefore(certificate);
  const ASN1_TIME *until = X509_get0_notAfter(certificate);
  struct tm tm = {0};
  int64_t soon = now + TLS_SOON_DAYS * INT64_C(86400);
  bool early = ASN1_TIME_cmp_time_t(from, now) > 0;
  ASN1_TIME_to_tm(early ? from : until, &tm);
  strftime(date, TLS_DATE_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
  if (early)
    return TLS_EARLY;
  if (ASN1_TIME_cmp_time_t(until, now) <= 0)
    return TLS_EXPIRED;
  return ASN1_TIME_cmp_time_t(until, soon) <= 0 ? TLS_SOON : TLS_VALID;
}
