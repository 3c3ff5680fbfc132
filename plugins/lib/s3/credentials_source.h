/* SPDX-License-Identifier: MIT
 *
 * For the files that are the providers: what each does to be found.
 */
#ifndef S3_CREDENTIALS_SOURCE_H
#define S3_CREDENTIALS_SOURCE_H

#include "credentials.h"

enum finding {
  FINDING_NONE, /* it isn't configured */
  FINDING_DONE, /* it is */
  FINDING_WRONG /* it is, wrongly: the message says how */
};

/* NULL where it is unset or empty. */
const char *credentials_env(const char *name);

enum finding credentials_profile_find(struct credentials_source *,
                                      const struct s3_conf *, struct errmsg *);
enum finding credentials_container_find(struct credentials_source *,
                                        const struct s3_conf *,
                                        struct errmsg *);
enum finding credentials_imds_find(struct credentials_source *,
                                   const struct s3_conf *, struct errmsg *);
/* Makes it one of the web identity. */
bool credentials_web_use(struct credentials_source *, const struct s3_conf *,
                         const char *token_file, const char *role,
                         struct errmsg *);
/* Nobody has any; `imds` says why that service, the last one, hasn't. */
void credentials_complain(struct errmsg *, const struct credentials_source *,
                          const char *imds);

/* "http://host/path" or https: the length of its host, which starts at *host,
 * without brackets; 0: it isn't one. */
size_t credentials_url_host(const char *url, const char **host);

#endif
