/* SPDX-License-Identifier: MIT
 *
 * The instance metadata service of EC2, version 2 only: a token, the name of
 * the instance's role, and the role's keys.
 */
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "credentials_fetch.h"
#include "credentials_source.h"

#define CONNECT_MS 1000 /* elsewhere than on EC2, nobody listens */
#define TOTAL_MS 2000
#define TOKEN_SECONDS "300" /* it serves one round */
#define ROLE_MAX 64
#define ROLES "/latest/meta-data/iam/security-credentials/"

enum { STEP_TOKEN, STEP_ROLE, STEP_KEYS };

enum finding credentials_imds_find(struct credentials_source *source,
                                   const struct s3_conf *conf,
                                   struct errmsg *errmsg) {
  const char *off = credentials_env("AWS_EC2_METADATA_DISABLED");
  const char *url = credentials_env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  const char *host;
  (void)conf;
  if (off != NULL && codec_same(off, strlen(off), "true"))
    return FINDING_NONE;
  source->kind = CREDENTIALS_IMDS;
  source->http = (struct httpc_settings){.connect_timeout_ms = CONNECT_MS,
                                         .total_timeout_ms = TOTAL_MS,
                                         .connections = 1,
                                         .proxy = "",
                                         .ca_file = "",
                                         .verify = true};
  if (url == NULL)
    url = "http://169.254.169.254";
  if (credentials_url_host(url, &host) == 0 || strchr(host, '?') != NULL) {
    errmsg_set(errmsg, "AWS_EC2_METADATA_SERVICE_ENDPOINT isn't http://host");
    return FINDING_WRONG;
  }
  size_t len = strlen(url);
  source->url = strndup(url, len - (url[len - 1] == '/'));
  if (source->url != NULL)
    return FINDING_DONE;
  errmsg_set(errmsg, "out of memory");
  return FINDING_WRONG;
}

static void credentials_imds_ask(struct credentials_fetch *fetch) {
  const char *base = fetch->source->url;
  if (fetch->step == STEP_TOKEN) {
    fetch->method = "PUT";
    fetch->has_body = true; /* an empty one */
    buf_addf(&fetch->url, "%s/latest/api/token", base);
    credentials_header(fetch, "X-aws-ec2-metadata-token-ttl-seconds",
                       TOKEN_SECONDS);
    return;
  }
  buf_addf(&fetch->url, "%s" ROLES "%s", base,
           fetch->step == STEP_ROLE ? "" : fetch->role);
  credentials_header(fetch, "X-aws-ec2-metadata-token", fetch->token.data);
}

/* The first line of the answer; 0: it isn't one of such letters. */
static size_t line_of(const struct buf *answer, const char *more, size_t max) {
  size_t len = strcspn(answer->data, "\r\n");
  for (size_t i = 0; i < len; i++)
    if (answer->data[i] <= ' ' || answer->data[i] > '~' ||
        strchr(more, answer->data[i]) != NULL)
      return 0;
  return len <= max ? len : 0;
}

static enum credentials_step hear_token(struct credentials_fetch *fetch) {
  size_t len = line_of(&fetch->answer, "", 1024);
  buf_clear(&fetch->token);
  buf_add(&fetch->token, fetch->answer.data, len);
  if (len > 0)
    return CREDENTIALS_MORE;
  errmsg_set(&fetch->why, "answers with what is no token");
  return CREDENTIALS_FAILED;
}

static enum credentials_step hear_role(struct credentials_fetch *fetch) {
  size_t len = line_of(&fetch->answer, "/?#%\\", ROLE_MAX);
  memcpy(fetch->role, fetch->answer.data, len);
  fetch->role[len] = '\0';
  if (len > 0)
    return CREDENTIALS_MORE;
  errmsg_set(&fetch->why, "answers with what is no name of a role");
  return CREDENTIALS_FAILED;
}

static enum credentials_step
credentials_imds_hear(struct credentials_fetch *fetch) {
  int status = httpc_status(fetch->call);
  if (status == 404 && fetch->step == STEP_ROLE) {
    errmsg_set(&fetch->why, "has no role for this instance: attach one");
    return CREDENTIALS_FAILED;
  }
  if (status != 200)
    return credentials_refused(fetch, "");
  if (fetch->step == STEP_TOKEN)
    return hear_token(fetch);
  return fetch->step == STEP_ROLE ? hear_role(fetch) : credentials_json(fetch);
}

const struct credentials_provider credentials_imds = {
    .ask = credentials_imds_ask,
    .hear = credentials_imds_hear,
    .optional = true};
