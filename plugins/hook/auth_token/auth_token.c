/* SPDX-License-Identifier: MIT
 *
 * Admits who has a key of the file of tokens, sluice-auth_token(7).  Between
 * the two phases a request keeps the key's hash, not its row: what was revoked
 * while an upload came in is found missing at its end.
 */
#include <sluice/plugin.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "challenge.h"
#include "codec.h"
#include "credential.h"
#include "date.h"
#include "exposure_tell.h"
#include "token.h"
#include "tokens.h"
#include "watch.h"

struct conf {
  const char *file, *header, *realm;
  int64_t interval;
};

struct instance {
  const struct conf *conf; /* lives as long as the gateway */
  struct watch_file file;
  struct watch_told told;
};

struct handle {
  const struct conf *conf;
  struct sluice_host *host;
  struct watch *watch;
};

struct caller { /* what a request keeps */
  bool known;
  unsigned char hash[DIGEST_SHA256_LEN];
  char identity[TOKENS_IDENTITY_MAX + 1];
  const char *why; /* of a 401, for the challenge */
};

static const struct sluice_option options[] = {
    {"file", SLUICE_STRING, NULL, offsetof(struct conf, file),
     "the file of tokens"},
    {"header", SLUICE_STRING, "", offsetof(struct conf, header),
     "a header that may have the key, beside Authorization: Bearer"},
    {"realm", SLUICE_STRING, "Sluice", offsetof(struct conf, realm),
     "what the keys are for: said in WWW-Authenticate"},
    {"interval", SLUICE_TIME, "5s", offsetof(struct conf, interval),
     "how often to look whether the file changed; 0: at SIGHUP only"},
    {NULL, 0, NULL, 0, NULL}};

/* ---- who is it? --------------------------------------------------------- */

static const struct token *auth_token_find(const struct handle *handle,
                                           const char *key,
                                           struct caller *caller) {
  digest_sha256(caller->hash, key, strlen(key));
  return tokens_find(watch_get(handle->watch), caller->hash);
}

/* If both headers have a key, that of the configured one is tried first; one
 * that isn't known may be for another hook. */
static const struct token *find_caller(const struct handle *handle,
                                       struct sluice_request *request,
                                       struct caller *caller) {
  const struct token *token = NULL;
  const char *key = NULL;
  if (*handle->conf->header != '\0')
    key = sluice_request_header(request, handle->conf->header);
  if (key != NULL) {
    caller->why = "The key isn't known";
    if (credential_token(key, TOKENS_KEY_MAX))
      token = auth_token_find(handle, key, caller);
  }
  if (token != NULL)
    return token;
  switch (credential_bearer(sluice_request_header(request, "Authorization"),
                            TOKENS_KEY_MAX, &key)) {
  case CREDENTIAL_NONE:
    return NULL;
  case CREDENTIAL_BAD:
    caller->why = "The token isn't one, or too long";
    return NULL;
  case CREDENTIAL_GOOD:
    caller->why = "The token isn't known";
    return auth_token_find(handle, key, caller);
  }
  return NULL;
}

static enum sluice_verdict auth_token_refuse(struct sluice_request *request,
                                             struct caller *caller,
                                             const char *why) {
  caller->why = why;
  sluice_request_refuse(request, SLUICE_EAUTH, why);
  return SLUICE_DENY;
}

static bool is_over(const struct token *token) {
  return token->expires_s != TOKENS_FOREVER &&
         date_now_ms() / 1000 >= token->expires_s;
}

static enum sluice_verdict
auth_token_on_request(void *arg, struct sluice_request *request) {
  const struct handle *handle = arg;
  struct caller *caller = sluice_request_state(request, sizeof *caller);
  const struct token *token = find_caller(handle, request, caller);
  if (token == NULL)
    return SLUICE_PASS;
  caller->known = true;
  if (is_over(token))
    return auth_token_refuse(request, caller, "The token has expired");
  if (!grants_allow(&token->grants, sluice_request_operation(request))) {
    sluice_request_refuse(request, SLUICE_EDENIED,
                          "The token doesn't permit this operation");
    return SLUICE_DENY;
  }
  if (!sluice_request_identify(request, token->identity))
    return auth_token_refuse(request, caller,
                             "The token has no usable identity");
  snprintf(caller->identity, sizeof caller->identity, "%s", token->identity);
  caller->why = NULL;
  grants_show(&token->grants, request);
  return SLUICE_ALLOW;
}

static enum sluice_verdict auth_token_on_key(void *arg,
                                             struct sluice_request *request) {
  const struct handle *handle = arg;
  struct caller *caller = sluice_request_state(request, sizeof *caller);
  if (!caller->known)
    return SLUICE_PASS;
  const struct token *token =
      tokens_find(watch_get(handle->watch), caller->hash);
  if (token == NULL || strcmp(token->identity, caller->identity) != 0)
    return auth_token_refuse(request, caller, "The token was revoked");
  if (is_over(token))
    return auth_token_refuse(request, caller, "The token has expired");
  if (grants_allow(&token->grants, sluice_request_operation(request)) &&
      grants_reach(&token->grants, token->identity,
                   sluice_request_key(request)))
    return SLUICE_PASS;
  sluice_request_refuse(request, SLUICE_EDENIED,
                        "The token doesn't reach this key");
  return SLUICE_DENY;
}

static void auth_token_on_response(void *arg, struct sluice_request *request) {
  const struct handle *handle = arg;
  const struct caller *caller = sluice_request_state(request, sizeof *caller);
  if (sluice_request_status(request) == 401)
    challenge_bearer(request, handle->conf->realm,
                     caller->why == NULL ? NULL : "invalid_token",
                     caller->why);
}

static void auth_token_reload(void *arg) {
  const struct handle *handle = arg;
  watch_now(handle->watch);
}

/* ---- its life ----------------------------------------------------------- */

static void *auth_token_parse(const char *data, size_t len, void *arg,
                              struct errmsg *err) {
  const struct instance *instance = arg;
  return tokens_parse(instance->conf->file, data, len, err);
}

static void free_tokens(void *parsed) {
  tokens_free(parsed);
}

/* Authorization is always read; a scheme is asked for there. */
static bool is_header(const char *name) {
  size_t len = strlen(name);
  for (size_t i = 0; i < len; i++)
    if (!token_char((unsigned char)name[i]))
      return false;
  return len <= 64 && !codec_same(name, len, "Authorization") &&
         !codec_same(name, len, "Host");
}

static bool auth_token_check(const struct conf *conf,
                             struct sluice_host *host) {
  const char *fault = challenge_realm_fault(conf->realm);
  if (fault != NULL)
    sluice_fail(host, "realm %s", fault);
  else if (!is_header(conf->header))
    sluice_fail(host, "header '%.64s' can't have a key; name one as X-Api-Key",
                conf->header);
  else if (conf->interval < 0 || conf->interval > INT64_C(86400000))
    sluice_fail(host, "interval is longer than 24h; shorten it");
  else
    return true;
  return false;
}

static void *auth_token_start(const void *conf, struct sluice_host *host) {
  struct instance *instance = calloc(1, sizeof *instance);
  struct errmsg err = {""};
  if (instance == NULL) {
    sluice_fail(host, "out of memory");
    return NULL;
  }
  instance->conf = conf;
  if (!auth_token_check(conf, host))
    goto out;
  instance->file = (struct watch_file){.path = instance->conf->file,
                                       .max = TOKENS_FILE_MAX,
                                       .interval_ms = instance->conf->interval,
                                       .parse = auth_token_parse,
                                       .free = free_tokens,
                                       .arg = instance,
                                       .told = &instance->told};
  struct tokens *tokens = watch_read(&instance->file, &err);
  if (tokens == NULL) {
    sluice_fail(host, "%s", err.text);
    goto out;
  }
  if (tokens->count == 0)
    sluice_log(host, SLUICE_LOG_WARN, "%s has no token: nobody is admitted",
               instance->conf->file);
  tokens_free(tokens);
  exposure_tell(host, instance->conf->file, EXPOSURE_SECRET);
  return instance;
out:
  free(instance);
  return NULL;
}

static void auth_token_stop(void *instance) {
  free(instance);
}

static void *auth_token_open(void *arg, struct sluice_host *host) {
  struct instance *instance = arg;
  struct handle *handle = calloc(1, sizeof *handle);
  struct errmsg err = {"out of memory"};
  struct tokens *tokens = NULL;
  if (handle != NULL)
    tokens = watch_read(&instance->file, &err);
  if (tokens != NULL) {
    *handle = (struct handle){.conf = instance->conf, .host = host};
    handle->watch = watch_new(host, &instance->file, tokens);
    if (handle->watch != NULL)
      return handle;
    errmsg_set(&err, "out of memory");
  }
  sluice_fail(host, "%s", err.text);
  free(handle);
  return NULL;
}

static void auth_token_close(void *arg) {
  struct handle *handle = arg;
  watch_free(handle->watch);
  free(handle);
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "auth_token",
    .version = SLUICE_VERSION,
    .summary = "admits who has a key of a file of tokens",
    .options = options,
    .conf_size = sizeof(struct conf),
    .guards = true,
    .start = auth_token_start,
    .stop = auth_token_stop,
    .open = auth_token_open,
    .close = auth_token_close,
    .on_request = auth_token_on_request,
    .on_key = auth_token_on_key,
    .on_response = auth_token_on_response,
    .reload = auth_token_reload,
};

SLUICE_REACH({"file", SLUICE_REACH_READ, NULL})
SLUICE_HOOK(auth_token, hook)
