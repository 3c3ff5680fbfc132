/* SPDX-License-Identifier: MIT
 *
 * The parts of the hook `sniff` share an instance with its helpers, and each
 * look at an object.
 */
#ifndef SNIFF_SNIFF_H
#define SNIFF_SNIFF_H

#include <sluice/plugin.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errmsg.h"
#include "helper.h"

#define SNIFF_PROCESSES_MAX 16
#define SNIFF_START_US 10000000 /* for the first helper, in start() */
#define SNIFF_STEP_MS 5 /* between looks for a helper that may be asked */

struct sniff_conf {
  const char *const *allow, *const *deny;
  const char *mismatch, *database, *on_failure;
  uint64_t bytes;
  int64_t timeout, processes, queue;
};

enum sniff_mismatch { SNIFF_IGNORE, SNIFF_REFUSE, SNIFF_CORRECT };

struct post {
  struct helper helper;
  atomic_bool taken; /* a thread asks it */
};

struct instance {
  struct sniff_conf conf;
  enum sniff_mismatch mismatch;
  bool failure_passes;
  bool joined;
  int database;
  struct sluice_lane *lane; /* as wide as there are posts */
  _Atomic int64_t waiting;  /* objects */
  size_t post_count;
  struct post posts[SNIFF_PROCESSES_MAX];
};

struct sniffer { /* of a loop */
  struct instance *instance;
  struct sluice_host *host;
};

struct look {
  struct helper_task task;
  struct sniffer *sniffer;
  struct sluice_request *request;
  unsigned char *kept; /* bytes of several chunks; NULL: they are lent */
  size_t kept_size;
  uint64_t restarts; /* of helpers, for this one */
  bool waits;        /* a lane has it */
  bool left;         /* its request is over, and has to be resumed */
};

struct sniff_state { /* of a request */
  struct look *look;
};

enum sniff_result {
  SNIFF_PASSED,
  SNIFF_CORRECTED,
  SNIFF_REFUSED,
  SNIFF_FAILED
};

extern const struct sluice_option sniff_options[];
extern const struct sluice_metric sniff_metrics[];

/* The rest of the options, which tables don't check. */
bool sniff_read_conf(struct instance *, struct errmsg *);
void sniff_count(const struct sniffer *, enum sniff_result);
void sniff_count_restarts(const struct sniffer *, uint64_t);

/* Of an object that is of this type: DENY, with its refusal, or ALLOW. */
enum sluice_verdict sniff_judge(const struct sniffer *,
                                struct sluice_request *, const char *found);

#endif
