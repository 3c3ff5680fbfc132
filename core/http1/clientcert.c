/* SPDX-License-Identifier: MIT
 *
 * Names out of certificates.  A name that is cut, or that means one of two, or
 * that ends at a NUL would be somebody else's, and one with controls could say
 * it is: such a certificate has none.  A subject is shown with those escaped.
 */
#include "clientcert.h"

#include <openssl/bio.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "codec.h"

#define FORM (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB)

/* Is it unseen, or does it make a reader see something else?  Ends of lines
 * do, and marks that turn the direction of writing. */
static bool is_deceptive(uint32_t character) {
  static const struct {
    uint32_t from, to;
  } ranges[] = {
      {0x61C, 0x61C}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069}};
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    if (character >= ranges[i].from && character <= ranges[i].to)
      return true;
  return codec_control(character);
}

static bool is_plain(const char *text, size_t len) {
  if (memchr(text, '\0', len) != NULL || !codec_utf8_valid(text, len))
    return false;
  for (const char *at = text; at < text + len;)
    if (is_deceptive(codec_utf8_next(&at)))
      return false;
  return true;
}

static void take(char name[CLIENTCERT_NAME_MAX + 1], const ASN1_STRING *from) {
  unsigned char *text = NULL;
  int len = ASN1_STRING_to_UTF8(&text, from);
  if (len > 0 && len <= CLIENTCERT_NAME_MAX &&
      is_plain((const char *)text, (size_t)len)) {
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

/* RFC 4514, section 2.4: any byte may be written so.  OpenSSL does it to the
 * controls of ASCII. */
static bool copy_subject(char out[CLIENTCERT_SUBJECT_MAX + 1],
                         const char *text, size_t len) {
  struct buf to;
  if (!codec_utf8_valid(text, len))
    return false;
  buf_init(&to, CLIENTCERT_SUBJECT_MAX);
  for (const char *at = text; at < text + len;) {
    const char *from = at;
    bool escaped = is_deceptive(codec_utf8_next(&at));
    if (!escaped)
      buf_add(&to, from, (size_t)(at - from));
    for (; escaped && from < at; from++)
      buf_addf(&to, "\\%02X", (unsigned char)*from);
  }
  bool fits = !to.overflown;
  if (fits && to.len > 0)
    memcpy(out, to.data, to.len);
  buf_fini(&to);
  return fits;
}

bool clientcert_read(const X509 *certificate, struct clientcert *out) {
  const X509_NAME *subject = X509_get_subject_name(certificate);
  BIO *memory = BIO_new(BIO_s_mem());
  char *text = NULL;
  bool ok =
      memory != NULL && X509_NAME_print_ex(memory, subject, 0, FORM) >= 0;
  long len = ok ? BIO_get_mem_data(memory, &text) : -1;
  *out = (struct clientcert){.name = ""};
  /* There is no memory of an empty one. */
  ok = len == 0 || (len > 0 && copy_subject(out->subject, text, (size_t)len));
  BIO_free(memory);
  if (ok)
    read_name(certificate, out);
  return ok;
}
