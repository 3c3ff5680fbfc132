/* SPDX-License-Identifier: MIT
 *
 * Each search takes the steps of its patterns from those of the call, and each
 * copy is counted by the allocator.
 */
#include "luastring.h"

#include <lauxlib.h>
#include <stdint.h>
#include <string.h>

#include "allowance.h"
#include "luapattern.h"

#define BYTES_OF_A_STEP 32 /* that are looked through by memmem() */
#define COPIES_OF_A_STEP 8 /* of few bytes, by rep() */

/* Of the text and the pattern at these places of the stack.  True: the pattern
 * is anchored, where it may be. */
static bool begin(lua_State *lua, struct luapattern *match, int text,
                  bool anchors) {
  size_t length, size;
  *match = (struct luapattern){.text = luaL_checklstring(lua, text, &length),
                               .left = allowance_left(lua)};
  match->text_end = match->text + length;
  match->pattern = luaL_checklstring(lua, text + 1, &size);
  match->pattern_end = match->pattern + size;
  bool anchored = anchors && size > 0 && *match->pattern == '^';
  match->pattern += anchored;
  return anchored;
}

/* The steps that it took are spent. */
static void settle(lua_State *lua, const struct luapattern *match) {
  if (match->fault != NULL)
    luaL_error(lua, "%s", match->fault);
  size_t had = allowance_left(lua);
  allowance_spend(lua, match->spent ? had + 1 : had - match->left);
}

/* From there on; *to is its end.  NULL: there is none. */
static const char *search(lua_State *lua, struct luapattern *match,
                          const char *from, bool anchored, const char **to) {
  match->left = allowance_left(lua);
  for (;; from++) {
    *to = luapattern_match(match, from);
    bool over = match->fault != NULL || match->spent;
    if (*to == NULL && !over && !anchored && from < match->text_end)
      continue;
    settle(lua, match);
    return *to == NULL ? NULL : from;
  }
}

static void push_capture(lua_State *lua, const struct luapattern *match,
                         size_t i, const char *at, const char *to) {
  const struct luapattern_capture *capture = &match->capture[i];
  if (i >= match->captures && i > 0)
    luaL_error(lua, "capture %%%d isn't there", (int)i + 1);
  else if (match->captures == 0)
    lua_pushlstring(lua, at, (size_t)(to - at));
  else if (capture->length == LUAPATTERN_POSITION)
    lua_pushinteger(lua, capture->at - match->text + 1);
  else
    lua_pushlstring(lua, capture->at, (size_t)capture->length);
}

static int push_captures(lua_State *lua, const struct luapattern *match,
                         const char *at, const char *to) {
  size_t count = match->captures == 0 && at != NULL ? 1 : match->captures;
  luaL_checkstack(lua, (int)count, "too many captures");
  for (size_t i = 0; i < count; i++)
    push_capture(lua, match, i, at, to);
  return (int)count;
}

/* The place from which to search; NULL: it is behind the text's end. */
static const char *first_of(lua_State *lua, const struct luapattern *match,
                            int argument) {
  lua_Integer length = match->text_end - match->text;
  lua_Integer first = luaL_optinteger(lua, argument, 1);
  if (first < 0)
    first = -first > length ? 1 : length + first + 1;
  if (first == 0)
    first = 1;
  return first > length + 1 ? NULL : match->text + first - 1;
}

static int luastring_nothing(lua_State *lua) {
  luaL_pushfail(lua);
  return 1;
}

static const char *plain_search(lua_State *lua, const struct luapattern *match,
                                const char *from) {
  size_t length = (size_t)(match->text_end - from);
  size_t size = (size_t)(match->pattern_end - match->pattern);
  allowance_spend(lua, length / BYTES_OF_A_STEP);
  return size == 0 ? from : memmem(from, length, match->pattern, size);
}

/* A text that stands for itself, as Lua takes also a ")" alone. */
static bool is_plain(lua_State *lua, int argument) {
  size_t length;
  const char *text = luaL_checklstring(lua, argument, &length);
  allowance_spend(lua, length);
  for (size_t i = 0; i < length; i++)
    if (text[i] != '\0' && strchr("^$*+?.([%-", text[i]) != NULL)
      return false;
  return true;
}

static int luastring_find(lua_State *lua) {
  struct luapattern match;
  bool plain = lua_toboolean(lua, 4) || is_plain(lua, 2);
  bool anchored = begin(lua, &match, 1, !plain);
  const char *at = first_of(lua, &match, 3), *to = NULL;
  if (at != NULL && plain) {
    at = plain_search(lua, &match, at);
    to = at == NULL ? NULL : at + (match.pattern_end - match.pattern);
  } else if (at != NULL) {
    at = search(lua, &match, at, anchored, &to);
  }
  if (at == NULL)
    return luastring_nothing(lua);
  lua_pushinteger(lua, at - match.text + 1);
  lua_pushinteger(lua, to - match.text);
  return 2 + push_captures(lua, &match, NULL, NULL);
}

static int luastring_match(lua_State *lua) {
  struct luapattern match;
  bool anchored = begin(lua, &match, 1, true);
  const char *at = first_of(lua, &match, 3), *to;
  if (at != NULL)
    at = search(lua, &match, at, anchored, &to);
  return at == NULL ? luastring_nothing(lua)
                    : push_captures(lua, &match, at, to);
}

/* ---- all that match ----------------------------------------------------- */

/* Of its closure: the text, the pattern, where to go on, and where the last
 * match ended, as an empty one there is none more. */
static int next_match(lua_State *lua) {
  struct luapattern match;
  lua_settop(lua, 0);
  for (int i = 1; i <= 2; i++)
    lua_pushvalue(lua, lua_upvalueindex(i));
  begin(lua, &match, 1, false);
  const char *at = match.text + lua_tointeger(lua, lua_upvalueindex(3));
  lua_Integer last = lua_tointeger(lua, lua_upvalueindex(4));
  while (at <= match.text_end) {
    const char *to, *found = search(lua, &match, at, false, &to);
    if (found == NULL)
      break;
    if (to - match.text == last) { /* empty, as it begins no earlier */
      at = found + 1;
      continue;
    }
    for (int i = 3; i <= 4; i++) {
      lua_pushinteger(lua, to - match.text);
      lua_replace(lua, lua_upvalueindex(i));
    }
    return push_captures(lua, &match, found, to);
  }
  return 0;
}

static int luastring_gmatch(lua_State *lua) {
  luaL_checkstring(lua, 1);
  luaL_checkstring(lua, 2);
  lua_settop(lua, 2);
  lua_pushinteger(lua, 0);
  lua_pushinteger(lua, -1);
  lua_pushcclosure(lua, next_match, 4);
  return 1;
}

/* ---- replacing ---------------------------------------------------------- */

/* The text with captures, at 3 of the stack. */
static void add_text(lua_State *lua, luaL_Buffer *out,
                     const struct luapattern *match, const char *at,
                     const char *to) {
  size_t length;
  const char *text = lua_tolstring(lua, 3, &length), *end = text + length;
  for (; text < end; text++) {
    if (*text != '%') {
      luaL_addchar(out, *text);
      continue;
    }
    text++;
    if (text < end && *text == '%') {
      luaL_addchar(out, '%');
    } else if (text < end && *text == '0') {
      luaL_addlstring(out, at, (size_t)(to - at));
    } else if (text < end && *text >= '1' && *text <= '9') {
      push_capture(lua, match, (size_t)(*text - '1'), at, to);
      luaL_tolstring(lua, -1, NULL); /* a position is a number */
      lua_remove(lua, -2);
      luaL_addvalue(out);
    } else {
      luaL_error(lua, "the replacement has a '%%' before no digit");
    }
  }
}

/* The word of a table or a function for it; nothing: it stays. */
static void add_value(lua_State *lua, luaL_Buffer *out,
                      const struct luapattern *match, const char *at,
                      const char *to) {
  if (lua_istable(lua, 3)) {
    push_capture(lua, match, 0, at, to);
    lua_gettable(lua, 3);
  } else {
    lua_pushvalue(lua, 3);
    allowance_call(lua, push_captures(lua, match, at, to), 1);
  }
  if (!lua_toboolean(lua, -1)) {
    lua_pop(lua, 1);
    luaL_addlstring(out, at, (size_t)(to - at));
  } else if (lua_isstring(lua, -1)) {
    luaL_addvalue(out);
  } else {
    luaL_error(lua, "the replacement is a %s, and no text",
               luaL_typename(lua, -1));
  }
}

static void add_replacement(lua_State *lua, luaL_Buffer *out,
                            const struct luapattern *match, const char *at,
                            const char *to) {
  if (lua_isstring(lua, 3))
    add_text(lua, out, match, at, to);
  else
    add_value(lua, out, match, at, to);
}

static void check_replacement(lua_State *lua) {
  int type = lua_type(lua, 3);
  luaL_argexpected(lua,
                   type == LUA_TNUMBER || type == LUA_TSTRING ||
                       type == LUA_TTABLE || type == LUA_TFUNCTION,
                   3, "string/function/table");
}

static int luastring_gsub(lua_State *lua) {
  struct luapattern match;
  luaL_Buffer out;
  bool anchored = begin(lua, &match, 1, true);
  check_replacement(lua);
  lua_Integer most = luaL_optinteger(lua, 4, LUA_MAXINTEGER), count = 0;
  const char *from = match.text, *last = NULL;
  luaL_buffinit(lua, &out);
  while (count < most) {
    const char *to, *at = search(lua, &match, from, anchored, &to);
    if (at == NULL)
      break;
    if (to != last) {
      luaL_addlstring(&out, from, (size_t)(at - from));
      add_replacement(lua, &out, &match, at, to);
      count++;
      from = last = to;
    } else if (at < match.text_end) { /* empty, where one ended just now */
      luaL_addchar(&out, *at);
      from = at + 1;
    } else {
      break;
    }
    if (anchored)
      break;
  }
  luaL_addlstring(&out, from, (size_t)(match.text_end - from));
  luaL_pushresult(&out);
  lua_pushinteger(lua, count);
  return 2;
}

/* ---- repeating ---------------------------------------------------------- */

static int luastring_rep(lua_State *lua) {
  size_t length, between;
  const char *text = luaL_checklstring(lua, 1, &length);
  lua_Integer count = luaL_checkinteger(lua, 2);
  const char *separator = luaL_optlstring(lua, 3, "", &between);
  luaL_Buffer out;
  if (count <= 0 || length + between == 0) {
    lua_pushliteral(lua, "");
    return 1;
  }
  if ((uint64_t)count > ALLOWANCE_MEMORY_MAX / (length + between))
    return luaL_error(lua, "it needs more memory than the option memory "
                           "allows");
  allowance_spend(lua, (size_t)count / COPIES_OF_A_STEP);
  size_t size = (size_t)count * (length + between) - between;
  char *at = luaL_buffinitsize(lua, &out, size);
  for (lua_Integer i = 0; i < count; i++) {
    if (i > 0) {
      memcpy(at, separator, between);
      at += between;
    }
    memcpy(at, text, length);
    at += length;
  }
  luaL_pushresultsize(&out, size);
  return 1;
}

void luastring_add(lua_State *lua) {
  static const luaL_Reg functions[] = {
      {"find", luastring_find},     {"match", luastring_match},
      {"gmatch", luastring_gmatch}, {"gsub", luastring_gsub},
      {"rep", luastring_rep},       {NULL, NULL}};
  luaL_setfuncs(lua, functions, 0);
}
