/* SPDX-License-Identifier: MIT
 *
 * Objects and requests as tables of Lua, as far as the gateway tells of them.
 * Each is put on the stack; what isn't known isn't in it.  Raises errors.
 */
#ifndef LUA_LUAFACTS_H
#define LUA_LUAFACTS_H

#include <lua.h>
#include <sluice/plugin.h>

void luafacts_upload(lua_State *, const struct sluice_upload *);
void luafacts_object(lua_State *, const struct sluice_object *);
void luafacts_record(lua_State *, const struct sluice_record *,
                     const struct sluice_request *);

#endif
