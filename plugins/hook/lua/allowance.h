/* SPDX-License-Identifier: MIT
 *
 * The limits of a script: memory, all its life, and of each call steps and
 * time of the processor.  A step is an instruction of Lua's machine, or about
 * as much work of a function in C, or of copying bytes.
 *
 * A breach can't be caught: the sandbox has nothing that catches errors, and
 * once it is noted, each further instruction raises it again.
 */
#ifndef LUA_ALLOWANCE_H
#define LUA_ALLOWANCE_H

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

#define ALLOWANCE_MEMORY_MIN ((size_t)128 * 1024)
#define ALLOWANCE_MEMORY_MAX ((size_t)64 * 1024 * 1024)
#define ALLOWANCE_STEPS_MIN 1000
#define ALLOWANCE_STEPS_MAX 1000000
#define ALLOWANCE_TIME_US 100000 /* of a call, whatever its steps do */
/* Callbacks in callbacks: each takes some KiB of a small stack of C. */
#define ALLOWANCE_DEPTH_MAX 16

enum allowance_breach { ALLOWANCE_KEPT, ALLOWANCE_STEPS, ALLOWANCE_TIME };

struct allowance {
  size_t memory, used; /* bytes */
  int64_t steps, left; /* of a call */
  uint64_t until_us;   /* of the thread's processor time */
  enum allowance_breach breach;
  int depth; /* of callbacks */
  lua_State *lua;
};

/* A state that keeps to it; NULL: no memory.  The allowance has its limits,
 * and stays where it is for as long as the state lives. */
lua_State *allowance_state(struct allowance *);
/* A call begins: steps, time and depth anew. */
void allowance_begin(struct allowance *);
/* In a function that Lua calls: raises the breach where so much isn't left. */
void allowance_spend(lua_State *, size_t steps);
/* As lua_call(), of what may be a callback of the script. */
void allowance_call(lua_State *, int arguments, int results);
/* Steps that are left. */
size_t allowance_left(lua_State *);

#endif
