/* SPDX-License-Identifier: MIT
 *
 * The functions of Lua's table `string` that its own library does without a
 * count: find, match, gmatch, gsub and rep.
 */
#ifndef LUA_LUASTRING_H
#define LUA_LUASTRING_H

#include <lua.h>

/* Puts them into the table at the top of the stack.  Raises errors. */
void luastring_add(lua_State *);

#endif
