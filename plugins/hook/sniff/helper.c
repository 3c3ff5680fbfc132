/* SPDX-License-Identifier: MIT
 *
 * It blocks, on threads of the pool and in start(), and never for longer than
 * it was told.  What ends a helper, or holds it up until its time is over,
 * fails the object at which it was looking, and no other one.
 */
#include "helper.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "launcher.h"
#include "sniffwire.h"

#define PATIENT 3             /* starts that fail in a row: then it pauses */
#define START_US 2000000      /* that a start may take, at least */
#define LEFT_US 50000         /* with less, a look isn't begun */
#define PAUSE_US 1000000      /* between starts from then on, times failures */
#define PAUSE_MAX_US 30000000 /* at most */

void helper_init(struct helper *helper, struct sluice_host *host,
                 int database) {
  *helper = (struct helper){.host = host, .database = database, .socket = -1};
}

/* ---- waiting ------------------------------------------------------------ */

/* False: its time is over. */
static bool helper_wait(const struct helper *helper, short what,
                        uint64_t until_us) {
  struct pollfd wait = {.fd = helper->socket, .events = what};
  for (;;) {
    uint64_t now = clock_us();
    if (now >= until_us)
      return false;
    int ready = poll(&wait, 1, (int)((until_us - now) / 1000 + 1));
    if (ready > 0)
      return true;
    if (ready < 0 && errno != EINTR)
      return false;
  }
}

static bool is_for_later(void) {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static bool helper_send(const struct helper *helper, const void *bytes,
                        size_t size, uint64_t until_us, struct errmsg *why) {
  for (const char *at = bytes; size > 0;) {
    ssize_t put = send(helper->socket, at, size, MSG_NOSIGNAL);
    if (put < 0 && !is_for_later())
      return errmsg_set(why, "the helper that looked at it has ended");
    if (put < 0 && !helper_wait(helper, POLLOUT, until_us))
      return errmsg_set(why, "the helper took longer than timeout");
    if (put > 0) {
      at += put;
      size -= (size_t)put;
    }
  }
  return true;
}

static bool helper_hear(const struct helper *helper, uint64_t until_us,
                        struct sniffwire_answer *answer, struct errmsg *why) {
  unsigned char bytes[SNIFFWIRE_MAX];
  size_t used = 0;
  for (;;) {
    enum sniffwire_state state = sniffwire_read(bytes, used, answer);
    if (state == SNIFFWIRE_WHOLE)
      return true;
    if (state == SNIFFWIRE_NONSENSE || used == sizeof bytes)
      return errmsg_set(why, "the helper answered what makes no sense");
    if (!helper_wait(helper, POLLIN, until_us))
      return errmsg_set(why, "the helper took longer than timeout");
    ssize_t got = recv(helper->socket, bytes + used, sizeof bytes - used, 0);
    if (got == 0 || (got < 0 && !is_for_later()))
      return errmsg_set(why, "the helper that looked at it has ended");
    used += got > 0 ? (size_t)got : 0;
  }
}

/* ---- one after the other ------------------------------------------------ */

/* Its socket is all that a helper lives by. */
static void helper_drop(struct helper *helper) {
  if (helper->socket < 0)
    return;
  close(helper->socket);
  helper->socket = -1;
}

static void helper_lose(struct helper *helper) {
  helper_drop(helper);
  helper->lost = true;
}

/* Bytes that end helpers cost a start each.  Starts that fail cost time, which
 * others needn't wait for. */
static void helper_fail(struct helper *helper) {
  helper_lose(helper);
  helper->failures++;
  if (helper->failures < PATIENT)
    return;
  uint64_t pause = helper->failures * (uint64_t)PAUSE_US;
  helper->again_us =
      clock_us() + (pause < PAUSE_MAX_US ? pause : PAUSE_MAX_US);
}

bool helper_pauses(const struct helper *helper) {
  return clock_us() < helper->again_us;
}

/* It said that it is ready. */
static bool helper_greet(struct helper *helper, uint64_t until_us,
                         struct errmsg *err) {
  struct sniffwire_answer answer;
  struct errmsg why;
  if (!helper_hear(helper, until_us, &answer, &why))
    return errmsg_set(err, "a helper was started and didn't get ready: %s",
                      why.text);
  if (answer.word == SNIFFWIRE_READY)
    return true;
  return errmsg_set(err, "it %s", answer.text);
}

bool helper_begin(struct helper *helper, uint64_t until_us,
                  struct errmsg *err) {
  helper->socket = launcher_start(helper->database, err);
  if (helper->socket < 0)
    return false;
  if (helper_greet(helper, until_us, err))
    return true;
  helper_drop(helper);
  return false;
}

/* One that has ended while nobody asked it takes nothing with it. */
static void helper_notice(struct helper *helper) {
  struct pollfd look = {.fd = helper->socket, .events = POLLIN};
  if (helper->socket < 0 || poll(&look, 1, 0) <= 0)
    return;
  sluice_log(helper->host, SLUICE_LOG_WARN,
             "a helper has ended by itself, or was ended");
  helper_lose(helper);
}

static bool helper_ready(struct helper *helper, uint64_t until_us,
                         struct errmsg *why) {
  helper_notice(helper);
  if (helper->socket >= 0)
    return true;
  if (helper_pauses(helper))
    return errmsg_set(why,
                      "helpers have failed %u times in a row; another "
                      "one is started in a while",
                      helper->failures);
  uint64_t started_us = clock_us() + START_US;
  if (!helper_begin(helper, until_us > started_us ? until_us : started_us,
                    why)) {
    helper_fail(helper);
    return false;
  }
  helper->failures = 0;
  if (helper->lost) {
    helper->restarts++;
    sluice_log(helper->host, SLUICE_LOG_WARN, "another helper was started");
  }
  helper->lost = false;
  return true;
}

static bool helper_ask(struct helper *helper, struct helper_task *task,
                       struct sniffwire_answer *answer) {
  unsigned char head[SNIFFWIRE_HEAD];
  uint64_t look_us = clock_us() + task->look_us;
  uint64_t until_us = look_us < task->until_us ? look_us : task->until_us;
  sniffwire_put_length(head, (uint32_t)task->size);
  return helper_send(helper, head, sizeof head, until_us, &task->why) &&
         helper_send(helper, task->bytes, task->size, until_us, &task->why) &&
         helper_hear(helper, until_us, answer, &task->why);
}

void helper_look(struct helper *helper, struct helper_task *task) {
  struct sniffwire_answer answer;
  task->found = false;
  if (clock_us() + LEFT_US >= task->until_us) {
    errmsg_set(&task->why, "no helper was free within twice timeout");
    return;
  }
  if (!helper_ready(helper, task->until_us, &task->why))
    return;
  if (!helper_ask(helper, task, &answer)) {
    helper_lose(helper);
    return;
  }
  task->found = true;
  /* Of the same bytes it would say the same another time. */
  if (answer.word != SNIFFWIRE_TYPE ||
      !mediatype_read(answer.text, strlen(answer.text), task->type))
    snprintf(task->type, sizeof task->type, "%s", MEDIATYPE_UNKNOWN);
}

void helper_fini(struct helper *helper) {
  helper_drop(helper);
}
