// SPDX-License-Identifier: MIT
//
// A hook in C++17: it says in a header how many answers went before, of this
// loop.  What C++ before 20 has no designators for is written in order.
#include <sluice/plugin.h>

#include <new>
#include <string>

namespace {

struct counter {
  unsigned long answers = 0;
};

void *start(const void *, sluice_host *host) {
  return host;
}

void stop(void *) {
}

void *open_counter(void *, sluice_host *host) {
  void *made = new (std::nothrow) counter;
  if (made == nullptr)
    sluice_fail(host, "there is no memory; free some");
  return made;
}

void close_counter(void *handle) {
  delete static_cast<counter *>(handle);
}

void on_response(void *handle, sluice_request *request) {
  counter *mine = static_cast<counter *>(handle);
  const std::string before = std::to_string(mine->answers++);
  sluice_request_answer(request, "X-Before", before.c_str());
}

const sluice_hook hook = {SLUICE_HEAD(sluice_hook),
                          "later",
                          "1.0",
                          "counts answers",
                          nullptr,
                          0,
                          false,
                          start,
                          stop,
                          open_counter,
                          close_counter,
                          nullptr,
                          nullptr,
                          on_response,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr,
                          false};

} // namespace

SLUICE_HOOK(later, hook)
