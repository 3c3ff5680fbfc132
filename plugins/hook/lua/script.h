/* SPDX-License-Identifier: MIT
 *
 * A script in a state of its own, which one loop has: what it defines, and how
 * it is asked.
 */
#ifndef LUA_SCRIPT_H
#define LUA_SCRIPT_H

#include <sluice/plugin.h>

#include "allowance.h"
#include "errmsg.h"

#define SCRIPT_SIZE_MAX ((size_t)256 * 1024)

enum script_phase {
  SCRIPT_ON_REQUEST,
  SCRIPT_ON_KEY,
  SCRIPT_ON_RESPONSE,
  SCRIPT_ON_CHANGE,
  SCRIPT_ON_LOG,
  SCRIPT_LOADING
};

struct script;

/* Runs it once, for what it defines; on any thread.  `name` is that of its
 * file, with which its lines are told.  NULL, and why. */
struct script *script_new(struct sluice_host *, const char *name,
                          const char *text, size_t length, size_t memory,
                          int64_t steps, struct errmsg *);
void script_free(struct script *);

/* Is there such a function? */
bool script_has(const struct script *, enum script_phase);

/* The function's second argument, by its phase: nothing or a struct
 * sluice_upload, sluice_object, sluice_record.  False: it failed, and how,
 * with its file and line. */
bool script_ask(struct script *, enum script_phase, struct sluice_request *,
                const void *about, enum sluice_verdict *, struct errmsg *);

#endif
