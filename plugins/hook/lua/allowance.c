/* SPDX-License-Identifier: MIT
 *
 * Lua's allocator and its hook of counts.  Each may find that the steps are
 * used up; the hook alone raises it, as an allocator can't, and it does so at
 * the instruction after that.
 */
#include "allowance.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <time.h>

#define COUNT 1000         /* instructions between two looks */
#define BYTES_OF_A_STEP 32 /* that are allocated, and so written */
#define COLLECTED_OF_A_STEP 64

static uint64_t processor_us(void) {
  struct timespec now;
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0)
    return 0;
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct allowance *allowance_of(lua_State *lua) {
  return *(struct allowance **)lua_getextraspace(lua);
}

static int allowance_raise(lua_State *lua, enum allowance_breach breach) {
  static const char *const says[] = {
      [ALLOWANCE_STEPS] = "it takes more steps than the option steps allows",
      [ALLOWANCE_TIME] = "it takes more than 100 ms of the processor"};
  return luaL_error(lua, "%s", says[breach]);
}

static void on_count(lua_State *lua, lua_Debug *at) {
  struct allowance *allowance = allowance_of(lua);
  (void)at;
  if (allowance->breach == ALLOWANCE_KEPT) {
    allowance->left -= COUNT;
    if (allowance->left < 0)
      allowance->breach = ALLOWANCE_STEPS;
    else if (processor_us() > allowance->until_us)
      allowance->breach = ALLOWANCE_TIME;
  }
  if (allowance->breach == ALLOWANCE_KEPT)
    return;
  lua_sethook(lua, on_count, LUA_MASKCOUNT, 1);
  allowance_raise(lua, allowance->breach);
}

/* A breach is raised at the next instruction. */
static void charge(struct allowance *allowance, size_t steps) {
  if (allowance->breach != ALLOWANCE_KEPT)
    return;
  allowance->left -= (int64_t)steps;
  if (allowance->left >= 0)
    return;
  allowance->breach = ALLOWANCE_STEPS;
  if (allowance->lua != NULL)
    lua_sethook(allowance->lua, on_count, LUA_MASKCOUNT, 1);
}

/* Lua frees what it can when this says NULL, and asks again. */
static void *allot(void *arg, void *block, size_t old, size_t size) {
  struct allowance *allowance = arg;
  if (block == NULL)
    old = 0; /* it says for what it is */
  if (size == 0) {
    free(block);
    allowance->used -= old;
    return NULL;
  }
  if (size > old) {
    if (size - old > allowance->memory - allowance->used) {
      charge(allowance, allowance->used / COLLECTED_OF_A_STEP);
      return NULL;
    }
    charge(allowance, size / BYTES_OF_A_STEP);
  }
  void *other = realloc(block, size);
  if (other == NULL)
    return size <= old ? block : NULL; /* to shrink never fails */
  allowance->used += size - old;
  return other;
}

void allowance_begin(struct allowance *allowance) {
  allowance->left = allowance->steps;
  allowance->breach = ALLOWANCE_KEPT;
  allowance->depth = 0;
  allowance->until_us = processor_us() + ALLOWANCE_TIME_US;
  lua_sethook(allowance->lua, on_count, LUA_MASKCOUNT, COUNT);
}

lua_State *allowance_state(struct allowance *allowance) {
  allowance->left = INT64_MAX;
  allowance->lua = lua_newstate(allot, allowance);
  if (allowance->lua != NULL)
    *(struct allowance **)lua_getextraspace(allowance->lua) = allowance;
  return allowance->lua;
}

void allowance_spend(lua_State *lua, size_t steps) {
  struct allowance *allowance = allowance_of(lua);
  charge(allowance, steps);
  if (allowance->breach != ALLOWANCE_KEPT)
    allowance_raise(lua, allowance->breach);
}

/* An error leaves the depth as it is, as it ends the whole call. */
void allowance_call(lua_State *lua, int arguments, int results) {
  struct allowance *allowance = allowance_of(lua);
  if (allowance->depth == ALLOWANCE_DEPTH_MAX)
    luaL_error(lua, "callbacks are nested more than %d deep",
               ALLOWANCE_DEPTH_MAX);
  allowance->depth++;
  lua_call(lua, arguments, results);
  allowance->depth--;
}

size_t allowance_left(lua_State *lua) {
  const struct allowance *allowance = allowance_of(lua);
  return allowance->left < 0 ? 0 : (size_t)allowance->left;
}
