/* SPDX-License-Identifier: MIT
 *
 * Names out of certificates.  A name that is cut, or that means one of two, or
 * that ends at a NUL would be somebody else's: such a certificate has none.
 */
#include "clientcert.h"

#include <openssl/bio.h>
#include <openssl/x509v3.h>
#include <string.h>

#define FORM (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB)

static void take(char name[CLIENTCERT_NAME_MAX + 1], const ASN1_STRING *from) {
  unsigned char *text = NULL;
  int len = ASN1_STRING_to_UTF8(&text, from);
  if (len > 0 && len <= CLIENTCERT_NAME_MAX &&
      memchr(text, '\0', (size_t)len) == NULL) {
    memcpy(name, text, (size_t)len);
    name[len] = '\0';
  }
  OPENSSL_free(text);
}

static const ASN1_STRING *text_of(const GENERAL_NAME *name) {
  switch (name->type) {
  case GEN_EMAIL:
    return name->d.rfc822Name;
  case GEN_DNS:
    return name->d.dNSName;
  case GEN_URI:
    return name->d.uniformResourceIdentifier;
  default: /* OpenSSL's, and no enum: what isn't a text */
    return NULL;
  }
}

static void take_alternative(char name[CLIENTCERT_NAME_MAX + 1],
                             const X509 *certificate) {
  GENERAL_NAMES *names =
      X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  const ASN1_STRING *text = NULL;
  for (int i = 0; text == NULL && i < sk_GENERAL_NAME_num(names); i++)
    text = text_of(sk_GENERAL_NAME_value(names, i));
  if (text != NULL)
    take(name, text);
  GENERAL_NAMES_free(names);
}

static void read_name(const X509 *certificate, struct clientcert *out) {
  const X509_NAME *subject = X509_get_subject_name(certificate);
  int first = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (first < 0)
    take_alternative(out->name, certificate);
  else if (X509_NAME_get_index_by_NID(subject, NID_commonName, first) < 0)
    take(out->name,
         X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, first)));
}

bool clientcert_read(const X509 *certificate, struct clientcert *out) {
  const X509_NAME *subject = X509_get_subject_name(certificate);
  BIO *memory = BIO_new(BIO_s_mem());
  char *text = NULL;
  bool ok =
      memory != NULL && X509_NAME_print_ex(memory, subject, 0, FORM) >= 0;
  long len = ok ? BIO_get_mem_data(memory, &text) : -1;
  *out = (struct clientcert){.name = ""};
  ok = len >= 0 && len <= CLIENTCERT_SUBJECT_MAX;
  if (ok && len > 0)
    memcpy(out->subject, text, (size_t)len);
  BIO_free(memory);
  if (ok)
    read_name(certificate, out);
  return ok;
}
