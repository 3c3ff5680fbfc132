/* SPDX-License-Identifier: MIT
 *
 * The gateway is the program's own, by gateway_run(), over the storage of the
 * simulation or over `local`.  Only its end by SIGKILL isn't here: the others
 * are a process's own.
 */
#include "day.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "acts.h"
#include "budget.h"
#include "gateway.h"
#include "libc.h"
#include "log.h"
#include "schedule.h"

#define CLIENTS_MAX 6
#define ACTS_MAX 40
#define LIVES_MAX 3
#define LIFE_US 200000000
#define PAUSE_US 3000000
#define STARTS_MAX 5 /* the last one by a disk that is well */
#define CONFIG "sluice.yaml"

bool __wrap_budget_take(struct budget *, size_t);
bool __real_budget_take(struct budget *, size_t);

static struct {
  const char *plugins;
  bool local;
  unsigned memory_permille;
  unsigned clients, at_work;
  bool ready;
  unsigned reloads; /* that change something, so far */
} day;

/* Charged memory runs short now and then. */
bool __wrap_budget_take(struct budget *budget, size_t bytes) {
  if (schedule_is_on() && chance_fault(FAULT_MEMORY, day.memory_permille))
    return false;
  return __real_budget_take(budget, bytes);
}

/* ---- the configuration -------------------------------------------------- */

static unsigned of(const unsigned *choices, size_t count) {
  return choices[chance_below(count)];
}

/* These are chosen once for a simulation. */
struct plan {
  unsigned workers, threads, memory_mib, lives;
};

static void write_config(const struct plan *plan) {
  static const unsigned times[] = {2, 5, 15, 30, 60};
  FILE *out = fopen(CONFIG, "w");
  if (out == NULL)
    trace_found("the configuration can't be written");
  fprintf(out,
          "server: {listen: ['unix:" CLIENT_SOCKET "'], workers: %u,\n"
          "  confine: 'off', core_dumps: true, log_level: debug,\n"
          "  public_url: 'http://a'}\n"
          "plugin_path: ['%s/tests/sim/.libs',\n"
          "  '%s/plugins/backend/local/.libs']\n",
          plan->workers, day.plugins, day.plugins);
  fprintf(out, day.local
                   ? "backends: {main: {plugin: local, directory: ./data}}\n"
                   : "backends: {main: {plugin: simstore}}\n");
  fprintf(out, "routes: [{mount: /files, backend: main}]\n"
               "links: {secret: 0123456789abcdef0123456789abcdef}\n"
               "uploads: {spool_directory: .}\n");
  fprintf(out,
          "limits: {threads: %u, memory: %uMiB, head_timeout: %us,\n"
          "  body_timeout: %us, idle_timeout: %us, write_timeout: %us,\n"
          "  backend_timeout: %us, drain_timeout: %us, min_rate: %uB}\n",
          plan->threads, plan->memory_mib, of(times, 5), of(times, 5),
          of(times, 5), of(times, 5), of(times, 5), of(times, 5),
          chance_percent(50) ? 0 : (unsigned)chance_below(2000));
  fclose(out);
  chmod(CONFIG, S_IRUSR | S_IWUSR); /* it has a secret */
}

static struct plan make_plan(void) {
  static const unsigned memories[] = {1, 2, 4, 64};
  static const unsigned memory_faults[] = {0, 0, 5, 30};
  static const unsigned disk_faults[] = {0, 0, 3, 30};
  day.local = chance_percent(30);
  day.memory_permille = of(memory_faults, 4);
  day.clients = 1 + (unsigned)chance_below(CLIENTS_MAX);
  libc_set_faults(&(struct libc_faults){.sync = of(disk_faults, 4),
                                        .full = of(disk_faults, 4)});
  return (struct plan){.workers = 1 + (unsigned)chance_below(2),
                       .threads = 1 + (unsigned)chance_below(4),
                       .memory_mib = of(memories, 4),
                       .lives = 1 + (unsigned)chance_below(LIVES_MAX)};
}

/* ---- who acts ----------------------------------------------------------- */

static void *client_run(void *arg) {
  struct actor *actor = arg;
  for (unsigned i = 0; i < actor->acts; i++) {
    act(actor);
    if (chance_percent(30))
      schedule_sleep(chance_below(PAUSE_US));
  }
  client_fini(&actor->client);
  day.at_work--;
  return NULL;
}

static void wait_ready(void) {
  while (!day.ready)
    schedule_sleep(10000);
}

static void stop_gateway(void) {
  day.ready = false;
  trace("SIGTERM");
  raise(SIGTERM);
}

/* A while of requests, with reloads. */
static void let_live(const struct plan *plan, bool last) {
  uint64_t until = schedule_now_us() + chance_below(LIFE_US);
  while (day.at_work > 0 && (last || schedule_now_us() < until)) {
    schedule_sleep(chance_below(LIFE_US / 5));
    if (!day.ready || !chance_fault(FAULT_RELOAD, 200))
      continue;
    trace("SIGHUP");
    write_config(plan);
    raise(SIGHUP);
  }
}

/* At the end there are no faults, and each key is what it can be. */
static void look_at_all(void) {
  struct actor actor = {.number = CLIENTS_MAX};
  chance_faults_on(false);
  trace("no more faults");
  client_init(&actor.client, "judge");
  for (size_t i = 0; i < history_count(); i++)
    act_settle(&actor, history_at(i));
  act_list(&actor);
  client_fini(&actor.client);
}

static void *operator_run(void *arg) {
  const struct plan *plan = arg;
  for (unsigned life = 1; life <= plan->lives; life++) {
    wait_ready();
    let_live(plan, life == plan->lives);
    if (life < plan->lives)
      chance_count(FAULT_STOP);
    else
      look_at_all();
    stop_gateway();
  }
  return NULL;
}

/* ---- the gateway -------------------------------------------------------- */

static void on_ready(struct gateway *gateway) {
  (void)gateway;
  day.ready = true;
}

/* All that was charged is given back. */
static void check_memory(const struct gateway *gateway) {
  int64_t free = atomic_load(&gateway->memory.free);
  int64_t all = (int64_t)gateway->fixed->limits.memory;
  if (free != all)
    trace_found("%lld bytes are charged at the end", (long long)(all - free));
}

static bool try_to_live(const struct plan *plan, struct errmsg *errmsg) {
  write_config(plan);
  struct gateway *gateway = gateway_new(CONFIG, ".", errmsg);
  if (gateway == NULL)
    trace_found("no gateway: %s", errmsg->text);
  log_set_level_word(gateway->fixed->server.log_level);
  gateway->ready = on_ready;
  bool ok = gateway_run(gateway, errmsg);
  check_memory(gateway);
  gateway_free(gateway);
  return ok;
}

/* A disk that fails may refuse a start, which has a reason then. */
static void live(const struct plan *plan) {
  struct errmsg errmsg = {0};
  for (unsigned i = 1; !try_to_live(plan, &errmsg); i++) {
    if (!day.local || day.ready || i == STARTS_MAX)
      trace_found("the gateway ends: %s", errmsg.text);
    trace("a start is refused");
    if (i == STARTS_MAX - 1)
      libc_set_faults(&(struct libc_faults){.sync = 0});
    schedule_sleep(chance_below(PAUSE_US));
  }
}

void day_run(uint64_t seed, const char *plugins, bool wants_trace,
             struct day_result *result) {
  struct actor actors[CLIENTS_MAX];
  struct task *tasks[CLIENTS_MAX + 1];
  day.plugins = plugins;
  chance_seed(seed);
  trace_want(wants_trace);
  schedule_begin();
  struct plan plan = make_plan();
  trace("seed %llu: %s, %u loops, %u clients", (unsigned long long)seed,
        day.local ? "local" : "simstore", plan.workers, day.clients);
  chance_faults_on(true);
  day.at_work = day.clients;
  for (unsigned i = 0; i < day.clients; i++) {
    char name[16];
    snprintf(name, sizeof name, "c%u", i);
    actors[i] = (struct actor){.number = i,
                               .acts = 1 + (unsigned)chance_below(ACTS_MAX)};
    client_init(&actors[i].client, name);
    tasks[i] = schedule_add(name, client_run, &actors[i]);
  }
  tasks[day.clients] = schedule_add("operator", operator_run, &plan);
  for (unsigned life = 0; life < plan.lives; life++)
    live(&plan);
  for (unsigned i = 0; i <= day.clients; i++)
    schedule_join(tasks[i]);
  *result = (struct day_result){.turns = schedule_turns(),
                                .virtual_us = schedule_now_us(),
                                .requests = acts_requests(),
                                .lives = plan.lives};
  schedule_end();
  history_fini();
  for (int i = 0; i < 6; i++)
    result->statuses[i] = acts_statuses(i);
  for (unsigned i = 0; i < FAULT_KINDS; i++)
    result->faults[i] = chance_counted(i);
  result->hash = trace_hash();
}
