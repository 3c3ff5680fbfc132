/* SPDX-License-Identifier: MIT
 *
 * The keys as values: checked when they come, wiped when they go.
 */
#include "credentials.h"

#include <stdlib.h>
#include <string.h>

#include "sigv4.h"

/* Can it go into a header as it is? */
static bool credentials_is_clean(const char *text, size_t max) {
  size_t len = 0;
  for (; text[len] != '\0'; len++)
    if (text[len] <= ' ' || text[len] > '~' || len == max)
      return false;
  return true;
}

static char *credentials_duplicate(const char *text) {
  return text == NULL || text[0] == '\0' ? NULL : strdup(text);
}

bool credentials_set(struct credentials *credentials, const char *access_key,
                     const char *secret_key, const char *session_token) {
  struct credentials made = {.access_key = credentials_duplicate(access_key),
                             .secret_key = credentials_duplicate(secret_key),
                             .session_token =
                                 credentials_duplicate(session_token)};
  bool token = session_token != NULL && session_token[0] != '\0';
  bool good = made.access_key != NULL && made.secret_key != NULL &&
              token == (made.session_token != NULL) &&
              credentials_is_clean(made.access_key, CREDENTIALS_ID_MAX) &&
              strlen(made.secret_key) <= SIGV4_SECRET_MAX &&
              (!token || credentials_is_clean(made.session_token,
                                              CREDENTIALS_TOKEN_MAX));
  if (!good)
    credentials_fini(&made);
  *credentials = made;
  return good;
}

bool credentials_copy(struct credentials *to, const struct credentials *from) {
  bool done = credentials_set(to, from->access_key, from->secret_key,
                              from->session_token);
  to->expires_ms = from->expires_ms;
  return done;
}

static bool credentials_match(const char *a, const char *b) {
  return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool credentials_same(const struct credentials *a,
                      const struct credentials *b) {
  return credentials_match(a->access_key, b->access_key) &&
         credentials_match(a->secret_key, b->secret_key) &&
         credentials_match(a->session_token, b->session_token) &&
         a->expires_ms == b->expires_ms;
}

void credentials_wipe(char *text) {
  if (text != NULL)
    digest_wipe(text, strlen(text));
  free(text);
}

void credentials_fini(struct credentials *credentials) {
  credentials_wipe(credentials->access_key);
  credentials_wipe(credentials->secret_key);
  credentials_wipe(credentials->session_token);
  *credentials = (struct credentials){0};
}
