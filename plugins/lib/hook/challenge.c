/* SPDX-License-Identifier: MIT
 *
 * WWW-Authenticate: a scheme, and parameters in quotes.
 */
#include "challenge.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"

#define TEXT_MAX 1024

const char *challenge_realm_fault(const char *realm) {
  size_t len = strnlen(realm, CHALLENGE_REALM_MAX + 1);
  if (len == 0)
    return "is empty; write a name that people know, or leave it out";
  if (len > CHALLENGE_REALM_MAX)
    return "is longer than 128 characters; shorten it";
  for (; *realm != '\0'; realm++)
    if (*realm < ' ' || *realm > '~')
      return "has a character that isn't printable ASCII; write another name";
  return NULL;
}

static void challenge_add(struct buf *text, const char *name,
                          const char *value) {
  if (value == NULL)
    return;
  buf_addf(text, "%s%s=\"", strchr(text->data, '=') == NULL ? " " : ", ",
           name);
  for (; *value != '\0'; value++) {
    if (*value == '"' || *value == '\\')
      buf_addc(text, '\\');
    buf_addc(text, *value);
  }
  buf_addc(text, '"');
}

static void answer(struct sluice_request *request, struct buf *text) {
  if (!text->overflown)
    sluice_request_answer(request, "WWW-Authenticate", text->data);
  buf_fini(text);
}

void challenge_bearer(struct sluice_request *request, const char *realm,
                      const char *error, const char *why) {
  struct buf text;
  buf_init(&text, TEXT_MAX);
  buf_adds(&text, "Bearer");
  challenge_add(&text, "realm", realm);
  challenge_add(&text, "error", error);
  challenge_add(&text, "error_description", why);
  answer(request, &text);
}

void challenge_basic(struct sluice_request *request, const char *realm) {
  struct buf text;
  buf_init(&text, TEXT_MAX);
  buf_adds(&text, "Basic");
  challenge_add(&text, "realm", realm);
  challenge_add(&text, "charset", "UTF-8");
  answer(request, &text);
}

void challenge_later(struct sluice_request *request, unsigned seconds) {
  char text[12];
  snprintf(text, sizeof text, "%u", seconds);
  sluice_request_answer(request, "Retry-After", text);
}
