/* SPDX-License-Identifier: MIT
 *
 * The keys that requests are signed with, and where they come from: found out
 * once, when a backend starts, and read by all of its loops.
 */
#ifndef S3_CREDENTIALS_H
#define S3_CREDENTIALS_H

#include <sluice/plugin.h>

#include "errmsg.h"
#include "httpc.h"
#include "s3.h"

#define CREDENTIALS_ID_MAX 256 /* bytes */
#define CREDENTIALS_TOKEN_MAX 8192

struct credentials { /* owned texts */
  char *access_key, *secret_key;
  char *session_token; /* NULL: none */
  int64_t expires_ms;  /* since 1970; 0: never */
};

/* Copies; "" is NULL.  False, and none set: one is missing, too long, or no
 * text for a header. */
bool credentials_set(struct credentials *, const char *access_key,
                     const char *secret_key, const char *session_token);
bool credentials_copy(struct credentials *, const struct credentials *);
bool credentials_same(const struct credentials *, const struct credentials *);
void credentials_fini(struct credentials *); /* wipes them */
void credentials_wipe(char *text);           /* frees it too; NULL: nothing */

enum credentials_kind { /* in the order in which they are looked for */
                        CREDENTIALS_OPTIONS,
                        CREDENTIALS_ENVIRONMENT,
                        CREDENTIALS_WEB, /* STS, with a web identity token */
                        CREDENTIALS_FILE,
                        CREDENTIALS_CONTAINER,
                        CREDENTIALS_IMDS
};

/* When they are asked for again. */
struct credentials_timing {
  int64_t lead_ms;   /* before they expire */
  int64_t jitter_ms; /* less up to so much, so that not all ask at once */
  int64_t retry_ms;  /* after a failure, doubled with each */
  int64_t retry_max_ms;
  int64_t reread_ms; /* between two readings of a file */
  int64_t wait_ms;   /* of a request whose credentials have expired */
};

struct credentials_source { /* owned texts; NULL where the kind has none */
  enum credentials_kind kind;
  struct credentials fixed; /* options, environment */
  char *url;                /* web, container, IMDS: where to ask */
  char *token_file;         /* web, container */
  char *token;              /* container: of Authorization */
  char *role, *session;     /* web */
  char *file, *profile;     /* file */
  bool config;              /* file: it is the configuration's */
  char *missed;             /* why there was no profile, for a message */
  struct httpc_settings http;
  struct credentials_timing timing;
};

/* Looks into the options, the environment and the shared files; asks nobody.
 * False and why. */
bool credentials_source_find(struct credentials_source *,
                             const struct s3_conf *, struct errmsg *);
void credentials_source_fini(struct credentials_source *);
const char *credentials_source_name(const struct credentials_source *);
/* Can there be others later? */
bool credentials_source_renews(const struct credentials_source *);

/* The first ones of a backend that starts; blocks. */
bool credentials_first(struct credentials *, const struct credentials_source *,
                       struct sluice_host *, struct errmsg *);

#endif
