/* SPDX-License-Identifier: MIT
 *
 * A hook as somebody wrote it for version 1.0: built with the header of then,
 * it has to go on working with every later gateway of version 1.
 */
#include "plugin.h"

#include <string.h>

struct conf {
  const char *token, *name, *prefix;
};

static const struct sluice_option options[] = {
    {"token", SLUICE_SECRET, NULL, offsetof(struct conf, token),
     "what the header X-Token has to say"},
    {"name", SLUICE_STRING, NULL, offsetof(struct conf, name),
     "who knows it: the identity"},
    {"prefix", SLUICE_STRING, "", offsetof(struct conf, prefix),
     "what their keys begin with"},
    {NULL, 0, NULL, 0, NULL}};

static void *start(const void *conf, struct sluice_host *host) {
  if (strlen(((const struct conf *)conf)->token) >= 16)
    return (void *)conf; /* it lives as long as the gateway */
  sluice_fail(host, "the token is short; write at least 16 characters");
  return NULL;
}

static void *open_door(void *instance, struct sluice_host *host) {
  (void)host;
  return instance;
}

static void nothing(void *arg) {
  (void)arg;
}

/* Takes the same time wherever they differ. */
static bool same(const char *a, const char *b) {
  size_t length = strlen(a);
  if (strlen(b) != length)
    return false;
  unsigned differ = 0;
  for (size_t i = 0; i < length; i++)
    differ |= (unsigned char)(a[i] ^ b[i]);
  return differ == 0;
}

static enum sluice_verdict on_request(void *handle,
                                      struct sluice_request *request) {
  const struct conf *conf = handle;
  const char *token = sluice_request_header(request, "X-Token");
  if (!token)
    return SLUICE_PASS; /* another hook may know them */
  if (same(token, conf->token) && sluice_request_identify(request, conf->name))
    return SLUICE_ALLOW;
  sluice_request_refuse(request, SLUICE_EAUTH, "The token is wrong");
  return SLUICE_DENY;
}

static enum sluice_verdict on_key(void *handle,
                                  struct sluice_request *request) {
  const char *prefix = ((const struct conf *)handle)->prefix;
  const char *key = sluice_request_key(request);
  bool inside = strncmp(key, prefix, strlen(prefix)) == 0;
  return inside ? SLUICE_PASS : SLUICE_DENY;
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook), .name = "door",
    .version = "1.0",         .summary = "admits who knows a token",
    .options = options,       .conf_size = sizeof(struct conf),
    .guards = true,           .start = start,
    .stop = nothing,          .open = open_door,
    .close = nothing,         .on_request = on_request,
    .on_key = on_key};

SLUICE_HOOK(door, hook)
