/* SPDX-License-Identifier: MIT
 *
 * The caller of a request.  What was found of a password is kept below a keyed
 * digest of user, password and hash, so that a new hash is a new question.
 * Nothing that is said or done tells a user who isn't there from a password
 * that is wrong.
 *
 * Before anything is looked up, whoever had too many wrong passwords is told
 * to wait: memory of right ones isn't there to be guessed at, either.
 */
#include "auth_basic.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "credential.h"
#include "htpasswd.h"

#define WRONG_TIME_MAX 10000 /* ms that a wrong one is remembered */
#define QUESTION_MAX 1024    /* bytes of user, password and hash */

/* For a file without users.  Of bcrypt, and no password's. */
static const char no_hash[] =
    "$2b$05$......................DuZlQ3aRTnkSDxc4ySaLbHl4DyY8ZVe";

struct caller { /* what a request keeps */
  struct checks_waiter waiter;
  const struct handle *handle;
  struct sluice_request *request;
  bool known;
  uint64_t who;  /* under which failures count */
  unsigned wait; /* seconds, of one that has to */
  char name[HTPASSWD_NAME_MAX + 1];
  unsigned char entry[DIGEST_SHA256_LEN]; /* of the hash, not the password */
};

static int64_t now_ms(void) {
  return (int64_t)clock_ms();
}

/* ---- the question ------------------------------------------------------- */

/* Names and passwords have no NUL, so that the parts can't be shifted. */
static bool make_key(const struct instance *instance,
                     const struct credential_basic *basic, const char *hash,
                     unsigned char key[DIGEST_SHA256_LEN]) {
  char text[QUESTION_MAX];
  int len = snprintf(text, sizeof text, "%s%c%s%c%s", basic->user, '\0',
                     basic->password, '\0', hash);
  bool fits = len > 0 && (size_t)len < sizeof text;
  if (fits)
    digest_key_sum(instance->secret, key, text, (size_t)len);
  digest_wipe(text, sizeof text);
  return fits;
}

/* A user that isn't there has the hash of one that is, always the same one, so
 * that both take the same time. */
static const char *decoy(const struct instance *instance,
                         const struct htpasswd *users, const char *name) {
  unsigned char sum[DIGEST_SHA256_LEN];
  uint32_t number;
  if (users->count == 0)
    return no_hash;
  digest_key_sum(instance->secret, sum, name, strlen(name));
  memcpy(&number, sum, sizeof number);
  return users->users[number % users->count].hash;
}

static void hash_entry(const struct htpasswd_user *user,
                       unsigned char sum[DIGEST_SHA256_LEN]) {
  digest_sha256(sum, user->hash, strlen(user->hash));
}

/* ---- the answer --------------------------------------------------------- */

static enum sluice_verdict deny(struct caller *caller) {
  sluice_request_refuse(caller->request, SLUICE_EAUTH,
                        "The user name or the password is wrong");
  return SLUICE_DENY;
}

static enum sluice_verdict busy(struct caller *caller) {
  sluice_request_refuse(caller->request, SLUICE_EBUSY,
                        "Too many passwords are being checked; try again");
  return SLUICE_DENY;
}

static enum sluice_verdict bar(struct caller *caller, uint64_t wait_usec) {
  char message[96];
  uint64_t seconds = wait_usec / 1000000 + 1;
  caller->wait = (unsigned)seconds;
  snprintf(message, sizeof message,
           "Too many wrong passwords came from this address; try again in "
           "%u s",
           caller->wait);
  sluice_request_refuse(caller->request, SLUICE_ERATE, message);
  return SLUICE_DENY;
}

static enum sluice_verdict caller_admit(struct caller *caller) {
  const struct instance *instance = caller->handle->instance;
  const char *operation = sluice_request_operation(caller->request);
  if (!sluice_request_identify(caller->request, caller->name))
    return deny(caller);
  failures_admit(instance->failures, sluice_request_client(caller->request),
                 caller->name, clock_us());
  caller->known = true;
  grants_show(&instance->grants, caller->request);
  if (grants_allow(&instance->grants, operation))
    return SLUICE_ALLOW;
  sluice_request_refuse(caller->request, SLUICE_EDENIED,
                        "Users may not do this");
  return SLUICE_DENY;
}

/* ---- passwords that are checked ----------------------------------------- */

static bool caller_may(void *arg, uint64_t who) {
  const struct handle *handle = arg;
  return failures_wait(handle->instance->failures, who, clock_us()) == 0;
}

static void caller_found(void *arg, const struct checks_question *question,
                         bool right) {
  const struct handle *handle = arg;
  int64_t time = handle->instance->conf->cache_time;
  if (!right)
    failures_add(handle->instance->failures, question->who, clock_us());
  if (time == 0)
    return;
  if (!right && time > WRONG_TIME_MAX)
    time = WRONG_TIME_MAX;
  seen_add(right ? handle->good : handle->bad, question->key, now_ms() + time);
}

const struct checks_calls caller_calls = {.may = caller_may,
                                          .done = caller_found};

static enum sluice_verdict caller_judge(struct caller *caller,
                                        enum checks_result result) {
  const struct failures *failures = caller->handle->instance->failures;
  switch (result) {
  case CHECKS_RIGHT:
    return caller_admit(caller);
  case CHECKS_WRONG:
    return deny(caller);
  case CHECKS_BARRED:
    return bar(caller, failures_wait(failures, caller->who, clock_us()));
  case CHECKS_BUSY:
    break;
  }
  return busy(caller);
}

static void caller_on_checked(struct checks_waiter *waiter,
                              enum checks_result result) {
  struct caller *caller =
      (struct caller *)((char *)waiter - offsetof(struct caller, waiter));
  sluice_request_resume(caller->request, caller_judge(caller, result));
}

/* ---- on_request --------------------------------------------------------- */

/* False: there is too much of it, so that it can't be right. */
static bool make_question(struct caller *caller,
                          const struct credential_basic *basic,
                          struct checks_question *question) {
  const struct instance *instance = caller->handle->instance;
  const struct htpasswd *users = watch_get(caller->handle->watch);
  const struct htpasswd_user *user = htpasswd_find(users, basic->user);
  *question = (struct checks_question){
      .client = failures_client(instance->failures,
                                sluice_request_client(caller->request)),
      .who = caller->who,
      .hash = user != NULL ? user->hash : decoy(instance, users, basic->user),
      .password = basic->password,
      .decoy = user == NULL};
  if (user != NULL)
    hash_entry(user, caller->entry);
  return make_key(instance, basic, question->hash, question->key);
}

static enum sluice_verdict caller_ask(struct caller *caller,
                                      const struct credential_basic *basic) {
  const struct handle *handle = caller->handle;
  const struct failures *failures = handle->instance->failures;
  struct checks_question question;
  snprintf(caller->name, sizeof caller->name, "%s", basic->user);
  caller->who = failures_who(failures, sluice_request_client(caller->request),
                             caller->name, clock_us());
  uint64_t wait = failures_wait(failures, caller->who, clock_us());
  if (wait > 0)
    return bar(caller, wait);
  if (!make_question(caller, basic, &question))
    return deny(caller);
  if (seen_has(handle->good, question.key, now_ms()))
    return caller_admit(caller);
  if (seen_has(handle->bad, question.key, now_ms()))
    return deny(caller);
  caller->waiter.then = caller_on_checked;
  return checks_ask(handle->checks, &question, &caller->waiter) ? SLUICE_WAIT
                                                                : busy(caller);
}

enum sluice_verdict caller_on_request(void *arg,
                                      struct sluice_request *request) {
  struct caller *caller = sluice_request_state(request, sizeof *caller);
  struct credential_basic basic;
  const char *header = sluice_request_header(request, "Authorization");
  if (credential_basic(header, &basic) != CREDENTIAL_GOOD)
    return SLUICE_PASS;
  caller->handle = arg;
  caller->request = request;
  enum sluice_verdict verdict = caller_ask(caller, &basic);
  credential_basic_wipe(&basic);
  return verdict;
}

/* Between the phases of an upload the file may have changed. */
enum sluice_verdict caller_on_key(void *arg, struct sluice_request *request) {
  const struct handle *handle = arg;
  struct caller *caller = sluice_request_state(request, sizeof *caller);
  unsigned char entry[DIGEST_SHA256_LEN];
  if (!caller->known)
    return SLUICE_PASS;
  const struct htpasswd_user *user =
      htpasswd_find(watch_get(handle->watch), caller->name);
  if (user == NULL)
    return deny(caller);
  hash_entry(user, entry);
  if (!digest_equal(entry, caller->entry, sizeof entry))
    return deny(caller);
  const struct grants *grants = &handle->instance->grants;
  if (grants_allow(grants, sluice_request_operation(request)) &&
      grants_reach(grants, caller->name, sluice_request_key(request)))
    return SLUICE_PASS;
  sluice_request_refuse(request, SLUICE_EDENIED,
                        "This key isn't one of the user's");
  return SLUICE_DENY;
}

unsigned caller_wait(struct sluice_request *request) {
  const struct caller *caller = sluice_request_state(request, sizeof *caller);
  return caller->wait;
}
