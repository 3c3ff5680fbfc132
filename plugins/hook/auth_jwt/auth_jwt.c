/* SPDX-License-Identifier: MIT
 *
 * The hook auth_jwt: admits who brings a token (RFC 7519) that an issuer
 * signed, as sluice-auth_jwt(7) says.
 *
 * A token is verified on the loop: it costs less than a hand-over to a thread
 * would.  What takes longer, keys that aren't here, is waited for.
 */
#include <stdlib.h>
#include <string.h>

#include "challenge.h"
#include "credential.h"
#include "date.h"
#include "exposure_tell.h"
#include "httpc.h"
#include "jwtcache.h"
#include "jwtconf.h"

struct handle {
  struct sluice_host *host;
  struct jwtsetup *setup;
  struct issuer *issuer;
  struct jwtcache *cache;
};

struct state { /* of a request */
  struct handle *handle;
  struct sluice_request *request;
  struct bearer *bearer; /* whose token was good, or NULL */
  const char *error;     /* of RFC 6750, section 3.1, or NULL */
  const char *why;
  struct issuer_waiter waiter;
};

static struct state *state_of(struct sluice_request *request) {
  return sluice_request_state(request, sizeof(struct state));
}

/* ---- verdicts ----------------------------------------------------------- */

static enum sluice_verdict auth_jwt_refuse(struct state *state,
                                           enum sluice_status status,
                                           const char *error,
                                           const char *why) {
  state->error = error;
  state->why = why;
  sluice_request_refuse(state->request, status, why);
  return SLUICE_DENY;
}

static enum sluice_verdict refuse_token(struct state *state, const char *why) {
  sluice_log(state->handle->host, SLUICE_LOG_DEBUG, "%s: %s",
             sluice_request_id(state->request), why);
  return auth_jwt_refuse(state, SLUICE_EAUTH, "invalid_token", why);
}

static enum sluice_verdict no_keys(struct state *state) {
  return auth_jwt_refuse(
      state, SLUICE_EBUSY, NULL,
      "Tokens can't be verified at the moment; try again later");
}

static enum sluice_verdict auth_jwt_admit(struct state *state,
                                          struct bearer *bearer) {
  struct sluice_request *request = state->request;
  state->bearer = bearer_hold(bearer);
  if (!sluice_request_identify(request, bearer->identity))
    return refuse_token(state, "The token's identity can't be used");
  grants_show(&bearer->grants, request);
  if (grants_allow(&bearer->grants, sluice_request_operation(request)))
    return SLUICE_ALLOW;
  return auth_jwt_refuse(state, SLUICE_EDENIED, "insufficient_scope",
                         "The token does not permit this operation");
}

/* ---- a token ------------------------------------------------------------ */

static enum sluice_verdict decide(struct state *state, bool may_wait);

static void wake(void *arg) {
  struct state *state = arg;
  sluice_request_resume(state->request, decide(state, false));
}

static bool wait_for_keys(struct state *state) {
  return issuer_wait(state->handle->issuer, &state->waiter, wake, state);
}

/* NULL, or why it is refused; *unknown: as its key isn't here. */
static const char *verify(struct handle *handle, const struct jwks *keys,
                          const char *token, struct bearer **bearer,
                          bool *unknown) {
  struct jws jws;
  const char *fault = jws_parse(&jws, token, strlen(token));
  if (fault == NULL && (handle->setup->algorithms & JWA_BIT(jws.alg)) == 0)
    fault = "The token's alg is not accepted here";
  if (fault == NULL)
    switch (jwks_verify(keys, &jws)) {
    case JWKS_SIGNED:
      fault = claims_read(&handle->setup->policy, &jws, date_now_ms() / 1000,
                          bearer);
      break;
    case JWKS_FORGED:
      fault = "The token's signature does not verify";
      break;
    case JWKS_NO_KEY:
      *unknown = true;
      fault = "The token's key is not known";
      break;
    }
  jws_fini(&jws);
  return fault;
}

static enum sluice_verdict auth_jwt_judge(struct state *state,
                                          const struct jwks *keys,
                                          const char *token, bool may_wait) {
  struct handle *handle = state->handle;
  unsigned char digest[DIGEST_SHA256_LEN];
  struct bearer *bearer = NULL;
  bool unknown = false;
  jwtcache_keys(handle->cache, keys->digest);
  digest_sha256(digest, token, strlen(token));
  struct bearer *known =
      jwtcache_get(handle->cache, digest, date_now_ms() / 1000);
  if (known != NULL)
    return auth_jwt_admit(state, known);
  const char *fault = verify(handle, keys, token, &bearer, &unknown);
  if (unknown && may_wait && wait_for_keys(state))
    return SLUICE_WAIT;
  if (fault != NULL)
    return refuse_token(state, fault);
  jwtcache_add(handle->cache, digest, bearer);
  enum sluice_verdict verdict = auth_jwt_admit(state, bearer);
  bearer_drop(bearer);
  return verdict;
}

/* A token without a dot is of another kind, which another hook may know. */
static enum sluice_verdict decide(struct state *state, bool may_wait) {
  const char *token = NULL;
  switch (
      credential_bearer(sluice_request_header(state->request, "Authorization"),
                        JWS_TOKEN_MAX, &token)) {
  case CREDENTIAL_NONE:
    return SLUICE_PASS;
  case CREDENTIAL_BAD:
    return refuse_token(state, "The token is too long, or not written as it "
                               "has to be");
  case CREDENTIAL_GOOD:
    break;
  }
  if (strchr(token, '.') == NULL)
    return SLUICE_PASS;
  const struct jwks *keys = issuer_keys(state->handle->issuer);
  if (keys != NULL)
    return auth_jwt_judge(state, keys, token, may_wait);
  return may_wait && wait_for_keys(state) ? SLUICE_WAIT : no_keys(state);
}

/* ---- phases ------------------------------------------------------------- */

static enum sluice_verdict
auth_jwt_on_request(void *handle, struct sluice_request *request) {
  struct state *state = state_of(request);
  state->handle = handle;
  state->request = request;
  return decide(state, true);
}

static enum sluice_verdict auth_jwt_on_key(void *handle,
                                           struct sluice_request *request) {
  const struct bearer *bearer = state_of(request)->bearer;
  (void)handle;
  if (bearer != NULL && date_now_ms() / 1000 >= bearer->until_s)
    return refuse_token(state_of(request), "The token has expired");
  if (bearer == NULL ||
      (grants_allow(&bearer->grants, sluice_request_operation(request)) &&
       grants_reach(&bearer->grants, bearer->identity,
                    sluice_request_key(request))))
    return SLUICE_PASS;
  return auth_jwt_refuse(state_of(request), SLUICE_EDENIED,
                         "insufficient_scope",
                         "The token does not reach this key");
}

static void auth_jwt_on_response(void *arg, struct sluice_request *request) {
  const struct handle *handle = arg;
  const struct state *state = state_of(request);
  int status = sluice_request_status(request);
  if (status == 401 || (status == 403 && state->error != NULL))
    challenge_bearer(request, handle->setup->conf->realm, state->error,
                     state->error == NULL ? NULL : state->why);
}

/* It may come while the request waits, for whom nobody does any more. */
static void auth_jwt_on_log(void *handle, struct sluice_request *request,
                            const struct sluice_record *record) {
  struct state *state = state_of(request);
  (void)handle, (void)record;
  bearer_drop(state->bearer);
  state->bearer = NULL;
  if (state->waiter.issuer == NULL)
    return;
  issuer_leave(&state->waiter);
  sluice_request_resume(request, SLUICE_DENY);
}

static void auth_jwt_reload(void *arg) {
  const struct handle *handle = arg;
  issuer_reload(handle->issuer);
}

/* ---- start and stop ----------------------------------------------------- */

static void warn(const struct jwtsetup *setup, struct sluice_host *host) {
  const struct jwtconf *conf = setup->conf;
  if (conf->issuer[0] == '\0')
    sluice_log(host, SLUICE_LOG_WARN,
               "'issuer' is empty, so that tokens of any issuer whose key is "
               "here are taken");
  if (conf->audience[0] == NULL)
    sluice_log(host, SLUICE_LOG_WARN,
               "'audience' is empty, so that tokens for other services are "
               "taken");
  if (strncmp(conf->jwks, "http://", 7) == 0)
    sluice_log(host, SLUICE_LOG_WARN,
               "keys come from %s without TLS: whoever is between can forge "
               "tokens; write https",
               conf->jwks);
}

static void *auth_jwt_start(const void *conf, struct sluice_host *host) {
  struct errmsg why = {"there is no memory; lower limits.memory"};
  struct jwtsetup *setup = calloc(1, sizeof *setup);
  bool good = setup != NULL && jwtsetup_init(setup, conf, &why);
  if (good && setup->settings.url == NULL) {
    struct jwks *keys = jwtsetup_keys(setup, &why);
    good = keys != NULL;
    if (good && setup->settings.file != NULL)
      exposure_tell(host, setup->file.path,
                    jwks_is_secret(keys) ? EXPOSURE_SECRET : EXPOSURE_PUBLIC);
    jwks_free(keys);
  }
  if (good) {
    httpc_init();
    warn(setup, host);
    return setup;
  }
  sluice_fail(host, "%s", why.text);
  free(setup);
  return NULL;
}

static void auth_jwt_stop(void *setup) {
  free(setup);
}

static void auth_jwt_close(void *arg) {
  struct handle *handle = arg;
  issuer_free(handle->issuer);
  jwtcache_free(handle->cache);
  free(handle);
}

static bool auth_jwt_begin(struct handle *handle, struct errmsg *why) {
  struct jwtsetup *setup = handle->setup;
  struct jwks *keys = jwtsetup_keys(setup, why);
  if (keys == NULL && setup->settings.url == NULL)
    return false;
  handle->issuer = issuer_new(handle->host, &setup->settings, keys);
  handle->cache = jwtcache_new((size_t)setup->conf->cache);
  return handle->issuer != NULL && handle->cache != NULL;
}

static void *auth_jwt_open(void *setup, struct sluice_host *host) {
  struct errmsg why = {"there is no memory; lower limits.memory, or 'cache'"};
  struct handle *handle = calloc(1, sizeof *handle);
  if (handle != NULL) {
    *handle = (struct handle){.host = host, .setup = setup};
    if (auth_jwt_begin(handle, &why))
      return handle;
    auth_jwt_close(handle);
  }
  sluice_fail(host, "%s", why.text);
  return NULL;
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "auth_jwt",
    .version = SLUICE_VERSION,
    .summary = "admits who brings a signed JSON Web Token",
    .options = jwtconf_options,
    .conf_size = sizeof(struct jwtconf),
    .guards = true,
    .start = auth_jwt_start,
    .stop = auth_jwt_stop,
    .open = auth_jwt_open,
    .close = auth_jwt_close,
    .on_request = auth_jwt_on_request,
    .on_key = auth_jwt_on_key,
    .on_response = auth_jwt_on_response,
    .on_log = auth_jwt_on_log,
    .reload = auth_jwt_reload,
};

SLUICE_REACH({"jwks", SLUICE_REACH_READ, NULL},
             {"jwks", SLUICE_REACH_ADDRESS, NULL},
             {"key_file", SLUICE_REACH_READ, NULL},
             {"secret_file", SLUICE_REACH_READ, NULL},
             {"ca_file", SLUICE_REACH_READ, NULL},
             {"proxy", SLUICE_REACH_ADDRESS, NULL})
SLUICE_HOOK(auth_jwt, hook)
