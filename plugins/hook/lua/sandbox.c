/* SPDX-License-Identifier: MIT
 *
 * Globals are built of what is listed here, so that what a later Lua adds
 * isn't there.  What is left out, and why:
 *   pcall, xpcall, coroutine  they catch a breach of the allowance, and a
 *                             coroutine has a count of its own;
 *   setmetatable              __gc runs without a count, and __close after
 *                             an error;
 *   load, require, io, os, package, debug, string.dump
 *                             they reach beyond the script;
 *   table.move, string.pack   they take long by a number, or are of no use.
 * A function that takes longer for longer arguments counts steps by their
 * length, and by that of its results.
 */
#include "sandbox.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stddef.h>

#include "allowance.h"
#include "luastring.h"

#define BYTES_OF_A_STEP 32

static const char *const base_names[] = {
    "_VERSION", "assert", "error",    "ipairs",   "next", "pairs",
    "select",   "type",   "tonumber", "tostring", NULL};
static const char *const string_names[] = {
    "byte", "char", "format", "len", "lower", "reverse", "sub", "upper", NULL};
static const char *const table_names[] = {"concat", "insert", "pack", "remove",
                                          "sort",   "unpack", NULL};
static const char *const math_names[] = {
    "abs",        "acos",  "asin", "atan", "ceil", "cos",       "deg",
    "exp",        "floor", "fmod", "huge", "log",  "max",       "maxinteger",
    "mininteger", "min",   "modf", "pi",   "rad",  "random",    "randomseed",
    "sin",        "sqrt",  "tan",  "type", "ult",  "tointeger", NULL};
static const char *const utf8_names[] = {
    "char", "charpattern", "codepoint", "codes", "len", "offset", NULL};

static size_t weight(lua_State *lua, int argument) {
  size_t length = lua_rawlen(lua, argument);
  switch (lua_type(lua, argument)) {
  case LUA_TSTRING:
    return length / BYTES_OF_A_STEP;
  case LUA_TTABLE:
    return length;
  default:
    return 0;
  }
}

/* Its upvalue, which is counted by its arguments and results. */
static int counted(lua_State *lua) {
  int count = lua_gettop(lua);
  size_t steps = 1;
  for (int i = 1; i <= count; i++)
    steps += weight(lua, i);
  allowance_spend(lua, steps);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  allowance_call(lua, count, LUA_MULTRET);
  count = lua_gettop(lua);
  allowance_spend(lua, (size_t)count);
  return count;
}

/* The order of table.sort where none is given, with what a look takes. */
static int is_less(lua_State *lua) {
  size_t first = weight(lua, 1), second = weight(lua, 2);
  allowance_spend(lua, 1 + (first < second ? first : second));
  lua_pushboolean(lua, lua_compare(lua, 1, 2, LUA_OPLT));
  return 1;
}

/* Its upvalue is table.sort, counted. */
static int counted_sort(lua_State *lua) {
  if (lua_isnoneornil(lua, 2)) {
    lua_settop(lua, 1);
    lua_pushcfunction(lua, is_less);
  }
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, lua_gettop(lua) - 1, 0);
  return 0;
}

/* From the table at the top of the stack to that below it; what is called with
 * strings and tables is counted. */
static void copy_names(lua_State *lua, const char *const *names,
                       bool is_counted) {
  for (; *names != NULL; names++) {
    lua_getfield(lua, -1, *names);
    if (is_counted && lua_isfunction(lua, -1))
      lua_pushcclosure(lua, counted, 1);
    lua_setfield(lua, -3, *names);
  }
}

/* Of the globals at the top of the stack. */
static void add_library(lua_State *lua, const char *name, lua_CFunction open,
                        const char *const *names) {
  lua_newtable(lua);
  luaL_requiref(lua, name, open, 0);
  copy_names(lua, names, true);
  lua_pop(lua, 1);
  lua_setfield(lua, -2, name);
}

/* "text":upper() finds them here, too. */
static void add_strings(lua_State *lua) {
  add_library(lua, LUA_STRLIBNAME, luaopen_string, string_names);
  lua_getfield(lua, -1, LUA_STRLIBNAME);
  luastring_add(lua);
  lua_pushliteral(lua, "");
  lua_getmetatable(lua, -1);
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  lua_pop(lua, 3);
}

static void add_base(lua_State *lua) {
  luaL_requiref(lua, LUA_GNAME, luaopen_base, 0);
  copy_names(lua, base_names, false);
  lua_getfield(lua, -1, "tonumber"); /* a number may be a long text */
  lua_pushcclosure(lua, counted, 1);
  lua_setfield(lua, -3, "tonumber");
  lua_pop(lua, 1);
}

/* Of the globals at the top of the stack. */
static void add_tables(lua_State *lua) {
  add_library(lua, LUA_TABLIBNAME, luaopen_table, table_names);
  lua_getfield(lua, -1, LUA_TABLIBNAME);
  lua_getfield(lua, -1, "sort");
  lua_pushcclosure(lua, counted_sort, 1);
  lua_setfield(lua, -2, "sort");
  lua_pop(lua, 1);
}

void sandbox_fill(lua_State *lua) {
  lua_newtable(lua);
  add_base(lua);
  add_strings(lua);
  add_tables(lua);
  add_library(lua, LUA_UTF8LIBNAME, luaopen_utf8, utf8_names);
  add_library(lua, LUA_MATHLIBNAME, luaopen_math, math_names);
  lua_pushvalue(lua, -1);
  lua_setfield(lua, -2, LUA_GNAME);
  lua_rawseti(lua, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}
