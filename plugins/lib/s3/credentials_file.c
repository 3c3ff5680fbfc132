/* SPDX-License-Identifier: MIT
 *
 * Profiles of the shared files.  A profile has keys, or a role to take on
 * with a web identity; the credentials file goes before the configuration.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "credentials_fetch.h"
#include "credentials_source.h"
#include "profile.h"

#define PATH_LENGTH_MAX 4096

struct places {
  struct buf file, config;
  const char *profile;
  bool named; /* the user says that there is one */
};

/* One that is named has to be there, AWS's own place may be empty. */
static void find_places(struct places *places, const struct s3_conf *conf) {
  const char *file = credentials_env("AWS_SHARED_CREDENTIALS_FILE");
  const char *config = credentials_env("AWS_CONFIG_FILE");
  const char *home = credentials_env("HOME");
  if (conf->credentials_file[0] != '\0')
    file = conf->credentials_file;
  places->profile = conf->profile[0] != '\0' ? conf->profile
                                             : credentials_env("AWS_PROFILE");
  places->named = file != NULL || places->profile != NULL;
  if (places->profile == NULL)
    places->profile = "default";
  buf_init(&places->file, PATH_LENGTH_MAX);
  buf_init(&places->config, PATH_LENGTH_MAX);
  buf_addf(&places->file, "%s%s", file == NULL && home != NULL ? home : "",
           file == NULL ? "/.aws/credentials" : file);
  buf_addf(&places->config, "%s%s", config == NULL && home != NULL ? home : "",
           config == NULL ? "/.aws/config" : config);
  if (file == NULL && access(places->file.data, R_OK) != 0)
    buf_clear(&places->file);
  if (access(places->config.data, R_OK) != 0)
    buf_clear(&places->config);
}

static enum finding load(struct profile *profile, const struct buf *file,
                         const char *name, bool config,
                         struct errmsg *errmsg) {
  if (file->len == 0)
    return FINDING_NONE;
  if (profile_load(profile, file->data, name, config, errmsg))
    return FINDING_DONE;
  return profile->missing ? FINDING_NONE : FINDING_WRONG;
}

static bool has_role(const struct profile *profile) {
  return profile->role_arn != NULL && profile->web_identity_token_file != NULL;
}

static bool has_keys(const struct profile *profile) {
  return profile->access_key != NULL && profile->secret_key != NULL;
}

static enum finding use_role(struct credentials_source *source,
                             const struct s3_conf *conf,
                             const struct profile *profile,
                             struct errmsg *errmsg) {
  return credentials_web_use(source, conf, profile->web_identity_token_file,
                             profile->role_arn, errmsg)
             ? FINDING_DONE
             : FINDING_WRONG;
}

static enum finding use_keys(struct credentials_source *source,
                             const struct places *places, bool config,
                             struct errmsg *errmsg) {
  source->kind = CREDENTIALS_FILE;
  source->config = config;
  source->file = strdup(config ? places->config.data : places->file.data);
  source->profile = strdup(places->profile);
  if (source->file != NULL && source->profile != NULL)
    return FINDING_DONE;
  errmsg_set(errmsg, "out of memory");
  return FINDING_WRONG;
}

/* Nothing that is whole: what is there of it? */
static enum finding credentials_file_miss(struct credentials_source *source,
                                          const struct places *places,
                                          bool found, struct errmsg *errmsg) {
  struct errmsg why = {""};
  if (found)
    errmsg_set(&why, "profile '%.100s' has no access key with a secret",
               places->profile);
  else
    errmsg_set(&why, "no profile '%.100s' in %.120s", places->profile,
               places->file.len > 0     ? places->file.data
               : places->config.len > 0 ? places->config.data
                                        : "~/.aws/credentials");
  if (places->named) {
    errmsg_set(errmsg, "%s: add it, or name another", why.text);
    return FINDING_WRONG;
  }
  source->missed = strdup(why.text);
  return FINDING_NONE;
}

static enum finding
choose(struct credentials_source *source, const struct s3_conf *conf,
       const struct places *places, const struct profile *shared,
       const struct profile *config, bool found, struct errmsg *errmsg) {
  if (has_role(shared))
    return use_role(source, conf, shared, errmsg);
  if (has_role(config))
    return use_role(source, conf, config, errmsg);
  if (has_keys(shared))
    return use_keys(source, places, false, errmsg);
  if (has_keys(config))
    return use_keys(source, places, true, errmsg);
  return credentials_file_miss(source, places, found, errmsg);
}

enum finding credentials_profile_find(struct credentials_source *source,
                                      const struct s3_conf *conf,
                                      struct errmsg *errmsg) {
  struct places places;
  struct profile shared = {0}, config = {0};
  find_places(&places, conf);
  enum finding one =
      load(&shared, &places.file, places.profile, false, errmsg);
  enum finding other = FINDING_WRONG;
  if (one != FINDING_WRONG)
    other = load(&config, &places.config, places.profile, true, errmsg);
  enum finding finding = FINDING_WRONG;
  if (one != FINDING_WRONG && other != FINDING_WRONG)
    finding = choose(source, conf, &places, &shared, &config,
                     one == FINDING_DONE || other == FINDING_DONE, errmsg);
  profile_fini(&shared);
  profile_fini(&config);
  buf_fini(&places.file);
  buf_fini(&places.config);
  return finding;
}

static bool read_profile(struct credentials_fetch *fetch) {
  const struct credentials_source *source = fetch->source;
  struct profile profile = {0};
  struct errmsg why = {""};
  bool good = profile_load(&profile, source->file, source->profile,
                           source->config, &why);
  if (!good)
    errmsg_set(&fetch->why, "can't be read: %s", why.text);
  else if (!credentials_set(&fetch->got, profile.access_key,
                            profile.secret_key, profile.session_token))
    good = errmsg_set(&fetch->why,
                      "'%.100s' of %.200s has no access key with a secret "
                      "that can be used",
                      source->profile, source->file);
  profile_fini(&profile);
  return good;
}

const struct credentials_provider credentials_file = {.read = read_profile};
