/* SPDX-License-Identifier: MIT
 *
 * The insides of the pool, for work.c and timer.c alone.
 */
#ifndef RUNTIME_WORK_PRIVATE_H
#define RUNTIME_WORK_PRIVATE_H

#include <pthread.h>
#include <sys/queue.h>

#include "about.h"
#include "loop.h"
#include "work.h"

struct job {
  struct loop_task task; /* first: what the loop gets back */
  struct job *next;      /* in a share's queue, or in a lane's */
  struct loop *loop;
  struct loop_debt *debt;  /* NULL: nobody's */
  void (*work)(void *arg); /* NULL: the lane's run() did it */
  void (*then)(void *arg);
  void *arg;
  struct about *about;        /* the request, of the loop's side */
  uint64_t serial;            /* its, when it asked */
  struct about named;         /* its name, for the thread: it may be over */
  struct sluice_lane *lane;   /* set in a lane's own job: run a batch */
  void (*turn)(struct job *); /* set in a timer's own: does all of it */
};

struct jobs {
  struct job *first, **end;
};

struct work_share {
  struct work_pool *pool;
  struct jobs queue;
  unsigned running, most;       /* threads */
  bool left;                    /* its owner has no use for it any more */
  bool ready;                   /* it stands in the pool's list of those */
  TAILQ_ENTRY(work_share) next; /* of the ready ones */
  SLIST_ENTRY(work_share) of_pool;
};

struct work_pool {
  pthread_mutex_t lock; /* guards what follows, the shares and the lanes */
  pthread_cond_t some;  /* by CLOCK_MONOTONIC */
  struct sluice_timer *timers;
  uint64_t due_us;                  /* when the next of them is; 0: none */
  void (*fire)(struct work_pool *); /* queues those that are due */
  pthread_cond_t turned;            /* a timer's run() has returned */
  TAILQ_HEAD(work_ready, work_share) ready; /* who had its turn stands last */
  unsigned plugins, plugins_most;           /* threads that run their jobs */
  unsigned busy;
  size_t waiting; /* jobs that no thread has begun */
  bool ending;
  struct work_share own;
  SLIST_HEAD(work_shares, work_share) shares; /* of plugins */
  unsigned count;
  pthread_t threads[];
};

struct sluice_lane {
  struct work_share *share;
  void (*run)(void *arg, void **jobs, size_t count);
  void *arg;
  size_t batch; /* jobs of a turn, at most; 1 where turns run side by side */
  struct jobs waiting;
  size_t wait;        /* as many */
  unsigned called;    /* turns in the share's queue: no more than wait */
  unsigned busy;      /* those, and the ones that run */
  struct jobs idle;   /* turns that are neither */
  struct job turns[]; /* one for each that may run at once */
};

/* With the pool's lock.  The job is in nobody's queue. */
void work_share_add(struct work_share *, struct job *);

#endif
