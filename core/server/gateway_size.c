/* SPDX-License-Identifier: MIT
 *
 * How much of the machine the gateway takes, and how all of its loops are
 * reached.
 */
#include <sys/resource.h>

#include "gateway.h"

#define FILES_SPARE 128  /* descriptors for everything but requests */
#define FILES_BACKEND 32 /* of each, as files it keeps open */
#define FILES_PER_CONN 2 /* the connection, and an object's file */

unsigned gateway_threads(const struct settings *settings) {
  if (settings->limits.threads > 0)
    return (unsigned)settings->limits.threads;
  return settings->server.workers * 2 > 4 ? settings->server.workers * 2 : 4;
}

/* Of a loop.  A connection without a descriptor for its object would fail, so
 * there are no more of them than the process may open files. */
size_t gateway_connections(const struct settings *settings, unsigned loops) {
  struct rlimit files = {0};
  size_t wanted = (size_t)settings->limits.connections;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  size_t spare = FILES_SPARE + FILES_BACKEND * settings->backend_count;
  size_t room = files.rlim_cur > spare + FILES_PER_CONN
                    ? (files.rlim_cur - spare) / FILES_PER_CONN
                    : 1;
  if (wanted > room)
    wanted = room;
  size_t each = wanted / loops;
  return each > 0 ? each : 1;
}

void gateway_post(struct gateway *gateway, size_t member) {
  for (size_t i = 0; i < gateway->worker_count; i++) {
    struct worker *worker = &gateway->workers[i];
    void *task = (char *)worker + member;
    if (worker->started)
      loop_post(worker->loop, task);
  }
}
