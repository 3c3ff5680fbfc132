/* SPDX-License-Identifier: MIT
 *
 * The hook auth_request: its options and its descriptor.  An HTTP service says
 * who is admitted; the gateway asks it before each request.
 */
#include <sluice/plugin.h>

#include <stdlib.h>
#include <string.h>

#include "answerheader.h"
#include "asking.h"
#include "errmsg.h"
#include "token.h"

#define CACHE_SIZE_MAX (UINT64_C(1) << 30)

#define OPTION(name, type, fallback, field, help) \
  { name, type, fallback, offsetof(struct auth_conf, field), help }

static const struct sluice_option options[] = {
    OPTION("url", SLUICE_STRING, NULL, url, "of the service that is asked"),
    OPTION("method", SLUICE_STRING, "GET", method, "GET or HEAD"),
    OPTION("send_headers", SLUICE_LIST, "[Authorization, Cookie]",
           send_headers, "headers of the request that the service gets"),
    OPTION("return_headers", SLUICE_LIST, "", return_headers,
           "headers of its answer that the client gets"),
    OPTION("identity_header", SLUICE_STRING, "", identity_header,
           "the header of its answer that says who it is; empty: none"),
    OPTION("debug_header", SLUICE_STRING, "", debug_header,
           "the one by which \"true\" grants Server-Timing; empty: none"),
    OPTION("check_key", SLUICE_BOOL, "false", check_key,
           "ask a second time, with the key"),
    OPTION("operations", SLUICE_LIST, "[\"*\"]", operations,
           "what those may do whom the service admits"),
    OPTION("prefixes", SLUICE_LIST, "", prefixes,
           "what their keys begin with, {user} is the identity; []: any"),
    OPTION("cache_time", SLUICE_TIME, "0", cache_time_ms,
           "how long an answer is given again; 0: never"),
    OPTION("cache_size", SLUICE_SIZE, "1MiB", cache_size,
           "of the answers kept, on each loop"),
    OPTION("connect_timeout", SLUICE_TIME, "2s", connect_timeout_ms,
           "for a connection"),
    OPTION("timeout", SLUICE_TIME, "5s", timeout_ms,
           "for the whole answer, the wait for a connection included"),
    OPTION("connections", SLUICE_INT, "32", connections,
           "open at once on each loop, 1 to 10000"),
    OPTION("in_flight", SLUICE_INT, "1024", in_flight,
           "requests that wait at once on each loop, 1 to 1000000"),
    OPTION("breaker_failures", SLUICE_INT, "5", breaker_failures,
           "failures in a row that open the circuit breaker; 0: none do"),
    OPTION("breaker_time", SLUICE_TIME, "10s", breaker_time_ms,
           "that it stays open"),
    OPTION("verify", SLUICE_BOOL, "true", verify,
           "check the service's certificate"),
    OPTION("ca_file", SLUICE_STRING, "", ca_file,
           "CA certificates in PEM; empty: the system's"),
    {NULL, 0, NULL, 0, NULL}};

/* ---- checks ------------------------------------------------------------- */

static bool is_token(const char *name) {
  size_t len = 0;
  while (token_char((unsigned char)name[len]))
    len++;
  return len > 0 && len <= 64 && name[len] == '\0';
}

/* sluice_request_answer() would refuse it each time. */
static bool is_gateways(const char *name) {
  return answerheader_of(name) == ANSWERHEADER_GATEWAYS;
}

static bool check_names(const char *option, const char *const *names,
                        bool (*taken)(const char *name), struct errmsg *err) {
  size_t count = 0;
  for (; names[count] != NULL; count++) {
    if (!is_token(names[count]))
      return errmsg_set(err, "'%s': '%s' isn't the name of a header", option,
                        names[count]);
    if (taken(names[count]))
      return errmsg_set(err, "'%s': %s is the gateway's own; leave it out",
                        option, names[count]);
  }
  return count <= INQUIRY_NAMES_MAX ||
         errmsg_set(err, "'%s' has more than %d names", option,
                    INQUIRY_NAMES_MAX);
}

static bool auth_request_check_numbers(const struct auth_conf *conf,
                                       struct errmsg *err) {
  const struct {
    const char *name;
    int64_t value, least, most;
  } numbers[] = {
      {"cache_time", conf->cache_time_ms, 0, INT64_C(86400000)},
      {"connect_timeout", conf->connect_timeout_ms, 1, INT64_C(3600000)},
      {"timeout", conf->timeout_ms, 1, INT64_C(3600000)},
      {"connections", conf->connections, 1, 10000},
      {"in_flight", conf->in_flight, 1, 1000000},
      {"breaker_failures", conf->breaker_failures, 0, 1000000},
      {"breaker_time", conf->breaker_time_ms, 1, INT64_C(3600000)},
  };
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (numbers[i].value < numbers[i].least ||
        numbers[i].value > numbers[i].most)
      return errmsg_set(err, "'%s' must be between %lld and %lld%s",
                        numbers[i].name, (long long)numbers[i].least,
                        (long long)numbers[i].most,
                        strstr(numbers[i].name, "time") ? " ms" : "");
  return (conf->cache_size >= 4096 + AUTH_ANSWER_MAX &&
          conf->cache_size <= CACHE_SIZE_MAX) ||
         errmsg_set(err, "'cache_size' must be between 8KiB and 1GiB");
}

static bool auth_request_check(const struct auth_conf *conf,
                               struct errmsg *err) {
  const char *fault = httpc_url_fault(conf->url);
  if (fault != NULL)
    return errmsg_set(err, "'url': %s", fault);
  if (strcmp(conf->method, "GET") != 0 && strcmp(conf->method, "HEAD") != 0)
    return errmsg_set(err, "'method' must be GET or HEAD");
  if (conf->identity_header[0] != '\0' && !is_token(conf->identity_header))
    return errmsg_set(err,
                      "'identity_header': '%s' isn't the name of a header",
                      conf->identity_header);
  if (conf->debug_header[0] != '\0' && !is_token(conf->debug_header))
    return errmsg_set(err, "'debug_header': '%s' isn't the name of a header",
                      conf->debug_header);
  return check_names("send_headers", conf->send_headers, inquiry_is_ours,
                     err) &&
         check_names("return_headers", conf->return_headers, is_gateways,
                     err) &&
         auth_request_check_numbers(conf, err);
}

/* ---- life --------------------------------------------------------------- */

static void *auth_request_start(const void *conf, struct sluice_host *host) {
  struct errmsg err;
  struct auth *auth = calloc(1, sizeof *auth);
  httpc_init();
  if (auth == NULL) {
    sluice_fail(host, "there is no memory");
    return NULL;
  }
  auth->conf = conf;
  if (auth_request_check(conf, &err) &&
      grants_take_operations(&auth->grants, auth->conf->operations, &err) &&
      grants_take_prefixes(&auth->grants, auth->conf->prefixes, &err))
    return auth;
  sluice_fail(host, "%.480s", err.text);
  free(auth);
  return NULL;
}

static void auth_request_stop(void *instance) {
  free(instance);
}

static void *auth_request_open(void *instance, struct sluice_host *host) {
  return asking_new(instance, host);
}

static void auth_request_close(void *handle) {
  asking_free(handle);
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),
    .name = "auth_request",
    .version = SLUICE_VERSION,
    .summary = "an HTTP service says who is admitted",
    .options = options,
    .conf_size = sizeof(struct auth_conf),
    .guards = true,
    .start = auth_request_start,
    .stop = auth_request_stop,
    .open = auth_request_open,
    .close = auth_request_close,
    .on_request = asking_on_request,
    .on_key = asking_on_key,
    .on_response = asking_on_response,
    .on_log = asking_on_log,
};

SLUICE_REACH({"url", SLUICE_REACH_ADDRESS, NULL},
             {"ca_file", SLUICE_REACH_READ, NULL})
SLUICE_HOOK(auth_request, hook)
