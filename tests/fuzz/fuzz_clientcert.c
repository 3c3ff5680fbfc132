/* SPDX-License-Identifier: MIT
 *
 * Certificates as authorities sign them.  Whatever is read fits, is UTF-8 and
 * can stand in a line of a log or a header; what can't be read is nothing.
 */
#include "clientcert.h"
#include "codec.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, size_t max) {
  size_t len = strnlen(text, max + 1);
  assert(len <= max && codec_utf8_valid(text, len));
  while (*text != '\0') {
    uint32_t c = codec_utf8_next(&text);
    assert(!codec_control(c));
    assert(c < 0x2028 || (c > 0x202E && c < 0x2066) || c > 0x2069);
    assert(c != 0x200E && c != 0x200F && c != 0x61C);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct clientcert client;
  X509 *certificate = d2i_X509(NULL, &data, (long)size);
  if (certificate == NULL)
    return 0;
  bool ok = clientcert_read(certificate, &client);
  check(client.name, CLIENTCERT_NAME_MAX);
  check(client.subject, CLIENTCERT_SUBJECT_MAX);
  assert(ok || (*client.name == '\0' && *client.subject == '\0'));
  X509_free(certificate);
  return 0;
}
