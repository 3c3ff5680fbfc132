/* SPDX-License-Identifier: MIT
 *
 * Finds the provider, in the order that AWS's own tools have.  The first
 * one that is configured is the one: where it fails, no later one stands in
 * with keys that nobody meant.
 */
#include "credentials_source.h"

#include <stdlib.h>
#include <string.h>

#include "date.h"

static const struct credentials_timing timing = {.lead_ms = 5 * 60 * 1000,
                                                 .jitter_ms = 60 * 1000,
                                                 .retry_ms = 1000,
                                                 .retry_max_ms = 60 * 1000,
                                                 .reread_ms = 100,
                                                 .wait_ms = 20 * 1000};

const char *credentials_env(const char *name) {
  const char *text = getenv(name);
  return text == NULL || text[0] == '\0' ? NULL : text;
}

static enum finding wrong(struct errmsg *errmsg, const char *text) {
  errmsg_set(errmsg, "%s", text);
  return FINDING_WRONG;
}

static enum finding find_options(struct credentials_source *source,
                                 const struct s3_conf *conf,
                                 struct errmsg *errmsg) {
  source->kind = CREDENTIALS_OPTIONS;
  if (conf->access_key[0] == '\0' && conf->secret_key[0] == '\0')
    return FINDING_NONE;
  if (conf->access_key[0] == '\0' || conf->secret_key[0] == '\0')
    return wrong(errmsg, "'access_key' and 'secret_key' go together: one of "
                         "them is missing");
  if (credentials_set(&source->fixed, conf->access_key, conf->secret_key,
                      conf->session_token))
    return FINDING_DONE;
  return wrong(errmsg, "'access_key', 'secret_key' or 'session_token' is too "
                       "long or has a blank: copy it anew");
}

static enum finding find_environment(struct credentials_source *source,
                                     const struct s3_conf *conf,
                                     struct errmsg *errmsg) {
  const char *id = credentials_env("AWS_ACCESS_KEY_ID");
  const char *secret = credentials_env("AWS_SECRET_ACCESS_KEY");
  source->kind = CREDENTIALS_ENVIRONMENT;
  if (conf->profile[0] != '\0' || id == NULL)
    return FINDING_NONE;
  if (secret == NULL)
    return wrong(errmsg, "AWS_ACCESS_KEY_ID is set, and "
                         "AWS_SECRET_ACCESS_KEY isn't: set both");
  if (credentials_set(&source->fixed, id, secret,
                      credentials_env("AWS_SESSION_TOKEN")))
    return FINDING_DONE;
  return wrong(errmsg, "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or "
                       "AWS_SESSION_TOKEN is too long or has a blank: set it "
                       "anew");
}

static enum finding find_web(struct credentials_source *source,
                             const struct s3_conf *conf,
                             struct errmsg *errmsg) {
  const char *file = credentials_env("AWS_WEB_IDENTITY_TOKEN_FILE");
  const char *role = credentials_env("AWS_ROLE_ARN");
  if (conf->profile[0] != '\0' || file == NULL)
    return FINDING_NONE;
  if (role == NULL)
    return wrong(errmsg, "AWS_WEB_IDENTITY_TOKEN_FILE is set, and "
                         "AWS_ROLE_ARN isn't: set both");
  return credentials_web_use(source, conf, file, role, errmsg) ? FINDING_DONE
                                                               : FINDING_WRONG;
}

bool credentials_source_find(struct credentials_source *source,
                             const struct s3_conf *conf,
                             struct errmsg *errmsg) {
  static enum finding (*const order[])(
      struct credentials_source *, const struct s3_conf *,
      struct errmsg *) = {find_options,
                          find_environment,
                          find_web,
                          credentials_profile_find, /* of both kinds */
                          credentials_container_find,
                          credentials_imds_find};
  enum finding finding = FINDING_NONE;
  *source = (struct credentials_source){.timing = timing};
  for (size_t i = 0;
       finding == FINDING_NONE && i < sizeof order / sizeof *order; i++)
    finding = order[i](source, conf, errmsg);
  if (finding == FINDING_DONE)
    return true;
  if (finding == FINDING_NONE)
    credentials_complain(errmsg, source, "is turned off");
  credentials_source_fini(source);
  return false;
}

void credentials_complain(struct errmsg *errmsg,
                          const struct credentials_source *source,
                          const char *imds) {
  errmsg_set(errmsg,
             "no credentials: none in 'access_key', AWS_ACCESS_KEY_ID, "
             "AWS_WEB_IDENTITY_TOKEN_FILE, a profile (%.120s), nor "
             "AWS_CONTAINER_CREDENTIALS_FULL_URI, and the instance metadata "
             "service %.120s; set 'access_key' and 'secret_key', or one of "
             "these",
             source->missed == NULL ? "not looked for" : source->missed, imds);
}

void credentials_source_fini(struct credentials_source *source) {
  credentials_fini(&source->fixed);
  credentials_wipe(source->token);
  free(source->url);
  free(source->token_file);
  free(source->role);
  free(source->session);
  free(source->file);
  free(source->profile);
  free(source->missed);
  *source = (struct credentials_source){0};
}

const char *credentials_source_name(const struct credentials_source *source) {
  switch (source->kind) {
  case CREDENTIALS_OPTIONS:
    return "the options";
  case CREDENTIALS_ENVIRONMENT:
    return "the environment";
  case CREDENTIALS_WEB:
    return "STS (web identity)";
  case CREDENTIALS_FILE:
    return "the profile";
  case CREDENTIALS_CONTAINER:
    return "the container's service";
  case CREDENTIALS_IMDS:
    return "the instance metadata service";
  }
  return "";
}

bool credentials_source_renews(const struct credentials_source *source) {
  return source->kind != CREDENTIALS_OPTIONS &&
         source->kind != CREDENTIALS_ENVIRONMENT;
}
