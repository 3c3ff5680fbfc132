/* SPDX-License-Identifier: MIT
 *
 * Stages: uploads that go on over several requests.  Their bytes are written
 * straight to what will be the object's blob.
 */
#ifndef LOCAL_STAGER_H
#define LOCAL_STAGER_H

#include <sluice/plugin.h>

struct task;

/* Entries of struct sluice_backend. */
void stager_stage(void *handle, struct sluice_op *,
                  const struct sluice_stage *);
void stager_save(void *handle, struct sluice_op *, const struct sluice_save *);
void stager_commit(void *handle, struct sluice_op *,
                   const struct sluice_object *, const struct sluice_save *);
void stager_get(void *handle, struct sluice_op *, const char *id);
void stager_remove(void *handle, struct sluice_op *, const char *id);
void stager_sweep(void *handle, struct sluice_op *, int64_t now_s);

/* A chunk for a stage that is open. */
void stager_data(struct task *, const struct sluice_chunk *);
/* The task ends. */
void stager_let_go(struct task *);

#endif
