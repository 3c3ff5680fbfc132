/* SPDX-License-Identifier: MIT
 *
 * The value `request` of a script, and the function log(): all that it can ask
 * and say of a request, by sluice_request_*().
 */
#ifndef LUA_LUAREQUEST_H
#define LUA_LUAREQUEST_H

#include <lua.h>
#include <sluice/plugin.h>

#include "script.h"

struct luarequest { /* Lua's, of which a state has one */
  struct sluice_host *host;
  struct sluice_request *request; /* NULL: none is asked about */
  enum script_phase phase;
  bool denied; /* deny() was called */
};

/* Once; adds log() to the globals.  It lives as long as the state.  Raises
 * errors. */
struct luarequest *luarequest_new(lua_State *, struct sluice_host *);
/* Puts it on the stack. */
void luarequest_push(lua_State *);
/* The next call is about this one. */
void luarequest_begin(struct luarequest *, struct sluice_request *,
                      enum script_phase);

#endif
