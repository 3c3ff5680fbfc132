/* SPDX-License-Identifier: MIT
 *
 * The part of Lua's library that a script has: nothing that reads or writes
 * files, starts or ends processes, loads code or catches errors.
 */
#ifndef LUA_SANDBOX_H
#define LUA_SANDBOX_H

#include <lua.h>

/* Makes these a new state's globals.  Raises errors. */
void sandbox_fill(lua_State *);

#endif
