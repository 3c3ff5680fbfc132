/* SPDX-License-Identifier: MIT
 *
 * Asks functions of a script in Lua about each request.  Guide: sluice-lua(7).
 *
 * Each loop has the script in a state of its own.  A new version is read and
 * run by a thread of the pool; the loop has it once it is whole.
 */
#include <sluice/plugin.h>
#include <stdlib.h>

#include "exposure_tell.h"
#include "script.h"
#include "watch.h"

struct conf {
  const char *script;
  uint64_t memory;
  int64_t steps;
};

struct instance {
  const struct conf *conf; /* lives as long as the gateway */
  struct sluice_host *host;
  struct watch_file file;
  struct watch_told told;
};

struct handle {
  struct sluice_host *host;
  struct watch *watch;
};

#define OPTION(field) offsetof(struct conf, field)

static const struct sluice_option options[] = {
    {"script", SLUICE_STRING, NULL, OPTION(script),
     "the file with the functions on_request, on_key and more, in Lua 5.4"},
    {"memory", SLUICE_SIZE, "1MiB", OPTION(memory),
     "that the script may have, on each loop"},
    {"steps", SLUICE_INT, "100000", OPTION(steps),
     "that one call of its functions may take; 100000 last a millisecond"},
    {0}};

/* ---- phases ------------------------------------------------------------- */

/* A script that fails has no opinion that could be relied on: the request is
 * refused, where it still can be. */
static enum sluice_verdict ask_script(const struct handle *handle,
                                      enum script_phase phase,
                                      struct sluice_request *request,
                                      const void *about) {
  struct script *script = (struct script *)watch_get(handle->watch);
  enum sluice_verdict verdict;
  struct errmsg err;
  if (!script_has(script, phase))
    return SLUICE_PASS;
  if (script_ask(script, phase, request, about, &verdict, &err))
    return verdict;
  bool refused = phase == SCRIPT_ON_REQUEST || phase == SCRIPT_ON_KEY;
  sluice_log(handle->host, SLUICE_LOG_ERROR, "%s%s", err.text,
             refused ? "; the request is refused" : "");
  if (refused)
    sluice_request_refuse(request, SLUICE_EIO, "The gateway's script failed");
  return SLUICE_DENY;
}

static enum sluice_verdict lua_on_request(void *handle,
                                          struct sluice_request *request) {
  return ask_script(handle, SCRIPT_ON_REQUEST, request, NULL);
}

static enum sluice_verdict lua_on_key(void *handle,
                                      struct sluice_request *request) {
  return ask_script(handle, SCRIPT_ON_KEY, request,
                    sluice_request_object(request));
}

static void lua_on_response(void *handle, struct sluice_request *request) {
  ask_script(handle, SCRIPT_ON_RESPONSE, request, NULL);
}

static enum sluice_verdict lua_on_change(void *handle,
                                         struct sluice_request *request,
                                         const struct sluice_object *object) {
  ask_script(handle, SCRIPT_ON_CHANGE, request, object);
  return SLUICE_PASS;
}

static void lua_on_log(void *handle, struct sluice_request *request,
                       const struct sluice_record *record) {
  ask_script(handle, SCRIPT_ON_LOG, request, record);
}

static void lua_reload(void *arg) {
  struct handle *handle = arg;
  watch_now(handle->watch);
}

/* ---- life --------------------------------------------------------------- */

static void *lua_parse(const char *data, size_t length, void *arg,
                       struct errmsg *err) {
  const struct instance *instance = arg;
  const struct conf *conf = instance->conf;
  return script_new(instance->host, conf->script, data, length,
                    (size_t)conf->memory, conf->steps, err);
}

static void free_script(void *script) {
  script_free(script);
}

static bool lua_check(const struct conf *conf, struct sluice_host *host) {
  if (conf->memory < ALLOWANCE_MEMORY_MIN ||
      conf->memory > ALLOWANCE_MEMORY_MAX)
    sluice_fail(host, "memory: 128KiB to 64MiB");
  else if (conf->steps < ALLOWANCE_STEPS_MIN ||
           conf->steps > ALLOWANCE_STEPS_MAX)
    sluice_fail(host, "steps: 1000 to 1000000");
  else
    return true;
  return false;
}

static void *lua_start(const void *conf, struct sluice_host *host) {
  struct errmsg err = {""};
  if (!lua_check(conf, host))
    return NULL;
  struct instance *instance = calloc(1, sizeof *instance);
  if (instance == NULL) {
    sluice_fail(host, "there is no memory");
    return NULL;
  }
  instance->conf = conf;
  instance->host = host;
  instance->file = (struct watch_file){.path = instance->conf->script,
                                       .max = SCRIPT_SIZE_MAX,
                                       .parse = lua_parse,
                                       .free = free_script,
                                       .arg = instance,
                                       .told = &instance->told};
  struct script *script = watch_read(&instance->file, &err);
  if (script == NULL) {
    sluice_fail(host, "%s", err.text);
    free(instance);
    return NULL;
  }
  script_free(script);
  exposure_tell(host, instance->conf->script, EXPOSURE_PUBLIC);
  return instance;
}

static void *lua_open(void *arg, struct sluice_host *host) {
  struct instance *instance = arg;
  struct errmsg err = {"there is no memory"};
  struct handle *handle = calloc(1, sizeof *handle);
  struct script *script = NULL;
  if (handle != NULL)
    script = watch_read(&instance->file, &err);
  if (script != NULL) {
    handle->host = host;
    handle->watch = watch_new(host, &instance->file, script);
    if (handle->watch != NULL)
      return handle;
    errmsg_set(&err, "there is no memory");
  }
  sluice_fail(host, "%s", err.text);
  free(handle);
  return NULL;
}

static void lua_close_handle(void *arg) {
  struct handle *handle = arg;
  watch_free(handle->watch);
  free(handle);
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "lua",
    .version = SLUICE_VERSION,
    .summary = "asks functions of a script in Lua",
    .options = options,
    .conf_size = sizeof(struct conf),
    .start = lua_start,
    .stop = free,
    .open = lua_open,
    .close = lua_close_handle,
    .on_request = lua_on_request,
    .on_key = lua_on_key,
    .on_response = lua_on_response,
    .on_log = lua_on_log,
    .on_change = lua_on_change,
    .reload = lua_reload,
    .tried = true,
};

SLUICE_REACH({"script", SLUICE_REACH_READ, NULL})
SLUICE_HOOK(lua, hook)
