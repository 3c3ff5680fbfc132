/* SPDX-License-Identifier: MIT
 *
 * The descriptor of tally.go, whose functions take pointers without const.
 */
#include <sluice/plugin.h>

#include "_cgo_export.h"

static enum sluice_verdict on_body(void *handle,
                                   struct sluice_request *request,
                                   const struct sluice_chunk *chunk) {
  return tallyOnBody(handle, request, (struct sluice_chunk *)(uintptr_t)chunk);
}

static void *start(const void *conf, struct sluice_host *host) {
  (void)conf;
  return host;
}

static void *open_hook(void *instance, struct sluice_host *host) {
  (void)instance;
  return host;
}

static void nothing(void *it) {
  (void)it;
}

static const struct sluice_hook hook = {SLUICE_HEAD(sluice_hook),
                                        .name = "tally",
                                        .version = "1.0",
                                        .summary = "counts answers, in Go",
                                        .start = start,
                                        .stop = nothing,
                                        .open = open_hook,
                                        .close = nothing,
                                        .on_response = tallyOnResponse,
                                        .on_body = on_body};

SLUICE_HOOK(tally, hook)
