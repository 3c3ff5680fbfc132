/* SPDX-License-Identifier: MIT
 *
 * A template for hooks: admits who knows a token, and keeps them below a
 * prefix.  Copy it, name file, symbol and descriptor alike.
 *
 * `guards` makes it one of those whose ALLOW admits: what none of them allows
 * is answered with 401.  To ask somebody else, return SLUICE_WAIT and call
 * sluice_request_resume() from any event of the loop.
 */
#include <sluice/plugin.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct conf {
  const char *token, *identity, *prefix;
};

struct handle {
  const struct conf *conf; /* lives as long as the gateway */
  struct sluice_host *host;
};

static const struct sluice_option options[] = {
    {"token", SLUICE_SECRET, NULL, offsetof(struct conf, token),
     "what the header X-Token has to say"},
    {"identity", SLUICE_STRING, "skeleton", offsetof(struct conf, identity),
     "who that is: what an upload's uploaded-by says"},
    {"prefix", SLUICE_STRING, "", offsetof(struct conf, prefix),
     "what their keys and prefixes have to begin with"},
    {NULL, 0, NULL, 0, NULL}};

/* In a time that tells only the length. */
static bool same(const char *a, const char *b) {
  size_t len = strlen(a);
  unsigned char differ = 0;
  if (len != strlen(b))
    return false;
  for (size_t i = 0; i < len; i++)
    differ |= (unsigned char)(a[i] ^ b[i]);
  return differ == 0;
}

/* Without the header it isn't for us: another hook may know them. */
static enum sluice_verdict on_request(void *arg,
                                      struct sluice_request *request) {
  const struct handle *handle = arg;
  const char *token = sluice_request_header(request, "X-Token");
  if (!token)
    return SLUICE_PASS;
  if (same(token, handle->conf->token) &&
      sluice_request_identify(request, handle->conf->identity))
    return SLUICE_ALLOW;
  sluice_request_refuse(request, SLUICE_EAUTH, "The token is wrong");
  return SLUICE_DENY;
}

/* The key that an upload gets is known here, and the prefix of a list. */
static enum sluice_verdict on_key(void *arg, struct sluice_request *request) {
  const struct handle *handle = arg;
  const char *prefix = handle->conf->prefix;
  return strncmp(sluice_request_key(request), prefix, strlen(prefix)) == 0
             ? SLUICE_PASS
             : SLUICE_DENY;
}

static void on_response(void *arg, struct sluice_request *request) {
  const char *who = sluice_request_identity(request);
  (void)arg;
  if (who)
    sluice_request_answer(request, "X-Identity", who);
}

/* A refused head has no method, and not every request an operation. */
static void on_log(void *arg, struct sluice_request *request,
                   const struct sluice_record *record) {
  const struct handle *handle = arg;
  const char *operation = sluice_request_operation(request);
  sluice_log(handle->host, SLUICE_LOG_INFO, "%s %s: %d, %llu us, ended by %s",
             sluice_request_id(request), operation ? operation : "-",
             record->status, (unsigned long long)record->usec,
             record->ended_by ? record->ended_by : "nobody");
}

static void *skeleton_hook_start(const void *conf, struct sluice_host *host) {
  if (*((const struct conf *)conf)->token != '\0')
    return (void *)conf;
  sluice_fail(host, "token is empty; write one that is hard to guess");
  return NULL;
}

static void skeleton_hook_stop(void *instance) {
  (void)instance;
}

static void *skeleton_hook_open_handle(void *instance,
                                       struct sluice_host *host) {
  struct handle *handle = calloc(1, sizeof *handle);
  if (handle)
    *handle = (struct handle){.conf = instance, .host = host};
  else
    sluice_fail(host, "there is no memory; lower limits.memory");
  return handle;
}

static void skeleton_hook_close_handle(void *handle) {
  free(handle);
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "skeleton_hook",
    .version = "1.0.0",
    .summary = "admits who knows a token, a template for hooks",
    .options = options,
    .conf_size = sizeof(struct conf),
    .guards = true,
    .start = skeleton_hook_start,
    .stop = skeleton_hook_stop,
    .open = skeleton_hook_open_handle,
    .close = skeleton_hook_close_handle,
    .on_request = on_request,
    .on_key = on_key,
    .on_response = on_response,
    .on_log = on_log,
};

SLUICE_REACH({NULL, 0, NULL})
SLUICE_HOOK(skeleton_hook, hook)
