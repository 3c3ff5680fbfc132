/* SPDX-License-Identifier: MIT
 *
 * A loop, a pool and a spool, whose calls are waited for.  What is added is
 * always the next bytes of one endless pattern.
 */
#ifndef TESTS_SPOOLKIT_H
#define TESTS_SPOOLKIT_H

#include "loop.h"
#include "op.h"
#include "spool_private.h"
#include "work.h"

#define MEMORY 65536u
#define LONG 1000000u

struct rig { /* a backend on one loop */
  struct loop *loop;
  struct work_pool *pool;
  struct sluice_host host;
  struct spool_settings *settings;
  struct spool_settings own;
  char dir[64];
  struct spool *spool;
  int added, released, ready, summed;
  bool free_when_added;
  enum sluice_status status;
  char why[600];
};

void rig_init(struct rig *);
/* With settings that others use too. */
void rig_share(struct rig *, struct spool_settings *);
void rig_fini(struct rig *); /* the spool may be freed already */
void rig_pass(struct rig *); /* waits for an event */
enum sluice_status rig_add(struct rig *, size_t len);
int64_t rig_read(struct rig *, uint64_t offset, void *to, size_t room);
/* Others: those of the pattern that begin there. */
enum sluice_status rig_add_from(struct rig *, uint64_t first, size_t len);
void rig_new_spool(struct rig *);
void rig_free_spool(struct rig *);
void rig_forget_pages(struct rig *); /* of the file, where it can be done */
int names_in(const char *path);      /* of a folder */

void on_added(void *rig, enum sluice_status, const char *why);
void on_ready(void *rig);
void on_released(void *rig);

unsigned char byte_at(uint64_t offset);
unsigned char *bytes(uint64_t first, size_t len); /* caller owns */

#endif
