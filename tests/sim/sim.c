/* SPDX-License-Identifier: MIT
 *
 * Runs simulations, each in a process of its own:
 *
 *   sim                 those of the file `found`, then as many as
 *                       SLUICE_SIM_SEEDS says, from SLUICE_SIM_FIRST on
 *   sim SEED [COUNT]    these
 *   sim -v SEED         this one, with its trace and the gateway's log
 *
 * The same seed makes the same trace, which is tried of some.  A seed that
 * finds something is run again with its trace.
 */
#include "day.h"

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libraries.h"
#include "sanitized.h"

#define SKIPPED 77
#define SEEDS 200
#define TWICE_EVERY 10
#define PROGRESS_EVERY 500
#define FOUND_MAX 10
#define KEPT_MAX 1000
#define REAL_SECONDS 120 /* one that takes so long hangs */

static struct {
  char plugins[PATH_MAX]; /* the folder of the build */
  struct day_result sum;
  uint64_t seeds, twice, found;
} sim;

/* ---- one process -------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int flag,
                      struct FTW *at) {
  (void)st, (void)flag, (void)at;
  return remove(path);
}

static _Noreturn void run_here(uint64_t seed, bool wants_trace, int out) {
  const struct rlimit none = {0};
  struct day_result result;
  if (!wants_trace)
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
  setrlimit(RLIMIT_CORE, &none);
  alarm(REAL_SECONDS);
  day_run(seed, sim.plugins, wants_trace, &result);
  if (write(out, &result, sizeof result) != (ssize_t)sizeof result)
    abort();
  exit(0); /* where leaks are looked for */
}

/* True: it came to its end. */
static bool run_seed(uint64_t seed, bool wants_trace,
                     struct day_result *result) {
  char in_memory[] = "/dev/shm/sluice-sim.XXXXXX";
  char on_disk[] = "/tmp/sluice-sim.XXXXXX";
  int ends[2], status;
  const char *folder = mkdtemp(in_memory);
  if (folder == NULL)
    folder = mkdtemp(on_disk);
  if (folder == NULL || pipe2(ends, O_CLOEXEC) < 0)
    abort();
  pid_t child = fork();
  if (child == 0) {
    if (chdir(folder) < 0)
      abort();
    run_here(seed, wants_trace, ends[1]);
  }
  close(ends[1]);
  bool ok = read(ends[0], result, sizeof *result) == (ssize_t)sizeof *result;
  close(ends[0]);
  waitpid(child, &status, 0);
  nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
  return ok && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- many --------------------------------------------------------------- */

static void add(const struct day_result *result) {
  sim.seeds++;
  sim.sum.turns += result->turns;
  sim.sum.virtual_us += result->virtual_us;
  sim.sum.requests += result->requests;
  sim.sum.lives += result->lives;
  for (int i = 0; i < 6; i++)
    sim.sum.statuses[i] += result->statuses[i];
  for (int i = 0; i < FAULT_KINDS; i++)
    sim.sum.faults[i] += result->faults[i];
}

static void tell_found(uint64_t seed, const char *what) {
  struct day_result again;
  sim.found++;
  fprintf(stderr, "seed %" PRIu64 " %s; its trace:\n", seed, what);
  run_seed(seed, true, &again);
}

static void run_one(uint64_t seed) {
  struct day_result result, again;
  if (!run_seed(seed, false, &result)) {
    tell_found(seed, "has found something");
    return;
  }
  add(&result);
  if (sim.seeds % PROGRESS_EVERY == 0)
    fprintf(stderr, "%" PRIu64 " seeds\n", sim.seeds);
  if (sim.seeds % TWICE_EVERY != 1)
    return;
  sim.twice++;
  if (!run_seed(seed, false, &again) || again.hash != result.hash ||
      again.turns != result.turns)
    tell_found(seed, "isn't the same twice");
}

/* All are read before the first is run: who exits moves the place in a file
 * that its parent reads, too. */
static void run_kept(void) {
  char path[PATH_MAX], line[256];
  uint64_t seeds[KEPT_MAX];
  size_t n = 0;
  const char *srcdir = getenv("srcdir");
  snprintf(path, sizeof path, "%s/tests/sim/found",
           srcdir == NULL ? "." : srcdir);
  FILE *kept = fopen(path, "r");
  if (kept == NULL) {
    perror(path);
    exit(1);
  }
  while (n < KEPT_MAX && fgets(line, sizeof line, kept) != NULL)
    if (line[0] >= '0' && line[0] <= '9')
      seeds[n++] = strtoull(line, NULL, 10);
  fclose(kept);
  for (size_t i = 0; i < n; i++)
    run_one(seeds[i]);
}

/* A gateway that refuses everything contradicts nobody. */
static void look_at_sum(void) {
  if (sim.seeds < TWICE_EVERY || sim.sum.statuses[2] > sim.sum.requests / 3)
    return;
  fputs("less than a third of the requests had what they wanted\n", stderr);
  sim.found++;
}

static uint64_t number(const char *name, uint64_t otherwise) {
  const char *text = getenv(name);
  return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void tell(double seconds) {
  printf("%" PRIu64 " seeds, %" PRIu64 " of them twice, in %.1f s: %.1f hours "
         "of %" PRIu64 " gateways, %" PRIu64 " requests, %" PRIu64 " turns\n",
         sim.seeds, sim.twice, seconds, (double)sim.sum.virtual_us / 3600e6,
         sim.sum.lives, sim.sum.requests, sim.sum.turns);
  printf("answers: none %" PRIu64 ", 2xx %" PRIu64 ", 3xx %" PRIu64
         ", 4xx %" PRIu64 ", 5xx %" PRIu64 "\n",
         sim.sum.statuses[0], sim.sum.statuses[2], sim.sum.statuses[3],
         sim.sum.statuses[4], sim.sum.statuses[5]);
  for (int i = 0; i < FAULT_KINDS; i++)
    printf("%10" PRIu64 " %s\n", sim.sum.faults[i], chance_faults[i]);
  printf("%" PRIu64 " seeds have found something\n", sim.found);
}

static void find_plugins(void) {
  ssize_t len =
      readlink("/proc/self/exe", sim.plugins, sizeof sim.plugins - 1);
  if (len < 0)
    abort();
  sim.plugins[len] = '\0';
  for (int i = 0; i < 3; i++) /* tests/sim/sim */
    *strrchr(sim.plugins, '/') = '\0';
}

int main(int argc, char **argv) {
  struct timespec begun, ended;
  struct day_result result;
  if (SANITIZED && !SANITIZED_ADDRESS) {
    puts("skipped: ThreadSanitizer has threads of its own");
    return SKIPPED;
  }
  libraries_begin();
  find_plugins();
  if (argc > 2 && strcmp(argv[1], "-v") == 0)
    return run_seed(strtoull(argv[2], NULL, 10), true, &result) ? 0 : 1;
  uint64_t first = number("SLUICE_SIM_FIRST", 1);
  uint64_t count = number("SLUICE_SIM_SEEDS", SEEDS);
  if (argc > 1) {
    first = strtoull(argv[1], NULL, 10);
    count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
  } else {
    run_kept();
  }
  clock_gettime(CLOCK_MONOTONIC, &begun);
  for (uint64_t i = 0; i < count && sim.found < FOUND_MAX; i++)
    run_one(first + i);
  clock_gettime(CLOCK_MONOTONIC, &ended);
  look_at_sum();
  tell((double)(ended.tv_sec - begun.tv_sec) +
       (double)(ended.tv_nsec - begun.tv_nsec) / 1e9);
  return sim.found > 0 ? 1 : 0;
}
