/* SPDX-License-Identifier: MIT
 *
 * Any bytes as an Authorization header: what comes out is clean and within its
 * limits.
 */
#include "codec.h"
#include "credential.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t max) {
  assert(strlen(text) <= max && codec_utf8_valid(text, strlen(text)));
  while (*text != '\0')
    assert(!codec_control(codec_utf8_next(&text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct credential_basic basic;
  const char *token = NULL;
  char *text = malloc(size + 1);
  assert(text != NULL);
  if (size > 0)
    memcpy(text, data, size);
  text[size] = '\0';
  if (credential_bearer(text, MAX, &token) == CREDENTIAL_GOOD) {
    assert(token > text && strlen(token) > 0 && strlen(token) <= MAX);
    assert(credential_token(token, MAX) && strchr(token, ' ') == NULL);
  }
  if (credential_basic(text, &basic) == CREDENTIAL_GOOD) {
    assert(*basic.user != '\0' && strchr(basic.user, ':') == NULL);
    check_text(basic.user, CREDENTIAL_USER_MAX);
    check_text(basic.password, CREDENTIAL_PASSWORD_MAX);
    credential_basic_wipe(&basic);
  }
  free(text);
  return 0;
}
