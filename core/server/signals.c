/* SPDX-License-Identifier: MIT
 *
 * A table of signals: all that would end a process which doesn't know them,
 * and that others send.
 */
#include "signals.h"

#include <signal.h>

static const struct {
  const char *name;
  int number;
  enum signal_meaning meaning;
} table[] = {
    {"SIGTERM", SIGTERM, SIGNAL_STOP},
    {"SIGINT", SIGINT, SIGNAL_STOP},
    {"SIGQUIT", SIGQUIT, SIGNAL_STOP},
    {"SIGXCPU", SIGXCPU,
     SIGNAL_STOP}, /* the limit of processor time comes near */
    {"SIGHUP", SIGHUP,
     SIGNAL_RELOAD}, /* nor does a terminal that goes away end it */
    {"SIGUSR1", SIGUSR1, SIGNAL_NONE},
    {"SIGUSR2", SIGUSR2, SIGNAL_NONE},
    {"SIGALRM", SIGALRM, SIGNAL_NONE},
    {"SIGVTALRM", SIGVTALRM, SIGNAL_NONE},
    {"SIGPROF", SIGPROF, SIGNAL_NONE},
    {"SIGIO", SIGIO, SIGNAL_NONE},
    {"SIGPWR", SIGPWR, SIGNAL_NONE},
    {"SIGSTKFLT", SIGSTKFLT, SIGNAL_NONE},
};

#define COUNT (sizeof table / sizeof *table)

_Static_assert(COUNT <= SIGNALS_MAX, "each has its event");

static void mask(int how) {
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < COUNT; i++)
    sigaddset(&set, table[i].number);
  pthread_sigmask(how, &set, NULL);
}

/* The signals of writes to a closed pipe or past a limit, which have an error
 * as well, and those that have no meaning to anybody. */
static void ignore_rest(void) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
    signal(number, SIG_IGN);
}

void signals_hold(void) {
  ignore_rest();
  mask(SIG_BLOCK);
}

void signals_release(void) {
  mask(SIG_UNBLOCK);
}

static void signals_on_signal(evutil_socket_t number, short what, void *arg) {
  const struct signals_event *event = arg;
  struct signals *signals = event->signals;
  (void)number, (void)what;
  size_t i = (size_t)(event - signals->events);
  signals->told(signals->arg, table[i].name, table[i].meaning);
}

bool signals_watch(struct signals *signals, struct event_base *base,
                   void (*told)(void *arg, const char *name,
                                enum signal_meaning),
                   void *arg) {
  *signals = (struct signals){.told = told, .arg = arg};
  for (; signals->count < COUNT; signals->count++) {
    struct signals_event *event = &signals->events[signals->count];
    event->signals = signals;
    event->event = evsignal_new(base, table[signals->count].number,
                                signals_on_signal, event);
    if (event->event == NULL || event_add(event->event, NULL) < 0)
      return false;
  }
  return true;
}

void signals_unwatch(struct signals *signals) {
  for (size_t i = 0; i < COUNT; i++)
    if (signals->events[i].event != NULL)
      event_free(signals->events[i].event);
}
