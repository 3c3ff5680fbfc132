/* SPDX-License-Identifier: MIT
 *
 * It is an error of the script if the gateway doesn't take what it says:
 * otherwise it would go on as if that had been done.  So the request is
 * refused.
 */
#include "luarequest.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "query.h"

#define REGISTERED "sluice.request"
#define STEPS_OF_A_LINE 100 /* of the log */

/* ---- arguments ---------------------------------------------------------- */

static struct luarequest *asked(lua_State *lua) {
  struct luarequest *it = luaL_checkudata(lua, 1, REGISTERED);
  if (it->request == NULL)
    luaL_error(lua, "no request is asked about while the script is loaded");
  return it;
}

/* One that C sees as a whole. */
static const char *text_of(lua_State *lua, int argument) {
  size_t length;
  const char *text = luaL_checklstring(lua, argument, &length);
  luaL_argcheck(lua, strlen(text) == length, argument, "it has a NUL in it");
  return text;
}

static const char *text_or_none(lua_State *lua, int argument) {
  return lua_isnoneornil(lua, argument) ? NULL : text_of(lua, argument);
}

static struct luarequest *only_in(lua_State *lua, enum script_phase phase,
                                  const char *what) {
  struct luarequest *it = asked(lua);
  if (it->phase != phase)
    luaL_error(lua, "%s", what);
  return it;
}

static int must_be(lua_State *lua, bool done, const char *what) {
  return done ? 0 : luaL_error(lua, "%s", what);
}

static int push_text(lua_State *lua, const char *text) {
  if (text == NULL)
    lua_pushnil(lua);
  else
    lua_pushstring(lua, text);
  return 1;
}

/* ---- what can be asked -------------------------------------------------- */

static int ask_header(lua_State *lua) {
  struct luarequest *it = asked(lua);
  return push_text(lua, sluice_request_header(it->request, text_of(lua, 2)));
}

static int ask_attribute(lua_State *lua) {
  struct luarequest *it = asked(lua);
  return push_text(lua,
                   sluice_request_attribute(it->request, text_of(lua, 2)));
}

/* Of the query, decoded.  What may raise an error does so before the buffer is
 * made, or after it is gone. */
static int ask_parameter(lua_State *lua) {
  struct luarequest *it = asked(lua);
  const char *name = text_of(lua, 2);
  const char *query = sluice_request_query(it->request);
  size_t size = query == NULL ? 1 : strlen(query) + 1;
  char *copy = lua_newuserdatauv(lua, size, 0);
  struct buf value;
  buf_init(&value, size);
  bool found = query_get(&value, query, name) == QUERY_FOUND;
  snprintf(copy, size, "%s", value.data);
  buf_fini(&value);
  return push_text(lua, found ? copy : NULL);
}

/* ---- what can be said --------------------------------------------------- */

static const struct {
  int number;
  enum sluice_status status;
} statuses[] = {
    {400, SLUICE_EINVAL},  {401, SLUICE_EAUTH},    {403, SLUICE_EDENIED},
    {404, SLUICE_ENOENT},  {409, SLUICE_EEXIST},   {412, SLUICE_EPRECOND},
    {413, SLUICE_ETOOBIG}, {416, SLUICE_ERANGE},   {429, SLUICE_ERATE},
    {500, SLUICE_EIO},     {501, SLUICE_ENOTSUP},  {502, SLUICE_EUPSTREAM},
    {503, SLUICE_EBUSY},   {504, SLUICE_ETIMEOUT}, {507, SLUICE_ENOSPC}};

static enum sluice_status status_of(lua_State *lua, int argument) {
  lua_Integer number = luaL_checkinteger(lua, argument);
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
    if (statuses[i].number == number)
      return statuses[i].status;
  luaL_argerror(lua, argument,
                "a refusal is 400, 401, 403, 404, 409, 412, 413, 416, 429, "
                "500, 501, 502, 503, 504 or 507");
  return SLUICE_EDENIED;
}

static int say_deny(lua_State *lua) {
  struct luarequest *it = asked(lua);
  if (it->phase != SCRIPT_ON_REQUEST && it->phase != SCRIPT_ON_KEY)
    luaL_error(lua, "deny() is for on_request and on_key; it is too late");
  enum sluice_status status = status_of(lua, 2);
  sluice_request_refuse(it->request, status, text_of(lua, 3));
  it->denied = true;
  lua_pushboolean(lua, false);
  return 1;
}

static int say_identify(lua_State *lua) {
  struct luarequest *it =
      only_in(lua, SCRIPT_ON_REQUEST, "identify() is for on_request");
  return must_be(lua, sluice_request_identify(it->request, text_of(lua, 2)),
                 "an identity is UTF-8 without control characters, of 1 to "
                 "256 bytes");
}

static int say_backend(lua_State *lua) {
  struct luarequest *it =
      only_in(lua, SCRIPT_ON_REQUEST, "set_backend() is for on_request");
  lua_pushboolean(lua, sluice_request_backend(it->request, text_of(lua, 2)));
  return 1;
}

static int say_attribute(lua_State *lua) {
  struct luarequest *it = asked(lua);
  const char *name = text_of(lua, 2);
  return must_be(
      lua,
      sluice_request_set_attribute(it->request, name, text_or_none(lua, 3)),
      "an attribute's name is of a-z, 0-9, '-', '_' and '.', its "
      "value UTF-8 without control characters; 32 fit, of 4096 "
      "bytes");
}

static int say_type(lua_State *lua) {
  struct luarequest *it =
      only_in(lua, SCRIPT_ON_KEY, "set_type() is for on_key");
  return must_be(lua, sluice_request_set_type(it->request, text_of(lua, 2)),
                 "set_type(): no object is made, or that is no media type");
}

/* As on_key may be called more than once for an upload. */
static bool has_meta(const struct sluice_request *request, const char *name,
                     const char *value) {
  const struct sluice_upload *object = sluice_request_object(request);
  const struct sluice_pair *pair = object == NULL ? NULL : object->user;
  while (pair != NULL && pair->name != NULL && strcmp(pair->name, name) != 0)
    pair++;
  return pair != NULL && pair->name != NULL && strcmp(pair->value, value) == 0;
}

static int say_meta(lua_State *lua) {
  struct luarequest *it =
      only_in(lua, SCRIPT_ON_KEY, "add_meta() is for on_key");
  const char *name = text_of(lua, 2), *value = text_of(lua, 3);
  return must_be(
      lua,
      sluice_request_add_meta(it->request, name, value) ||
          has_meta(it->request, name, value),
      "add_meta(): no object is made, or its metadata has that name, is full "
      "or can't be so named");
}

/* The same of the prefix: the key that was made has it. */
static bool has_prefix(const struct sluice_request *request,
                       const char *prefix) {
  const struct sluice_upload *object = sluice_request_object(request);
  size_t length = strlen(prefix);
  while (length > 0 && prefix[length - 1] == '/')
    length--;
  return length > 0 && object != NULL && object->key != NULL &&
         strncmp(object->key, prefix, length) == 0 &&
         object->key[length] == '/';
}

static int say_prefix(lua_State *lua) {
  struct luarequest *it =
      only_in(lua, SCRIPT_ON_KEY, "set_prefix() is for on_key");
  const char *prefix = text_of(lua, 2);
  return must_be(lua,
                 sluice_request_set_prefix(it->request, prefix) ||
                     has_prefix(it->request, prefix),
                 "set_prefix(): that is no prefix, or the key isn't the "
                 "gateway's to make: see object.prefix_is_open");
}

static int say_header(lua_State *lua) {
  struct luarequest *it =
      only_in(lua, SCRIPT_ON_RESPONSE, "add_header() is for on_response");
  const char *name = text_of(lua, 2);
  return must_be(
      lua, sluice_request_answer(it->request, name, text_of(lua, 3)),
      "add_header(): that is no header, or one of the gateway's own");
}

static int say_debug(lua_State *lua) {
  sluice_request_debug(asked(lua)->request);
  return 0;
}

/* log("text"), log("warn", "text"): error, warn, info or debug. */
static int say_log(lua_State *lua) {
  static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
  struct sluice_host *host = lua_touserdata(lua, lua_upvalueindex(1));
  bool has_level = lua_gettop(lua) > 1;
  int level =
      has_level ? luaL_checkoption(lua, 1, NULL, levels) : SLUICE_LOG_INFO;
  allowance_spend(lua, STEPS_OF_A_LINE);
  sluice_log_text(host, (enum sluice_level)level,
                  luaL_tolstring(lua, has_level ? 2 : 1, NULL));
  return 0;
}

/* ---- fields ------------------------------------------------------------- */

static const struct {
  const char *name;
  const char *(*get)(const struct sluice_request *);
} texts[] = {{"method", sluice_request_method},
             {"path", sluice_request_path},
             {"query", sluice_request_query},
             {"id", sluice_request_id},
             {"protocol", sluice_request_protocol},
             {"operation", sluice_request_operation},
             {"key", sluice_request_key},
             {"peer", sluice_request_peer},
             {"client", sluice_request_client},
             {"identity", sluice_request_identity},
             {"subject", sluice_request_subject},
             {"traceparent", sluice_request_traceparent},
             {"tracestate", sluice_request_tracestate}};

/* Its methods are the upvalue. */
static int luarequest_field(lua_State *lua) {
  luaL_checkudata(lua, 1, REGISTERED);
  const char *name = luaL_checkstring(lua, 2);
  if (lua_getfield(lua, lua_upvalueindex(1), name) != LUA_TNIL)
    return 1;
  struct luarequest *it = asked(lua);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (strcmp(texts[i].name, name) == 0)
      return push_text(lua, texts[i].get(it->request));
  if (strcmp(name, "status") != 0)
    return luaL_error(lua, "a request has no '%s'", name);
  int status = sluice_request_status(it->request);
  if (status == 0)
    lua_pushnil(lua);
  else
    lua_pushinteger(lua, status);
  return 1;
}

static int luarequest_set(lua_State *lua) {
  return luaL_error(lua, "'%s' of a request can't be set; call a method",
                    luaL_checkstring(lua, 2));
}

static void make_metatable(lua_State *lua) {
  static const luaL_Reg methods[] = {{"header", ask_header},
                                     {"attribute", ask_attribute},
                                     {"parameter", ask_parameter},
                                     {"deny", say_deny},
                                     {"identify", say_identify},
                                     {"set_backend", say_backend},
                                     {"set_attribute", say_attribute},
                                     {"set_type", say_type},
                                     {"add_meta", say_meta},
                                     {"set_prefix", say_prefix},
                                     {"add_header", say_header},
                                     {"debug", say_debug},
                                     {NULL, NULL}};
  luaL_newmetatable(lua, REGISTERED);
  luaL_newlib(lua, methods);
  lua_pushcclosure(lua, luarequest_field, 1);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, luarequest_set);
  lua_setfield(lua, -2, "__newindex");
}

struct luarequest *luarequest_new(lua_State *lua, struct sluice_host *host) {
  struct luarequest *it = lua_newuserdatauv(lua, sizeof *it, 0);
  *it = (struct luarequest){.host = host, .phase = SCRIPT_LOADING};
  make_metatable(lua);
  lua_setmetatable(lua, -2);
  lua_setfield(lua, LUA_REGISTRYINDEX, REGISTERED ".value");
  lua_pushlightuserdata(lua, host);
  lua_pushcclosure(lua, say_log, 1);
  lua_setglobal(lua, "log");
  return it;
}

void luarequest_push(lua_State *lua) {
  lua_getfield(lua, LUA_REGISTRYINDEX, REGISTERED ".value");
}

void luarequest_begin(struct luarequest *it, struct sluice_request *request,
                      enum script_phase phase) {
  it->request = request;
  it->phase = phase;
  it->denied = false;
}
