/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a file of users.  All names are clean, all hashes of a form
 * that is known, and each user is found.
 */
#include "codec.h"
#include "hash.h"
#include "htpasswd.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_user(const struct htpasswd *users, size_t at) {
  const struct htpasswd_user *user = &users->users[at];
  assert(htpasswd_find(users, user->name) == user);
  assert(*user->name != '\0' && strlen(user->name) <= HTPASSWD_NAME_MAX);
  assert(codec_utf8_valid(user->name, strlen(user->name)));
  assert(strchr(user->name, ':') == NULL);
  assert(hash_fault(user->hash) == NULL && strlen(user->hash) <= HASH_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct errmsg err = {""};
  char *text = malloc(size + 1);
  assert(text != NULL);
  if (size > 0)
    memcpy(text, data, size);
  text[size] = '\0';
  struct htpasswd *users = htpasswd_parse("f", text, size, &err);
  assert((users != NULL) == (*err.text == '\0'));
  assert(strchr(err.text, '\n') == NULL);
  for (size_t i = 0; users != NULL && i < users->count; i++)
    check_user(users, i);
  htpasswd_free(users);
  free(text);
  return 0;
}
