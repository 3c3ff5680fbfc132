/* SPDX-License-Identifier: MIT
 *
 * Names are those of the structs.
 */
#include "luafacts.h"

static void set_text(lua_State *lua, const char *name, const char *text) {
  if (text == NULL)
    return;
  lua_pushstring(lua, text);
  lua_setfield(lua, -2, name);
}

/* Lua's integers have 63 bits and a sign, and no object is so long. */
static void set_number(lua_State *lua, const char *name, uint64_t number) {
  lua_pushinteger(lua, (lua_Integer)number);
  lua_setfield(lua, -2, name);
}

static void set_pairs(lua_State *lua, const char *name,
                      const struct sluice_pair *pair) {
  lua_newtable(lua);
  for (; pair != NULL && pair->name != NULL; pair++)
    set_text(lua, pair->name, pair->value);
  lua_setfield(lua, -2, name);
}

void luafacts_upload(lua_State *lua, const struct sluice_upload *upload) {
  lua_newtable(lua);
  set_text(lua, "key", upload->key);
  set_text(lua, "name", upload->name);
  set_text(lua, "type", upload->type);
  set_text(lua, "md5", upload->md5);
  if (upload->length >= 0)
    set_number(lua, "length", (uint64_t)upload->length);
  set_pairs(lua, "user", upload->user);
  lua_pushboolean(lua, upload->prefix_is_open);
  lua_setfield(lua, -2, "prefix_is_open");
}

void luafacts_object(lua_State *lua, const struct sluice_object *object) {
  lua_newtable(lua);
  set_text(lua, "key", object->key);
  if (object->type == NULL && object->md5 == NULL)
    return; /* of a delete */
  set_text(lua, "type", object->type);
  set_text(lua, "md5", object->md5);
  set_number(lua, "length", object->length);
  set_pairs(lua, "user", object->user);
}

void luafacts_record(lua_State *lua, const struct sluice_record *record,
                     const struct sluice_request *request) {
  const struct sluice_effort *effort = sluice_request_effort(request);
  lua_newtable(lua);
  set_number(lua, "status", (uint64_t)record->status);
  set_number(lua, "bytes_in", record->bytes_in);
  set_number(lua, "bytes_out", record->bytes_out);
  set_number(lua, "usec", record->usec);
  set_text(lua, "code", record->code);
  set_text(lua, "ended_by", record->ended_by);
  set_number(lua, "hooks_us", record->hooks_us);
  set_number(lua, "backend_us", record->backend_us);
  set_number(lua, "client_us", record->client_us);
  if (effort == NULL)
    return;
  set_number(lua, "hash_us", effort->hash_us);
  set_number(lua, "attempts", effort->attempts);
  set_text(lua, "refused_by", effort->refused_by);
}
