/* SPDX-License-Identifier: MIT
 *
 * The client of tests/bench/run: keeps connections of an HTTP server busy
 * with the requests of a plan, again and again, and prints as JSON how many
 * were answered, in what time, and how long they took.  One epoll loop a
 * thread; bodies are sent from one file in memory and what comes is dropped
 * by the kernel, so that the server is what is measured.
 *
 *   client -p PORT [-c CONNECTIONS] [-t THREADS] [-n REQUESTS] [-s SECONDS]
 *          [-k FIRST] [-i | -I] PLAN
 *
 * No request is begun after -n of them or after -s seconds; those begun are
 * awaited.  With -i each connection gets one answer, one after the other, or
 * with -I all at once; then "ready" is printed, and they stay open until
 * standard input ends.
 *
 * A request of the plan is "HEAD BODY TAIL\n", three numbers of bytes, then
 * the bytes of its head and of its tail.  ######## in a head becomes the
 * number of the request, from -k on.
 */
#include "client.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t number(const char *text) {
  char *end;
  uint64_t value = strtoull(text, &end, 10);
  if (*text == '\0' || *end != '\0')
    die("not a number: %s", text);
  return value;
}

static void options(struct client *client, int argc, char **argv) {
  int option;
  client->connections = client->threads = 1;
  client->most = UINT64_MAX;
  while ((option = getopt(argc, argv, "p:c:t:n:s:k:iI")) != -1) {
    uint64_t value = optarg != NULL ? number(optarg) : 0;
    if (option == 'p')
      client->port = (uint16_t)value;
    else if (option == 'c')
      client->connections = (unsigned)value;
    else if (option == 't')
      client->threads = (unsigned)value;
    else if (option == 'n')
      client->most = value;
    else if (option == 's')
      client->until = value * 1000000000;
    else if (option == 'k')
      client->first = value;
    else if (option == 'i' || option == 'I')
      client->idle = option == 'i' ? IDLE_IN_TURN : IDLE_AT_ONCE;
    else
      exit(2);
  }
  if (optind + 1 != argc || client->port == 0 || client->connections < 1 ||
      client->connections > CONNECTIONS_MAX || client->threads < 1 ||
      client->threads > THREADS_MAX)
    die("see the head of client.c for its usage");
  if (client->threads > client->connections)
    client->threads = client->connections;
}

static void allow_files(unsigned count) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = count + 64;
  if (limit.rlim_cur > limit.rlim_max)
    limit.rlim_max = limit.rlim_cur;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
    die("%u connections take more open files than are allowed", count);
}

static double cpu_of(int who) {
  struct rusage used;
  getrusage(who, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void report(const struct tally *all, uint64_t started, double cpu) {
  double took =
      all->ended > started ? (double)(all->ended - started) / 1e9 : 0;
  printf("{\"seconds\": %.6f, \"requests\": %llu, \"bad\": %llu, "
         "\"broken\": %llu, \"sent\": %llu, \"got\": %llu, \"p50\": %.1f, "
         "\"p99\": %.1f, "
         "\"most\": %.1f, \"cpu\": %.3f}\n",
         took, (unsigned long long)all->requests, (unsigned long long)all->bad,
         (unsigned long long)all->broken, (unsigned long long)all->sent,
         (unsigned long long)all->got, tally_quantile(all, 0.50),
         tally_quantile(all, 0.99), (double)all->longest / 1e3, cpu);
  fflush(stdout);
}

static void await_end_of_input(void) {
  char room[64];
  printf("ready\n");
  fflush(stdout);
  while (read(STDIN_FILENO, room, sizeof room) > 0)
    continue;
}

int main(int argc, char **argv) {
  static struct client client;
  static struct worker workers[THREADS_MAX];
  static struct tally all;
  signal(SIGPIPE, SIG_IGN); /* sendfile() has no flag for it */
  options(&client, argc, argv);
  allow_files(client.connections);
  plan_read(&client.plan, argv[optind]);
  pthread_barrier_init(&client.start, NULL, client.threads + 1);
  for (unsigned i = 0; i < client.threads; i++)
    worker_start(&workers[i], &client, i);
  double before = cpu_of(RUSAGE_SELF);
  client.started = now_ns();
  if (client.until > 0)
    client.until += client.started;
  pthread_barrier_wait(&client.start);
  for (unsigned i = 0; i < client.threads; i++) {
    pthread_join(workers[i].thread, NULL);
    tally_add(&all, &workers[i].tally);
  }
  if (client.idle != IDLE_NOT)
    await_end_of_input();
  else
    report(&all, client.started, cpu_of(RUSAGE_SELF) - before);
  return 0;
}
