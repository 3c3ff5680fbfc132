/* SPDX-License-Identifier: MIT
 *
 * The shared credentials and configuration files of AWS's tools
 * (~/.aws/credentials, ~/.aws/config): INI with profiles.
 */
#ifndef S3_PROFILE_H
#define S3_PROFILE_H

#include "errmsg.h"

#define PROFILE_FILE_MAX (1u << 20)

struct profile { /* owned texts; NULL where they aren't set */
  char *access_key, *secret_key, *session_token, *region;
  char *role_arn, *web_identity_token_file;
  bool missing; /* it failed as the file has no such profile */
};

/* From the text of a file.  `config`: its sections are "profile NAME" but for
 * "default".  False: no such profile, or malformed (line in the message). */
bool profile_parse(struct profile *, const char *text, size_t len,
                   const char *name, bool config, struct errmsg *);
bool profile_load(struct profile *, const char *file, const char *name,
                  bool config, struct errmsg *);
void profile_fini(struct profile *); /* wipes the secrets */

#endif
