/* SPDX-License-Identifier: MIT
 *
 * This is what the files of the bench's client share: a plan of requests,
 * tallies of what was answered, and the workers that keep connections busy.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONNECTIONS_MAX 20000
#define THREADS_MAX 64
#define BODY_ROOM (1u << 20)
#define HEAD_ROOM 8192
#define MARK "########"
#define MARK_LEN 8

struct piece {
  const char *head, *tail;
  size_t head_len, tail_len;
  uint64_t body_len;
  size_t mark; /* where the number goes in the head; SIZE_MAX: nowhere */
};

struct plan {
  struct piece *pieces;
  size_t count;
  int body_fd; /* BODY_ROOM bytes in memory, also mapped: */
  char *body;
};

/* Latencies by powers of two, each cut in FINE: within 1.6 %. */
#define FINE 64
#define SPANS 40

struct tally {
  uint64_t requests; /* answered */
  uint64_t bad;      /* of them with another status than 2xx or 304 */
  uint64_t broken;   /* connections, before a whole answer */
  uint64_t sent, got;
  uint64_t ended; /* when the last answer was whole */
  uint64_t longest;
  uint64_t taking[SPANS * FINE];
};

/* Connections that stay open after one answer. */
enum idle { IDLE_NOT, IDLE_IN_TURN, IDLE_AT_ONCE };

struct client {
  uint16_t port;
  unsigned connections, threads;
  uint64_t most;  /* requests in all */
  uint64_t until; /* no request begins later; 0: no such time */
  uint64_t first; /* number of the first request */
  enum idle idle;
  uint64_t started;
  struct plan plan;
  atomic_uint_fast64_t next;
  pthread_barrier_t start;
};

struct worker {
  pthread_t thread;
  struct client *client;
  unsigned connections;
  struct tally tally;
};

void die(const char *format, ...)
    __attribute__((noreturn, format(printf, 1, 2)));
uint64_t now_ns(void);

void plan_read(struct plan *plan, const char *path);

void tally_count(struct tally *tally, uint64_t ns);
void tally_add(struct tally *all, const struct tally *one);
/* In microseconds. */
double tally_quantile(const struct tally *tally, double share);

/* Opens the worker's connections; it then waits for the start. */
void worker_start(struct worker *worker, struct client *client, unsigned i);

#endif
