/* SPDX-License-Identifier: MIT
 *
 * Passwords that are being checked.  The thread sees a check's own memory
 * only; the list belongs to the loop.
 */
#include "checks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "credential.h"
#include "hash.h"

struct check {
  TAILQ_ENTRY(check) in_line;
  TAILQ_HEAD(waiters, checks_waiter) waiters;
  struct checks *checks;
  unsigned char key[DIGEST_SHA256_LEN];
  char password[CREDENTIAL_PASSWORD_MAX + 1];
  char hash[HASH_MAX + 1];
  bool decoy, good;
};

struct checks {
  struct sluice_host *host;
  size_t max, count;
  TAILQ_HEAD(line, check) line; /* the first one is at work */
  void (*done)(void *arg, const unsigned char *key, bool good);
  void *arg;
};

struct checks *checks_new(struct sluice_host *host, size_t max,
                          void (*done)(void *arg, const unsigned char *key,
                                       bool good),
                          void *arg) {
  struct checks *checks = calloc(1, sizeof *checks);
  if (checks == NULL)
    return NULL;
  checks->host = host;
  checks->max = max;
  checks->done = done;
  checks->arg = arg;
  TAILQ_INIT(&checks->line);
  return checks;
}

void checks_free(struct checks *checks) {
  assert(checks == NULL || checks->count == 0);
  free(checks);
}

static void on_thread(void *arg) {
  struct check *check = arg;
  bool good = hash_matches(check->hash, check->password);
  check->good = good && !check->decoy;
  digest_wipe(check->password, sizeof check->password);
}

static void on_checked(void *arg);

static void start_first(struct checks *checks) {
  struct check *check = TAILQ_FIRST(&checks->line);
  if (check != NULL)
    sluice_work(checks->host, on_thread, on_checked, check);
}

static void on_checked(void *arg) {
  struct check *check = arg;
  struct checks *checks = check->checks;
  struct checks_waiter *waiter;
  TAILQ_REMOVE(&checks->line, check, in_line);
  checks->count--;
  start_first(checks);
  checks->done(checks->arg, check->key, check->good);
  while ((waiter = TAILQ_FIRST(&check->waiters)) != NULL) {
    TAILQ_REMOVE(&check->waiters, waiter, in_line);
    waiter->then(waiter, check->good);
  }
  digest_wipe(check, sizeof *check);
  free(check);
}

static struct check *find(const struct checks *checks,
                          const unsigned char *key) {
  struct check *check;
  TAILQ_FOREACH(check, &checks->line, in_line)
  if (digest_equal(check->key, key, sizeof check->key))
    return check;
  return NULL;
}

static struct check *check_new(struct checks *checks,
                               const struct checks_question *question) {
  size_t password = strlen(question->password), hash = strlen(question->hash);
  struct check *check = calloc(1, sizeof *check);
  if (check == NULL)
    return NULL;
  assert(password < sizeof check->password && hash < sizeof check->hash);
  TAILQ_INIT(&check->waiters);
  check->checks = checks;
  check->decoy = question->decoy;
  memcpy(check->key, question->key, sizeof check->key);
  memcpy(check->password, question->password, password + 1);
  memcpy(check->hash, question->hash, hash + 1);
  return check;
}

bool checks_ask(struct checks *checks, const struct checks_question *question,
                struct checks_waiter *waiter) {
  struct check *check = find(checks, question->key);
  if (check == NULL) {
    if (checks->count == checks->max)
      return false;
    check = check_new(checks, question);
    if (check == NULL)
      return false;
    TAILQ_INSERT_TAIL(&checks->line, check, in_line);
    if (++checks->count == 1)
      start_first(checks);
  }
  TAILQ_INSERT_TAIL(&check->waiters, waiter, in_line);
  return true;
}
