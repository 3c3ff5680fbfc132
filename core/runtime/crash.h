/* SPDX-License-Identifier: MIT
 *
 * The last line of a process that crashes: by which signal, in which plugin,
 * where in its shared object, and at which request.  The process ends as it
 * would have, with its status and its core dump.
 *
 * Builds with sanitizers keep the sanitizers' handlers.
 */
#ifndef RUNTIME_CRASH_H
#define RUNTIME_CRASH_H

#include <stdint.h>

#include "about.h"

#define CRASH_OBJECTS_MAX 256 /* shared objects that are told apart */

/* Notes where each loaded object lies, and watches for crashes: once, when
 * all plugins are loaded. */
void crash_watch(void);
/* The object that has this address is this plugin's; the name stays valid. */
void crash_plugin(const char *name, uintptr_t inside);
/* Each thread's beginning, so that a stack that overflowed is told of, too. */
void crash_thread(void);
/* The request that this thread works for from now on, or NULL, and which one
 * it was before.  It is lent as long as its loop: an exchange's memory rests
 * before it is another's. */
struct about *crash_about(struct about *);
struct about *crash_request(void);

/* In a handler: where the thread was, who called, and of which request. */
struct urgent;
void crash_say_place(struct urgent *, const void *context /* ucontext_t */);

#endif
