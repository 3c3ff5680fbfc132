/* SPDX-License-Identifier: MIT
 *
 * `sluice explain METHOD URL`: the way of a request through a configuration,
 * without taking it: its route, what each hook says of it and why, and what
 * its backend would be asked for.  No storage is touched.  Hooks are asked for
 * real, so that one that asks a service does so here, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoints.h"
#include "explain.h"
#include "forwarded.h"
#include "log.h"
#include "must.h"
#include "query.h"
#include "reply.h"

#define PATIENCE_MS 30000
#define HEAD_MAX 32768
#define HEADERS_MAX 64

/* ---- what a backend would be asked for ---------------------------------- */

static const struct {
  const struct endpoint *endpoint;
  const char *call;
} calls[] = {
    {&upload_endpoint, "put, then commit under a key that is made then"},
    {&presign_endpoint, "head, then presign (or a link of the gateway)"},
    {&download_endpoint, "get"},
    {&object_get_endpoint, "get"},
    {&signed_endpoint, "get, once the link is checked"},
    {&signed_put_endpoint, "put, then commit, once the link is checked"},
    {&signed_post_endpoint, "put, then commit, once the link is checked"},
    {&signed_delete_endpoint, "nothing: no link allows it"},
    {&signed_patch_endpoint, "nothing: no link allows it"},
    {&links_endpoint, "get and put of small objects below .sluice/"},
    {&list_endpoint, "list"},
    {&archive_endpoint, "list or head, then get of each object"},
    {&delete_endpoint, "remove"},
    {&object_put_endpoint, "put, then commit under this key"},
    {&object_delete_endpoint, "remove, or remove_if with If-Match"},
    {&copy_endpoint, "head, copy, head"},
    {&move_endpoint, "head, copy, head, remove_if"},
    {&many_endpoint, "remove_many, of a prefix after list"},
    {&uploads_endpoint, "put and commit; of a resumable one stage, save"},
    {&uploads_options_endpoint, "nothing"},
    {&resource_options_endpoint, "nothing"},
    {&resource_get_endpoint, "stage"},
    {&resource_patch_endpoint, "stage, data, save; at the end stage_commit"},
    {&resource_delete_endpoint, "stage_remove"},
    {&healthz_endpoint, "nothing"},
    {&readyz_endpoint, "ping, of those that server.ready names"},
    {&console_endpoint, "nothing"},
    {&console_bare_endpoint, "nothing"},
    {&console_asset_endpoint, "nothing"},
    {&openapi_endpoint, "nothing"}};

static const char *call_of(const struct endpoint *endpoint) {
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    if (calls[i].endpoint == endpoint)
      return calls[i].call;
  return "what it needs";
}

/* ---- the route ---------------------------------------------------------- */

/* Above a storage there may be layers: "safe (encrypt) over main (s3)". */
static void say_backend(struct explain *e) {
  const struct gateway *gateway = e->gateway;
  char text[512];
  size_t at = e->request.backend, n = 0;
  for (unsigned depth = 0; depth < 8 && n < sizeof text; depth++) {
    const struct settings_plugin *of = &gateway->now->settings->backends[at];
    n += (size_t)snprintf(text + n, sizeof text - n, "%s%s (%s)",
                          depth > 0 ? " over " : "", of->name, of->plugin);
    if (gateway->now->backends[at]->below_count == 0)
      break;
    at = gateway->now->backends[at]->below[0];
  }
  explain_say(e, "backend", "%s", text);
  explain_say(e, "call", "%s", call_of(e->route->endpoint));
}

static void say_route(struct explain *e) {
  const struct settings_route *from = e->route->from;
  if (from == NULL)
    explain_say(e, "route", "%s, the gateway's own; no hook is asked",
                e->route->path);
  else if (from->mount != NULL)
    explain_say(e, "route", "the mount %s of line %u: %s %s",
                *from->mount == '\0' ? "/" : from->mount, from->line,
                e->route->method, e->route->path);
  else
    explain_say(e, "route", "%s %s of line %u", from->method, from->path,
                from->line);
}

static int find_route(struct explain *e) {
  char allow[64];
  const struct route_table *routes = &e->gateway->now->routes;
  switch (route_find(routes, e->head.method, e->head.path, &e->route)) {
  case ROUTE_FOUND:
    say_route(e);
    return 0;
  case ROUTE_UNKNOWN:
    explain_say(e, "route", "none");
    return explain_end(e, 404, "not_found", "nothing is at this path");
  case ROUTE_METHOD:
    break;
  }
  route_allow(routes, e->head.path, allow);
  explain_say(e, "route", "none for this method");
  return explain_end(e, 405, "method_not_allowed", allow);
}

/* ---- hooks -------------------------------------------------------------- */

static const char *word_of(enum sluice_verdict verdict) {
  switch (verdict) {
  case SLUICE_PASS:
    return "pass: it has no opinion";
  case SLUICE_ALLOW:
    return "allow";
  case SLUICE_DENY:
    return "deny";
  case SLUICE_WAIT:
    return "waits, and doesn't answer";
  }
  return "no verdict";
}

/* A hook that waited says its verdict when it resumes the request. */
static void settle(struct explain *e) {
  struct explain_hook *last = e->asked;
  e->asked = NULL;
  if (last == NULL)
    return;
  enum sluice_verdict verdict =
      last->verdict == SLUICE_WAIT ? e->request.verdict : last->verdict;
  const char *why = verdict == SLUICE_DENY && e->request.message[0] != '\0'
                        ? e->request.message
                        : "";
  explain_say(e, "hook", "%s, %s: %s%s%s", last->own.name, e->phase,
              word_of(verdict), *why == '\0' ? "" : ": ", why);
}

static enum sluice_verdict note(struct explain_hook *hook,
                                enum sluice_verdict verdict) {
  hook->verdict = verdict;
  hook->explain->asked = hook;
  return verdict;
}

static enum sluice_verdict note_request(void *arg,
                                        struct sluice_request *request) {
  struct explain_hook *hook = arg;
  settle(hook->explain);
  return note(hook, hook->of->on_request(hook->handle, request));
}

static enum sluice_verdict note_key(void *arg,
                                    struct sluice_request *request) {
  struct explain_hook *hook = arg;
  settle(hook->explain);
  return note(hook, hook->of->on_key(hook->handle, request));
}

/* One that is never asked before the answer isn't started: it would open its
 * files. */
static bool add_hook(struct explain *e, size_t index, struct errmsg *err) {
  const struct sluice_hook *plugin =
      &e->gateway->now->hooks[index]->plugin.hook;
  if (plugin->on_request == NULL && plugin->on_key == NULL) {
    explain_say(e, "hook", "%s: only hears what became of it", plugin->name);
    return true;
  }
  if (!stand_hook(&e->stand, index, err))
    return false;
  struct explain_hook *hook = &e->hooks[e->hook_count];
  struct request_hook *seen = &e->seen[e->hook_count];
  *hook = (struct explain_hook){.explain = e,
                                .of = plugin,
                                .own = *plugin,
                                .handle = e->stand.hooks[index].handle};
  hook->own.on_request = plugin->on_request == NULL ? NULL : note_request;
  hook->own.on_key = plugin->on_key == NULL ? NULL : note_key;
  *seen = e->stand.hooks[index];
  e->each[e->hook_count] = seen;
  seen->plugin = &hook->own;
  seen->handle = hook;
  e->chain[e->hook_count] = e->hook_count;
  e->hook_count++;
  return true;
}

static void on_answer(void *arg, bool admitted) {
  struct explain *e = arg;
  settle(e);
  e->admitted = admitted;
  e->over = true;
}

static int refused(struct explain *e) {
  static const struct {
    enum sluice_status refusal;
    int status;
  } table[] = {
      {SLUICE_OK, 401},       {SLUICE_EAUTH, 401},  {SLUICE_EDENIED, 403},
      {SLUICE_EBUSY, 503},    {SLUICE_ERATE, 429},  {SLUICE_EUPSTREAM, 502},
      {SLUICE_ETIMEOUT, 504}, {SLUICE_EINVAL, 400}, {SLUICE_EIO, 500}};
  enum sluice_status refusal = e->request.refusal;
  int status = 403;
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].refusal == refusal)
      status = table[i].status;
  const char *why = e->request.message;
  if (*why == '\0')
    why = refusal == SLUICE_OK ? "hooks guard this route, and none allows it"
                               : "a hook denies it";
  if (refusal == SLUICE_EIO)
    why = "a hook chose a backend that isn't there";
  return explain_end(
      e, status, refusal == SLUICE_OK ? "unauthorized" : reply_code(refusal),
      why);
}

/* 0: it goes on. */
static int explain_ask(struct explain *e, enum request_phase phase) {
  e->phase = phase == REQUEST_ON_KEY ? "with its key" : "by its head";
  e->over = false;
  request_admit(&e->request, phase, on_answer, e);
  if (!stand_until(&e->stand, &e->over, PATIENCE_MS))
    return explain_end(e, 504, "upstream_timeout",
                       "a hook doesn't answer for 30 s");
  return e->admitted ? 0 : refused(e);
}

/* A hook may choose any of them. */
static void name_backends(struct explain *e) {
  const struct settings *settings = e->gateway->now->settings;
  size_t count = settings->backend_count;
  e->named = calloc(count, sizeof *e->named);
  e->backends = calloc(count, sizeof(struct op_backend *));
  must_have(e->named && e->backends);
  for (size_t i = 0; i < count; i++) {
    e->named[i].host.name = settings->backends[i].name;
    e->backends[i] = &e->named[i];
  }
  e->request.backends = e->backends;
  e->request.backend_count = count;
  e->request.backend = e->request.backend_kept = e->route->backend;
}

static int ask_hooks(struct explain *e) {
  struct errmsg err;
  const struct route *route = e->route;
  const struct endpoint *endpoint = route->endpoint;
  enum operation operation = endpoint->asked == NULL
                                 ? endpoint->operation
                                 : endpoint->asked(&e->head);
  explain_say(e, "operation", "%s", operation_name(operation));
  for (size_t i = 0; i < route->hook_count; i++)
    if (!add_hook(e, route->hooks[i], &err))
      return explain_end(e, 0, "no_start", err.text);
  request_init(&e->request, e->stand.loop, &e->head, e->peer);
  forwarded_client(e->request.client, e->peer,
                   e->gateway->now->settings->server.trusted,
                   e->gateway->now->settings->server.trusted_count, &e->head);
  e->request.operation = operation_name(operation);
  e->request.is_signed = endpoint->operation == OPERATION_SIGNED;
  name_backends(e);
  e->request.hooks = e->each;
  e->request.chain = e->chain;
  e->request.chain_count = e->hook_count;
  if (e->hook_count == 0)
    explain_say(e, "hooks", "none is asked");
  int status = explain_ask(e, REQUEST_ON_REQUEST);
  if (status == 0 && e->request.identity[0] != '\0')
    explain_say(e, "identity", "%s", e->request.identity);
  if (status != 0)
    return status;
  bool lists = operation == OPERATION_LIST;
  enum query_result found =
      query_get(&e->key, e->head.query, lists ? "prefix" : "key");
  if (lists && found == QUERY_NONE)
    found = buf_adds(&e->key, "uploads/") ? QUERY_FOUND : QUERY_BAD;
  if (found != QUERY_FOUND) {
    explain_say(e, "key",
                "not in the query; hooks are asked again when it "
                "is known");
    return 0;
  }
  explain_say(e, "key", "%s", e->key.data);
  e->request.key = e->key.data;
  return explain_ask(e, REQUEST_ON_KEY);
}

/* ---- all of it ---------------------------------------------------------- */

static int walk(struct explain *e) {
  struct errmsg err;
  int status = find_route(e);
  if (status != 0)
    return status;
  if (e->route->from != NULL) {
    e->stood = true;
    if (!stand_init(&e->stand, e->gateway, &err))
      return explain_end(e, 0, "no_start", err.text);
    status = ask_hooks(e);
    if (status != 0)
      return status;
    say_backend(e);
  } else {
    explain_say(e, "call", "%s", call_of(e->route->endpoint));
  }
  return explain_end(e, 0, NULL,
                     "goes on: what the backend says is the "
                     "answer");
}

static bool read_head(struct explain *e, const struct explain_line *line) {
  struct head_refusal refusal = {0};
  struct buf text;
  buf_init(&text, HEAD_MAX);
  buf_addf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\n", line->method, line->target,
           line->host);
  for (size_t i = 0; i < line->header_count; i++)
    buf_addf(&text, "%s\r\n", line->headers[i]);
  bool ok = buf_adds(&text, "\r\n");
  size_t len = text.len;
  char *taken = buf_take(&text);
  buf_fini(&text);
  if (ok && taken != NULL && head_parse(&e->head, taken, len, &refusal))
    return true;
  explain_end(e, refusal.status == 0 ? 431 : refusal.status, "bad_request",
              refusal.what == NULL ? "the head is over 32 KiB" : refusal.what);
  return false;
}

static void leave(struct explain *e) {
  request_abandon(&e->request);
  request_fini(&e->request);
  if (e->stood)
    stand_fini(&e->stand);
  free(e->backends);
  free(e->named);
  buf_fini(&e->key);
  head_fini(&e->head);
}

/* "http://host/path", or a path alone. */
static bool split_url(struct explain_line *line, const char *url) {
  const char *at = strstr(url, "://");
  snprintf(line->host, sizeof line->host, "localhost");
  line->target = url;
  if (*url == '/' || at == NULL)
    return *url == '/';
  at += 3;
  size_t len = strcspn(at, "/?");
  if (len == 0 || len >= sizeof line->host)
    return false;
  memcpy(line->host, at, len);
  line->host[len] = '\0';
  line->target = at[len] == '\0' ? "/" : at + len;
  return *line->target == '/';
}

enum { FLAG_HEADER, FLAG_FROM };

static bool explain_read_line(struct explain *e, struct explain_line *line,
                              const char **headers,
                              const struct tool_line *said) {
  for (size_t i = 0; i < said->value_count; i++)
    if (said->values[i].flag == FLAG_HEADER) {
      if (line->header_count == HEADERS_MAX)
        return false;
      headers[line->header_count++] = said->values[i].value;
    }
  if (said->flags[FLAG_FROM] != NULL)
    e->peer = said->flags[FLAG_FROM];
  line->method = said->words[0];
  return split_url(line, said->words[1]);
}

static int explain_run(const struct tool_line *said) {
  const char *headers[HEADERS_MAX];
  struct explain_line line = {.headers = headers};
  struct explain e = {.peer = "127.0.0.1"};
  struct errmsg err;
  if (!explain_read_line(&e, &line, headers, said)) {
    log_plain("sluice explain: URL is http://HOST/PATH or a path, and there "
              "are at most %d headers",
              HEADERS_MAX);
    return TOOL_CANT;
  }
  e.gateway = gateway_new(said->file, SLUICE_PLUGINDIR, &err);
  if (e.gateway == NULL)
    return tool_cant(said->json, err.text);
  if (said->json)
    e.json = json_object();
  buf_init(&e.key, KEY_MAX + 1);
  int status = read_head(&e, &line) ? walk(&e) : 1;
  leave(&e);
  gateway_free(e.gateway);
  explain_print(&e);
  return status < 0 ? TOOL_OK : TOOL_FOUND;
}

static const struct tool_flag flags[] = {
    [FLAG_HEADER] = {"H", "'N: V'", "a header of the request"},
    [FLAG_FROM] = {"from", "ADDRESS",
                   "the client's address (default: 127.0.0.1)"},
    {NULL, NULL, NULL}};

const struct tool tool_explain = {
    .name = "explain",
    .synopsis = "[-c FILE] [-H 'NAME: VALUE']... [--from ADDRESS] [--json] "
                "METHOD URL",
    .summary = "Says what the gateway would do with a request: 0 where the "
               "backend would be asked.",
    .flags = flags,
    .words_min = 2,
    .words_max = 2,
    .json = true,
    .run = explain_run,
};
