/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a file of profiles.  Values are clean text; a refusal has one
 * line that says why, and leaves nothing.
 */
#include "codec.h"
#include "profile.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(const char *value) {
  if (!value)
    return;
  assert(*value && codec_utf8_valid(value, strlen(value)));
  for (; *value; value++)
    assert((unsigned char)*value >= ' ' && *value != 0x7F);
}

static void check_parse(const char *text, size_t size, const char *name,
                        bool config) {
  struct errmsg err = {""};
  struct profile profile;
  bool done = profile_parse(&profile, text, size, name, config, &err);

  const char *const values[] = {
      profile.access_key, profile.secret_key, profile.session_token,
      profile.region,     profile.role_arn,   profile.web_identity_token_file};

  assert(done == !*err.text && !strchr(err.text, '\n'));
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    assert(done || !values[i]);
    check_value(values[i]);
  }
  profile_fini(&profile);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  check_parse((const char *)data, size, "default", false);
  check_parse((const char *)data, size, "a", true);
  return 0;
}
