/* SPDX-License-Identifier: MIT
 *
 * All that Lua does here is done in protected calls, so that no error and no
 * lack of memory gets out of them.
 */
#include "script.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "luafacts.h"
#include "luarequest.h"
#include "sandbox.h"

#define NAME_MAX_SHOWN 200

static const char *const phases[] = {
    [SCRIPT_ON_REQUEST] = "on_request",   [SCRIPT_ON_KEY] = "on_key",
    [SCRIPT_ON_RESPONSE] = "on_response", [SCRIPT_ON_CHANGE] = "on_change",
    [SCRIPT_ON_LOG] = "on_log",           [SCRIPT_LOADING] = "loading"};
#define PHASES SCRIPT_LOADING /* that are functions */

struct script {
  struct allowance allowance;
  struct luarequest *request; /* Lua's */
  bool has[PHASES + 1];
  int line[PHASES + 1]; /* where it begins */
  char name[NAME_MAX_SHOWN + 1];
};

struct loading {
  struct script *script;
  struct sluice_host *host;
  const char *text;
  size_t length;
};

struct asking {
  struct script *script;
  enum script_phase phase;
  const void *about;
  enum sluice_verdict verdict;
};

/* ---- how a call fails --------------------------------------------------- */

/* "deny.lua:7:", of the innermost function in Lua. */
static bool push_place(lua_State *lua) {
  lua_Debug at;
  for (int level = 0; lua_getstack(lua, level, &at) != 0; level++) {
    lua_getinfo(lua, "Sl", &at);
    if (at.currentline > 0) {
      lua_pushfstring(lua, "%s:%d:", at.short_src, at.currentline);
      return true;
    }
  }
  return false;
}

/* As Lua itself says it, or error() of another level. */
static bool has_place(const char *text, const char *place) {
  const char *end = strrchr(place, ':');
  while (end > place && end[-1] != ':')
    end--;
  return strncmp(text, place, (size_t)(end - place)) == 0;
}

/* Each message says where, also that of a function in C. */
static int explain(lua_State *lua) {
  if (lua_type(lua, 1) != LUA_TSTRING)
    lua_pushfstring(lua, "error() was called with a %s",
                    luaL_typename(lua, 1));
  else
    lua_pushvalue(lua, 1);
  if (!push_place(lua) ||
      has_place(lua_tostring(lua, -2), lua_tostring(lua, -1)))
    lua_settop(lua, 2);
  else
    lua_pushfstring(lua, "%s %s", lua_tostring(lua, 3), lua_tostring(lua, 2));
  return 1;
}

/* Calls what takes a light pointer; no error comes from here. */
static int protect(struct script *script, lua_CFunction function, void *arg) {
  lua_State *lua = script->allowance.lua;
  lua_settop(lua, 0);
  lua_pushcfunction(lua, explain);
  lua_pushcfunction(lua, function);
  lua_pushlightuserdata(lua, arg);
  return lua_pcall(lua, 1, 0, 1);
}

static bool tell(struct script *script, int status, const char *place,
                 struct errmsg *err) {
  lua_State *lua = script->allowance.lua;
  if (status == LUA_ERRMEM)
    return errmsg_set(err,
                      "%s it needs more memory than the option memory "
                      "allows",
                      place);
  if (lua_type(lua, -1) == LUA_TSTRING)
    return errmsg_set(err, "%s", lua_tostring(lua, -1));
  return errmsg_set(err, "%s it failed", place);
}

/* ---- loading ------------------------------------------------------------ */

static int find_phase(const char *name) {
  for (size_t i = 0; i < PHASES; i++)
    if (strcmp(phases[i], name) == 0)
      return (int)i;
  return -1;
}

/* The global whose name and value are at the top of the stack. */
static void note_global(lua_State *lua, struct script *script) {
  lua_Debug at;
  const char *name =
      lua_type(lua, -2) == LUA_TSTRING ? lua_tostring(lua, -2) : "";
  if (strncmp(name, "on_", 3) != 0)
    return;
  int phase = find_phase(name);
  if (phase < 0 || !lua_isfunction(lua, -1))
    luaL_error(lua,
               "%s: %s isn't one of the functions on_request, on_key, "
               "on_response, on_change, on_log; give it another name",
               script->name, name);
  lua_pushvalue(lua, -1);
  lua_getinfo(lua, ">S", &at);
  script->has[phase] = true;
  script->line[phase] = at.linedefined;
}

static void note_globals(lua_State *lua, struct script *script) {
  lua_pushglobaltable(lua);
  for (lua_pushnil(lua); lua_next(lua, -2) != 0; lua_pop(lua, 1))
    note_global(lua, script);
  lua_pop(lua, 1);
  for (size_t i = 0; i < PHASES; i++)
    if (script->has[i])
      return;
  luaL_error(lua,
             "%s: defines none of the functions on_request, on_key, "
             "on_response, on_change, on_log",
             script->name);
}

static int load(lua_State *lua) {
  const struct loading *loading = lua_touserdata(lua, 1);
  struct script *script = loading->script;
  sandbox_fill(lua);
  script->request = luarequest_new(lua, loading->host);
  lua_pushfstring(lua, "@%s", script->name);
  allowance_begin(&script->allowance);
  if (luaL_loadbufferx(lua, loading->text, loading->length,
                       lua_tostring(lua, -1), "t") != LUA_OK)
    return lua_error(lua);
  lua_call(lua, 0, 0);
  note_globals(lua, script);
  return 0;
}

struct script *script_new(struct sluice_host *host, const char *name,
                          const char *text, size_t length, size_t memory,
                          int64_t steps, struct errmsg *err) {
  struct script *script = calloc(1, sizeof *script);
  if (script == NULL) {
    errmsg_set(err, "there is no memory");
    return NULL;
  }
  script->allowance = (struct allowance){.memory = memory, .steps = steps};
  snprintf(script->name, sizeof script->name, "%s", name);
  struct loading loading = {script, host, text, length};
  char place[sizeof script->name + 1];
  snprintf(place, sizeof place, "%s:", script->name);
  if (allowance_state(&script->allowance) == NULL) {
    errmsg_set(err, "there is no memory");
  } else {
    int status = protect(script, load, &loading);
    if (status == LUA_OK)
      return script;
    tell(script, status, place, err);
  }
  script_free(script);
  return NULL;
}

void script_free(struct script *script) {
  if (script->allowance.lua != NULL)
    lua_close(script->allowance.lua);
  free(script);
}

bool script_has(const struct script *script, enum script_phase phase) {
  return script->has[phase];
}

/* ---- asking ------------------------------------------------------------- */

static void push_about(lua_State *lua, const struct asking *asking) {
  if (asking->about == NULL) {
    lua_pushnil(lua);
    return;
  }
  switch (asking->phase) {
  case SCRIPT_ON_KEY:
    luafacts_upload(lua, asking->about);
    return;
  case SCRIPT_ON_CHANGE:
    luafacts_object(lua, asking->about);
    return;
  case SCRIPT_ON_LOG:
    luafacts_record(lua, asking->about, asking->script->request->request);
    return;
  case SCRIPT_ON_REQUEST:
  case SCRIPT_ON_RESPONSE:
  case SCRIPT_LOADING:
    break;
  }
  lua_pushnil(lua);
}

/* Its answer is at the top of the stack. */
static enum sluice_verdict read_verdict(lua_State *lua,
                                        const struct asking *asking) {
  if (asking->script->request->denied)
    return SLUICE_DENY;
  switch (lua_type(lua, -1)) {
  case LUA_TNIL:
    return SLUICE_PASS;
  case LUA_TBOOLEAN:
    return lua_toboolean(lua, -1) ? SLUICE_ALLOW : SLUICE_DENY;
  default:
    luaL_error(lua, "%s:%d: %s returned a %s; return true, false or nothing",
               asking->script->name, asking->script->line[asking->phase],
               phases[asking->phase], luaL_typename(lua, -1));
    return SLUICE_DENY;
  }
}

static int ask(lua_State *lua) {
  struct asking *asking = lua_touserdata(lua, 1);
  lua_getglobal(lua, phases[asking->phase]);
  luarequest_push(lua);
  push_about(lua, asking);
  lua_call(lua, 2, 1);
  asking->verdict = read_verdict(lua, asking);
  return 0;
}

bool script_ask(struct script *script, enum script_phase phase,
                struct sluice_request *request, const void *about,
                enum sluice_verdict *verdict, struct errmsg *err) {
  struct asking asking = {script, phase, about, SLUICE_DENY};
  char place[sizeof script->name + 64];
  luarequest_begin(script->request, request, phase);
  allowance_begin(&script->allowance);
  int status = protect(script, ask, &asking);
  luarequest_begin(script->request, NULL, SCRIPT_LOADING);
  *verdict = asking.verdict;
  if (status == LUA_OK)
    return true;
  snprintf(place, sizeof place, "%s:%d: in %s:", script->name,
           script->line[phase], phases[phase]);
  return tell(script, status, place, err);
}
