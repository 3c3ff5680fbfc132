/* SPDX-License-Identifier: MIT
 *
 * From a configuration to a gate, as the server makes it for each loop.  What
 * doesn't change is made once for all inputs.
 */
#include "gatekit.h"

#include <assert.h>
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#include "digest.h"
#include "exchange.h"
#include "gateway.h"
#include "linksecret.h"
#include "linkuses.h"
#include "log.h"
#include "marks.h"
#include "readiness.h"
#include "revocations.h"
#include "uploads.h"

#define TURNS 4 /* of the loop */
#define TURNS_MAX 20000
#define PATIENCE 50
#define TIMERS_MAX 64

static const char text[] =
    "server: {listen: ['127.0.0.1:1'], workers: 1, console: on}\n"
    "links: {secret: 0123456789abcdef0123456789abcdef}\n"
    "uploads: {max_bytes: 96KiB, expire_max: 1h}\n"
    "cors: {origins: ['https://a.example']}\n"
    "backends: {main: {plugin: gatestore}}\n"
    "hooks: [{plugin: watcher}]\n"
    "routes: [{mount: /f, backend: main}]\n";

static struct settings *settings;
static struct route_table routes;
static struct work_pool *pool;
static struct digest_key *keys[1];
static const bool keyed[1] = {false};

static void make_once(void) {
  struct errmsg err;
  if (settings != NULL)
    return;
  settings = settings_parse("fuzz.yaml", text, strlen(text), "", &err);
  if (settings == NULL)
    log_plain("%s", err.text);
  assert(settings != NULL);
  bool made = route_table_init(&routes, settings, gateway_endpoints, &err);
  pool = work_pool_new(1);
  keys[0] = digest_key_new("key", 3);
  assert(made && pool != NULL && keys[0] != NULL);
  log_set_level(SLUICE_LOG_ERROR);
}

/* ---- its hook ----------------------------------------------------------- */

static enum sluice_verdict hook_on_request(void *handle,
                                           struct sluice_request *request) {
  struct gatekit *kit = handle;
  const char *wish = sluice_request_header(request, "X-Hook");
  if (wish == NULL)
    return SLUICE_PASS;
  if (strcmp(wish, "deny") == 0)
    return SLUICE_DENY;
  for (size_t i = 0; strcmp(wish, "wait") == 0 && i < GATEKIT_WAITING; i++)
    if (kit->waiting[i] == NULL) {
      kit->waiting[i] = request;
      return SLUICE_WAIT;
    }
  sluice_request_identify(request, wish);
  return SLUICE_PASS;
}

static void hook_on_response(void *handle, struct sluice_request *request) {
  const char *method = sluice_request_method(request);
  (void)handle;
  if (method != NULL && strcmp(method, "HEAD") == 0)
    sluice_request_answer(request, "X-Head", "1");
}

static const struct sluice_hook watcher = {
    SLUICE_HEAD(sluice_hook), .name = "watcher", .on_request = hook_on_request,
    .on_response = hook_on_response};

void gatekit_resume(struct gatekit *kit) {
  for (size_t i = 0; i < GATEKIT_WAITING; i++) {
    struct sluice_request *request = kit->waiting[i];
    kit->waiting[i] = NULL;
    if (request != NULL)
      sluice_request_resume(request, SLUICE_PASS);
  }
}

/* ---- its connections ---------------------------------------------------- */

static void kit_on_request(void *arg, struct ingress_conn *conn,
                           struct head *head,
                           const struct head_refusal *refusal) {
  struct gatekit *kit = arg;
  exchange_begin(&kit->gate, conn, head, refusal);
}

static void kit_on_count(void *arg, int change) {
  (void)arg, (void)change;
}

static void kit_on_ended(void *arg) {
  (void)arg;
}

/* ---- life --------------------------------------------------------------- */

static struct sluice_host host_of(struct gatekit *kit, const char *name) {
  return (struct sluice_host){.name = name,
                              .loop = kit->loop,
                              .memory = &kit->memory,
                              .debt = {.paid = kit_on_ended}};
}

static void make_plugins(struct gatekit *kit) {
  kit->backend = (struct op_backend){
      .plugin = &gatestore_plugin,
      .handle = kit->store,
      .abilities = SLUICE_CAN_CREATE | SLUICE_CAN_REPLACE |
                   SLUICE_CAN_MATCH_ANY | SLUICE_CAN_REMOVE | SLUICE_CAN_COPY |
                   SLUICE_CAN_COPY_NEW | SLUICE_CAN_TELL,
      .host = host_of(kit, "main")};
  kit->hook = (struct request_hook){
      .plugin = &watcher, .handle = kit, .host = host_of(kit, "watcher")};
  kit->backends[0] = &kit->backend;
  kit->hooks[0] = &kit->hook;
}

static void make_gate(struct gatekit *kit) {
  struct gate *gate = &kit->gate;
  *gate = (struct gate){.settings = settings,
                        .routes = &routes,
                        .loop = kit->loop,
                        .keyed = keyed,
                        .backends = kit->backends,
                        .cursor_keys = keys,
                        .hooks = kit->hooks,
                        .common_hooks = kit->common_hooks,
                        .memory = &kit->memory,
                        .metrics = &kit->metrics,
                        .clients = &kit->clients,
                        .refusals = &kit->refusals,
                        .marks = kit->all_marks,
                        .uploads = kit->uploads,
                        .backend_timeout = &kit->patience,
                        .spent = &kit->spent,
                        .debt = {.paid = kit_on_ended},
                        .ended = kit_on_ended,
                        .arg = kit};
  TAILQ_INIT(&gate->left);
  TAILQ_INIT(&gate->all);
  bool made = headerlines_init(&gate->lines, settings) &&
              (gate->readiness = readiness_new(gate)) != NULL &&
              (gate->links = linksecrets_new(gate)) != NULL &&
              (gate->revocations = revocations_new(gate)) != NULL &&
              (gate->linkuses = linkuses_new(gate)) != NULL;
  assert(made);
}

void gatekit_init(struct gatekit *kit) {
  static const struct ingress_settings patient = {.head_timeout_ms = 60000,
                                                  .body_timeout_ms = 60000,
                                                  .idle_timeout_ms = 60000,
                                                  .write_timeout_ms = 60000};
  make_once();
  *kit = (struct gatekit){.loop = loop_new(),
                          .store = gatestore_new(),
                          .patience = {.tv_sec = 60}};
  assert(kit->loop != NULL);
  atomic_init(&kit->memory.free, GATEKIT_MEMORY);
  kit->marks = marks_new(&kit->memory);
  kit->all_marks[0] = kit->marks;
  kit->uploads = uploads_new(work_own(pool));
  bool made = metrics_init(&kit->metrics, settings->route_count + 1, 0) &&
              clients_init(&kit->clients, 16);
  assert(made && kit->marks != NULL && kit->uploads != NULL);
  make_plugins(kit);
  make_gate(kit);
  struct ingress_settings limits = patient;
  limits.memory = &kit->memory;
  struct ingress_owner owner = {
      .request = kit_on_request, .count = kit_on_count, .arg = kit};
  kit->ingress = ingress_new(kit->loop, NULL, &limits, &owner);
  assert(kit->ingress != NULL);
}

void gatekit_turn(struct gatekit *kit) {
  for (int i = 0; i < TURNS; i++)
    event_base_loop(loop_base(kit->loop), EVLOOP_NONBLOCK);
}

struct timers {
  struct event *list[TIMERS_MAX];
  size_t count;
};

static int note_timer(const struct event_base *base, const struct event *event,
                      void *arg) {
  struct timers *timers = arg;
  (void)base;
  if (event_get_fd(event) < 0 && event_pending(event, EV_TIMEOUT, NULL) &&
      timers->count < TIMERS_MAX)
    timers->list[timers->count++] = (struct event *)event;
  return 0;
}

void gatekit_hurry(struct gatekit *kit) {
  struct timers timers = {.count = 0};
  event_base_foreach_event(loop_base(kit->loop), note_timer, &timers);
  for (size_t i = 0; i < timers.count; i++)
    event_active(timers.list[i], EV_TIMEOUT, 1);
  gatekit_turn(kit);
}

static bool is_idle(const struct gatekit *kit) {
  const struct gate *gate = &kit->gate;
  return gate->exchanges == 0 && gate->debt.count == 0 &&
         kit->backend.host.debt.count == 0;
}

void gatekit_end(struct gatekit *kit) {
  int turns = 0;
  kit->gate.draining = true;
  ingress_drain(kit->ingress);
  gatekit_turn(kit);
  ingress_close(kit->ingress);
  exchange_break_off(&kit->gate);
  gatekit_resume(kit);
  for (; !is_idle(kit) && turns < TURNS_MAX; turns++) {
    exchange_break_off(&kit->gate);
    gatekit_turn(kit);
    if (turns > TURNS) /* a thread of the pool is at work */
      usleep(100);
    if (turns > PATIENCE) /* or nobody but a clock */
      gatekit_hurry(kit);
  }
  assert(is_idle(kit));
  assert(ingress_open(kit->ingress) == 0);
}

void gatekit_fini(struct gatekit *kit) {
  struct gate *gate = &kit->gate;
  loop_stop(kit->loop);
  loop_run(kit->loop);
  repeat_end(&kit->backend.repeats);
  repeat_end(&kit->hook.repeats);
  repeat_end(&kit->refusals);
  readiness_free(gate->readiness);
  linksecrets_free(gate->links);
  revocations_free(gate->revocations);
  linkuses_free(gate->linkuses);
  exchange_free_pending(gate);
  headerlines_fini(&gate->lines);
  ingress_free(kit->ingress);
  marks_free(kit->marks);
  assert(atomic_load(&kit->memory.free) == GATEKIT_MEMORY);
  uploads_free(kit->uploads);
  clients_fini(&kit->clients);
  loop_free(kit->loop);
  gatestore_free(kit->store);
  metrics_fini(&kit->metrics);
}
