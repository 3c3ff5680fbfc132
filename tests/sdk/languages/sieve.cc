// SPDX-License-Identifier: MIT
//
// A hook in C++20: objects that begin with "MZ" are refused.  No exception may
// leave a function that the gateway calls.
#include <sluice/plugin.h>

#include <string_view>

namespace {

sluice_verdict on_body(void *, sluice_request *request,
                       const sluice_chunk *chunk) noexcept {
  const std::string_view begin(static_cast<const char *>(chunk->data),
                               chunk->length < 2 ? chunk->length : 2);
  if (begin != "MZ")
    return SLUICE_ALLOW;
  sluice_request_refuse(request, SLUICE_EDENIED, "Programs aren't taken");
  return SLUICE_DENY;
}

const sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "sieve",
    .version = "1.0",
    .summary = "refuses programs, in C++",
    .options = nullptr,
    .conf_size = 0,
    .guards = false,
    .start = [](const void *, sluice_host *host) -> void * { return host; },
    .stop = [](void *) {},
    .open = [](void *instance, sluice_host *) { return instance; },
    .close = [](void *) {},
    .on_request = nullptr,
    .on_key = nullptr,
    .on_response = nullptr,
    .on_log = nullptr,
    .on_change = nullptr,
    .reload = nullptr,
    .on_body = on_body,
    .metrics = nullptr,
    .tried = false};

} // namespace

SLUICE_HOOK(sieve, hook)
