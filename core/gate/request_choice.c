/* SPDX-License-Identifier: MIT
 *
 * The calls of <sluice/request.h>: a hook chooses where a request goes, or
 * asks, and hooks tell each other what they found out.
 */
#include <string.h>

#include "log.h"
#include "request.h"
#include "violation.h"

/* ---- the backend -------------------------------------------------------- */

static bool may_choose(const struct sluice_request *request) {
  return request->phase == REQUEST_ON_REQUEST &&
         (request->turn == REQUEST_ASKING ||
          (request->turn == REQUEST_WAITING &&
           request->interest == REQUEST_WANTED));
}

bool request_find_backend(const struct sluice_request *request,
                          const char *name, size_t *index) {
  for (size_t i = 0; i < request->backend_count; i++)
    if (strcmp(request->backends[i]->host.name, name) == 0) {
      *index = i;
      return true;
    }
  return false;
}

static void note_unknown(const struct sluice_request *request,
                         struct request_hook *hook, const char *name) {
  repeat_line(&hook->repeats, request->loop, SLUICE_LOG_ERROR, hook->host.name,
              "backend",
              "request %s: the hook chose the backend '%.64s', and 'backends' "
              "has none of this name",
              request->id, name);
}

bool sluice_request_backend(struct sluice_request *request, const char *name) {
  static const char call[] = "sluice_request_backend";
  struct request_hook *hook = request_hook(request);
  size_t index = 0;
  if (!loop_is_mine(request->loop))
    violation_of_thread(&hook->host, hook->plugin->name, call);
  if (!may_choose(request)) {
    violation_note(&hook->misused, &hook->host, hook->plugin->name, call,
                   "in another phase than on_request");
    return false;
  }
  bool found =
      request->backends == NULL || request_find_backend(request, name, &index);
  if (!found)
    note_unknown(request, hook, name);
  if (request->is_signed)
    return found; /* the link says where it is served */
  request->astray = !found;
  if (!found)
    return false;
  request->backend = index;
  if (!hook->plugin->guards)
    request->backend_kept = index;
  return true;
}

const char *sluice_request_backend_name(const struct sluice_request *request) {
  return request->backends == NULL || request->operation == NULL
             ? NULL
             : request->backends[request->backend]->host.name;
}

/* ---- attributes --------------------------------------------------------- */

static bool is_over(const struct sluice_request *request, const char *call) {
  if (request->turn != REQUEST_GONE)
    return false;
  struct request_hook *hook = request_hook(request);
  violation_note(&hook->misused, &hook->host, hook->plugin->name, call,
                 "after on_log");
  return true;
}

bool sluice_request_set_attribute(struct sluice_request *request,
                                  const char *name, const char *value) {
  return !is_over(request, "sluice_request_set_attribute") &&
         attributes_set(&request->attributes, name, value);
}

const char *sluice_request_attribute(const struct sluice_request *request,
                                     const char *name) {
  return is_over(request, "sluice_request_attribute")
             ? NULL
             : attributes_get(&request->attributes, name);
}
