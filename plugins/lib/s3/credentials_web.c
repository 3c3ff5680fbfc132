/* SPDX-License-Identifier: MIT
 *
 * A role, taken on with a token that the platform writes into a file: STS
 * AssumeRoleWithWebIdentity.  The token is in the body, as addresses are
 * logged.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "credentials_fetch.h"
#include "credentials_source.h"
#include "credentials_sts.h"
#include "date.h"

#define TOTAL_MS 15000

/* It becomes part of a host's name. */
static bool is_region(const char *region) {
  size_t len = strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-");
  return len > 0 && region[len] == '\0';
}

static bool credentials_web_set_url(struct credentials_source *source,
                                    const struct s3_conf *conf,
                                    struct errmsg *errmsg) {
  const char *named = credentials_env("AWS_ENDPOINT_URL_STS"), *host;
  struct buf url;
  buf_init(&url, 1024);
  if (named != NULL && credentials_url_host(named, &host) == 0)
    return errmsg_set(errmsg, "AWS_ENDPOINT_URL_STS isn't http://host or "
                              "https://host");
  if (named == NULL && !is_region(conf->region))
    return errmsg_set(errmsg, "'region' is no region of AWS: set it, or "
                              "AWS_ENDPOINT_URL_STS");
  if (named != NULL)
    buf_addf(&url, "%s%s", named, host[strcspn(host, "/?")] ? "" : "/");
  else
    buf_addf(&url, "https://sts.%s.amazonaws.com%s/", conf->region,
             strncmp(conf->region, "cn-", 3) == 0 ? ".cn" : "");
  source->url = buf_take(&url);
  return source->url != NULL ||
         errmsg_set(errmsg, "AWS_ENDPOINT_URL_STS is too long");
}

/* A session's name is in the log of whoever grants the role. */
static bool set_session(struct credentials_source *source,
                        struct errmsg *errmsg) {
  const char *named = credentials_env("AWS_ROLE_SESSION_NAME");
  struct buf name;
  buf_init(&name, 64);
  if (named == NULL)
    buf_addf(&name, "sluice-%lld", (long long)(date_now_ms() / 1000));
  else
    buf_adds(&name, named);
  size_t len = 0;
  while (len < name.len && (isalnum((unsigned char)name.data[len]) ||
                            strchr("_+=,.@-", name.data[len]) != NULL))
    len++;
  bool good = !name.overflown && len == name.len && len >= 2;
  source->session = good ? buf_take(&name) : NULL;
  buf_fini(&name);
  return source->session != NULL ||
         errmsg_set(errmsg, "AWS_ROLE_SESSION_NAME must be 2 to 64 letters, "
                            "digits or _+=,.@-");
}

bool credentials_web_use(struct credentials_source *source,
                         const struct s3_conf *conf, const char *token_file,
                         const char *role, struct errmsg *errmsg) {
  source->kind = CREDENTIALS_WEB;
  source->http =
      (struct httpc_settings){.connect_timeout_ms = conf->connect_timeout_ms,
                              .total_timeout_ms = TOTAL_MS,
                              .connections = 1,
                              .proxy = conf->proxy,
                              .ca_file = conf->ca_file,
                              .verify = conf->verify};
  source->token_file = strdup(token_file);
  source->role = strdup(role);
  if (source->token_file == NULL || source->role == NULL)
    return errmsg_set(errmsg, "out of memory");
  return credentials_web_set_url(source, conf, errmsg) &&
         set_session(source, errmsg);
}

static bool credentials_web_read_token(struct credentials_fetch *fetch) {
  struct errmsg why = {""};
  return credentials_read(&fetch->token, fetch->source->token_file, &why) ||
         errmsg_set(&fetch->why, "can't be asked: %s", why.text);
}

static void add(struct buf *body, const char *name, const char *value) {
  buf_addf(body, "&%s=", name);
  codec_percent(body, value, strlen(value), CODEC_UNRESERVED);
}

static void credentials_web_ask(struct credentials_fetch *fetch) {
  const struct credentials_source *source = fetch->source;
  fetch->method = "POST";
  fetch->has_body = true;
  buf_adds(&fetch->url, source->url);
  credentials_header(fetch, "Content-Type",
                     "application/x-www-form-urlencoded");
  buf_adds(&fetch->body,
           "Action=AssumeRoleWithWebIdentity&Version=2011-06-15");
  add(&fetch->body, "RoleArn", source->role);
  add(&fetch->body, "RoleSessionName", source->session);
  add(&fetch->body, "WebIdentityToken", fetch->token.data);
}

static enum credentials_step
credentials_web_adopt(struct credentials_fetch *fetch, const struct sts *sts) {
  int status = httpc_status(fetch->call);
  if (status < 200 || status > 299) {
    const char *code = sts->texts[STS_CODE].data;
    enum credentials_step step = credentials_refused(fetch, code);
    /* The one among STS's errors that says to try again. */
    fetch->again |= strcmp(code, "IDPCommunicationError") == 0;
    return step;
  }
  if (!sts->good)
    errmsg_set(&fetch->why, "answers with what isn't XML of STS");
  else if (!credentials_set(&fetch->got, sts->texts[STS_ACCESS_KEY].data,
                            sts->texts[STS_SECRET_KEY].data,
                            sts->texts[STS_TOKEN].data) ||
           fetch->got.session_token == NULL)
    errmsg_set(&fetch->why, "answers without credentials that can be used");
  else if (credentials_expire(fetch, sts->texts[STS_EXPIRATION].data))
    return CREDENTIALS_DONE;
  return CREDENTIALS_FAILED;
}

static enum credentials_step
credentials_web_hear(struct credentials_fetch *fetch) {
  struct sts sts;
  sts_read(&sts, fetch->answer.data, fetch->answer.len);
  enum credentials_step step = credentials_web_adopt(fetch, &sts);
  sts_fini(&sts);
  return step;
}

const struct credentials_provider credentials_web = {
    .read = credentials_web_read_token,
    .ask = credentials_web_ask,
    .hear = credentials_web_hear};
