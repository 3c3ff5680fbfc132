/* SPDX-License-Identifier: MIT
 *
 * put: bytes wait in memory up to inline_max, then they go to an unnamed
 * file.  And remove, the other thing that the writer does.
 */
#ifndef LOCAL_UPLOADER_H
#define LOCAL_UPLOADER_H

#include <sluice/plugin.h>

struct task;

/* For a stage, too, on a thread: the description is written behind the bytes;
 * and the file becomes a blob, task->blob, but stays open.  False: it failed,
 * or task->reserve is set, and numbers have to be reserved before. */
bool uploader_describe(struct task *);
bool uploader_name(struct task *);
/* So too, on the loop: the task is for that object, of which `length` bytes
 * came.  False: it failed. */
bool uploader_take(struct task *, const struct sluice_object *,
                   uint64_t length);

/* Entries of struct sluice_backend. */
void uploader_put(void *handle, struct sluice_op *, const struct sluice_put *);
void uploader_data(void *handle, struct sluice_op *,
                   const struct sluice_chunk *);
void uploader_commit(void *handle, struct sluice_op *,
                     const struct sluice_object *);
void uploader_remove(void *handle, struct sluice_op *, const char *key);
void uploader_remove_if(void *handle, struct sluice_op *,
                        const struct sluice_removal *);

/* read() of a put. */
void uploader_reread(struct task *);

/* The task's file, which has all bytes, becomes a blob, then the object of its
 * key; that ends the operation. */
void uploader_link(struct task *);

#endif
