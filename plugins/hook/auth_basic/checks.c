/* SPDX-License-Identifier: MIT
 *
 * Passwords that are being checked.  The thread sees a check's own memory
 * only; the lines belong to the loop.
 */
#include "checks.h"

#include <stdlib.h>
#include <string.h>

#include "credential.h"
#include "hash.h"
#include "must.h"

struct check {
  TAILQ_ENTRY(check) in_line;
  TAILQ_HEAD(waiters, checks_waiter) waiters;
  struct checks *checks;
  struct checks_question question; /* about the copies below */
  char password[CREDENTIAL_PASSWORD_MAX + 1];
  char hash[HASH_MAX + 1];
  enum hash_result result;
};

struct line { /* of a client that has any */
  TAILQ_ENTRY(line) in_turn;
  TAILQ_HEAD(queue, check) checks;
  uint64_t client;
  size_t count;
};

struct checks {
  struct sluice_host *host;
  const struct checks_calls *calls;
  void *arg;
  size_t max, count;             /* with the one at work */
  struct check *at_work;         /* in no line; NULL: none */
  TAILQ_HEAD(turns, line) turns; /* the next one first */
};

struct checks *checks_new(struct sluice_host *host, size_t max,
                          const struct checks_calls *calls, void *arg) {
  struct checks *checks = calloc(1, sizeof *checks);
  if (checks == NULL)
    return NULL;
  checks->host = host;
  checks->calls = calls;
  checks->arg = arg;
  checks->max = max;
  TAILQ_INIT(&checks->turns);
  return checks;
}

void checks_free(struct checks *checks) {
  must(checks == NULL || checks->count == 0);
  free(checks);
}

/* ---- a check ------------------------------------------------------------ */

static struct check *check_new(struct checks *checks,
                               const struct checks_question *question) {
  size_t password = strlen(question->password), hash = strlen(question->hash);
  struct check *check = calloc(1, sizeof *check);
  if (check == NULL)
    return NULL;
  must(password < sizeof check->password && hash < sizeof check->hash);
  TAILQ_INIT(&check->waiters);
  check->checks = checks;
  memcpy(check->password, question->password, password + 1);
  memcpy(check->hash, question->hash, hash + 1);
  check->question = *question;
  check->question.password = check->password;
  check->question.hash = check->hash;
  return check;
}

static void check_free(struct check *check) {
  digest_wipe(check, sizeof *check);
  free(check);
}

/* Tells those that wait for it, and frees it. */
static void check_end(struct check *check, enum checks_result result) {
  struct checks_waiter *waiter;
  check->checks->count--;
  while ((waiter = TAILQ_FIRST(&check->waiters)) != NULL) {
    TAILQ_REMOVE(&check->waiters, waiter, in_line);
    waiter->then(waiter, result);
  }
  check_free(check);
}

static bool check_is(const struct check *check, const unsigned char *key) {
  return digest_equal(check->question.key, key, sizeof check->question.key);
}

/* ---- lines -------------------------------------------------------------- */

static struct line *line_of(const struct checks *checks, uint64_t client) {
  struct line *line;
  for (line = TAILQ_FIRST(&checks->turns); line != NULL;
       line = TAILQ_NEXT(line, in_turn))
    if (line->client == client)
      return line;
  return NULL;
}

static struct line *line_longest(const struct checks *checks) {
  struct line *line, *longest = NULL;
  for (line = TAILQ_FIRST(&checks->turns); line != NULL;
       line = TAILQ_NEXT(line, in_turn))
    if (longest == NULL || line->count > longest->count)
      longest = line;
  return longest;
}

/* The client whose check is at work had a turn: its line stays the last. */
static void line_queue(struct checks *checks, struct line *line) {
  struct line *last = TAILQ_LAST(&checks->turns, turns);
  if (last != NULL && last->client == checks->at_work->question.client)
    TAILQ_INSERT_BEFORE(last, line, in_turn);
  else
    TAILQ_INSERT_TAIL(&checks->turns, line, in_turn);
}

/* `line` NULL: it is new.  False: no memory. */
static bool line_add(struct checks *checks, struct line *line,
                     struct check *check) {
  if (line == NULL) {
    line = calloc(1, sizeof *line);
    if (line == NULL)
      return false;
    line->client = check->question.client;
    TAILQ_INIT(&line->checks);
    line_queue(checks, line);
  }
  TAILQ_INSERT_TAIL(&line->checks, check, in_line);
  line->count++;
  return true;
}

static void line_take(struct checks *checks, struct line *line,
                      struct check *check) {
  TAILQ_REMOVE(&line->checks, check, in_line);
  TAILQ_REMOVE(&checks->turns, line, in_turn);
  if (--line->count == 0)
    free(line);
  else
    TAILQ_INSERT_TAIL(&checks->turns, line, in_turn);
}

/* A question that the client asks already; the one at work answers
 * everybody. */
static struct check *checks_find(const struct checks *checks,
                                 const struct line *line,
                                 const unsigned char *key) {
  struct check *check;
  if (checks->at_work != NULL && check_is(checks->at_work, key))
    return checks->at_work;
  if (line == NULL)
    return NULL;
  for (check = TAILQ_FIRST(&line->checks); check != NULL;
       check = TAILQ_NEXT(check, in_line))
    if (check_is(check, key))
      return check;
  return NULL;
}

/* ---- at work ------------------------------------------------------------ */

static void on_thread(void *arg) {
  struct check *check = arg;
  check->result = hash_check(check->hash, check->password);
  digest_wipe(check->password, sizeof check->password);
}

static void checks_on_checked(void *arg);

static void work_on(struct checks *checks, struct check *check) {
  checks->at_work = check;
  sluice_work(checks->host, on_thread, checks_on_checked, check);
}

static void work_on_next(struct checks *checks) {
  struct line *line;
  while (checks->at_work == NULL &&
         (line = TAILQ_FIRST(&checks->turns)) != NULL) {
    struct check *check = TAILQ_FIRST(&line->checks);
    line_take(checks, line, check);
    if (checks->calls->may(checks->arg, check->question.who))
      work_on(checks, check);
    else
      check_end(check, CHECKS_BARRED);
  }
}

static void checks_on_checked(void *arg) {
  struct check *check = arg;
  struct checks *checks = check->checks;
  enum checks_result result = CHECKS_BUSY;
  if (check->result != HASH_FAILED) {
    bool right = check->result == HASH_RIGHT && !check->question.decoy;
    result = right ? CHECKS_RIGHT : CHECKS_WRONG;
    checks->calls->done(checks->arg, &check->question, right);
  }
  checks->at_work = NULL;
  work_on_next(checks);
  check_end(check, result);
}

/* ---- asking ------------------------------------------------------------- */

/* The last one of the longest line gives way, where that evens them out. */
static bool make_room(struct checks *checks, const struct line *line) {
  struct line *longest = line_longest(checks);
  size_t count = line == NULL ? 0 : line->count;
  if (checks->count < checks->max)
    return true;
  if (longest == NULL || longest->count <= count + 1)
    return false;
  struct check *last = TAILQ_LAST(&longest->checks, queue);
  TAILQ_REMOVE(&longest->checks, last, in_line);
  longest->count--;
  check_end(last, CHECKS_BUSY);
  return true;
}

/* Puts it at work or into its line; NULL: there is no room, or no memory. */
static struct check *checks_add(struct checks *checks, struct line *line,
                                const struct checks_question *question) {
  struct check *check =
      make_room(checks, line) ? check_new(checks, question) : NULL;
  if (check == NULL)
    return NULL;
  if (checks->at_work == NULL) { /* so that no line has any */
    work_on(checks, check);
  } else if (!line_add(checks, line, check)) {
    check_free(check);
    return NULL;
  }
  checks->count++;
  return check;
}

bool checks_ask(struct checks *checks, const struct checks_question *question,
                struct checks_waiter *waiter) {
  struct line *line = line_of(checks, question->client);
  struct check *check = checks_find(checks, line, question->key);
  if (check == NULL)
    check = checks_add(checks, line, question);
  if (check == NULL)
    return false;
  TAILQ_INSERT_TAIL(&check->waiters, waiter, in_line);
  return true;
}
