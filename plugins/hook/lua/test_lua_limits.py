#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A script that goes wrong costs its request, in a short time, and nothing
else; and it reaches nothing beyond the request."""
import contextlib
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
# pylint: disable=wrong-import-position
import kit  # noqa: E402
from kit import Gateway, each, equal, expect, test  # noqa: E402
from luakit import failed, hook, scripted, written  # noqa: E402

LIST = "/files?prefix=t"
STEPS = "it takes more steps than the option steps allows"
MEMORY = "it needs more memory than the option memory allows"
ANY = f"({STEPS}|{MEMORY}|it takes more than 100 ms of the processor)"
DEEP = "callbacks are nested more than 16 deep"
LONG = 'local a = ("a"):rep(100000)'

# Bodies of functions, and what the log says of each.
_SHARED = {}
RUNAWAYS = {
    "loop": ("while true do end", STEPS),
    "goto": ("::again:: goto again", STEPS),
    "recursion": ("local function f() return 1 + f() end f()",
                  f"({STEPS}|{MEMORY}|stack overflow)"),
    "tail_calls": ("local function f() return f() end f()", STEPS),
    "deny_and_loop": ("request:deny(403, 'x') while true do end", STEPS),
    "table": ("local t = {} while true do t[#t + 1] = {} end", ANY),
    "global": ("kept = {} while true do kept[#kept + 1] = 'x' .. #kept end",
               ANY),
    "concat": ("local s = 'x' while true do s = s .. s end", ANY),
    "copies": (f"{LONG} for i = 1, 3000 do local b = a .. 'x' end", STEPS),
    "rep": ("return ('x'):rep(1 << 40)", MEMORY),
    "rep_fits": ("while true do local s = ('x'):rep(100000) end", STEPS),
    "upper": (f"{LONG} while true do a:upper() end", STEPS),
    "compare": (f"{LONG} local b = a .. 'x' a = a .. 'x' "
                "while true do local c = a == b end", ANY),
    "sort": ("local t = {} for i = 1, 5000 do t[i] = i % 7 end "
             "while true do table.sort(t) end", STEPS),
    "sort_long": ("local t = {} for i = 1, 100 do t[i] = "
                  "('x'):rep(2000) .. i end "
                  "for i = 1, 6 do table.sort(t) end", STEPS),
    "shift": ("local t = {} for i = 1, 5000 do t[i] = i end "
              "while true do table.insert(t, 1, 0) end", STEPS),
    "unpack": ("return table.unpack({}, 1, 1e7)", "too many results"),
    "unpack_often": ("for i = 1, 30 do "
                     "local n = select('#', table.unpack({}, 1, 5000)) end",
                     STEPS),
    "max": ("local a = '1' .. (' '):rep(100000) "
            "for i = 1, 40 do math.max(a, a) end", STEPS),
    "format": ("while true do local s = ('%99.99f'):format(1) end", STEPS),
    "find": ("return ('a'):rep(300):find('.-.-.-.-.-.-b')", STEPS),
    "find_plain": (f"{LONG} while true do ('x'):find(a) end", STEPS),
    "frontier": (f"{LONG} return a:find('%f[' .. a .. ']b')", STEPS),
    "match": ("return ('a'):rep(300):match('(.*)(.*)(.*)(.*)b')", STEPS),
    "gsub": ("return ('a'):rep(300):gsub('.-.-.-.-b', '')", STEPS),
    "gmatch": ("for x in ('a'):rep(300):gmatch('.-.-.-.-b') do end", STEPS),
    "gsub_grows": ("return ('a'):rep(1000):gsub('', ('b'):rep(10000))", ANY),
    "pattern_deep": ("return ('a'):find(('a*'):rep(300))",
                     "the pattern is too complex"),
    "pattern_bad": ("return ('a'):find('[')", "the pattern lacks a ']'"),
    "gsub_nested": ("local function f() return (('x'):gsub('x', f)) end f()",
                    DEEP),
    "sort_nested": ("local function f() table.sort({2, 1}, f) end f()", DEEP),
    "log": ("while true do log('x') end", STEPS),
    "error_table": ("error({})", r"error\(\) was called with a table"),
    "error_nil": ("error()", r"error\(\) was called with a nil"),
    "caught": ("local ok = pcall(function() while true do end end)",
               "attempt to call a nil value"),
    "coroutine": ("coroutine.wrap(function() while true do end end)()",
                  "attempt to index a nil value"),
    "finalizer": ("return setmetatable({}, {__gc = function() end})",
                 "attempt to call a nil value"),
}
SCRIPT = "local runaways = {\n" + "".join(
    f'["{name}"] = function(request) {body} end,\n'
    for name, (body, _) in RUNAWAYS.items()) + """}
function on_request(request)
  local runaway = runaways[request:header("X-Which")]
  kept = nil
  if runaway then runaway(request) end
end
"""


@contextlib.contextmanager
def shared():
    with written(SCRIPT) as path:
        if "gateway" not in _SHARED:
            _SHARED["gateway"] = Gateway({
                "server": {"workers": "1"}, "hooks": [hook(path)]})
    gateway = _SHARED["gateway"]
    try:
        yield gateway, len(gateway.lines)
    except BaseException:
        _SHARED.pop("gateway").kill()
        raise


@each({name: name for name in RUNAWAYS})
def test_runaway_costs_its_request_alone(name):
    with shared() as (gateway, mark):
        began = time.monotonic()
        failed(gateway.ask("GET", LIST, f"X-Which: {name}"))
        took = time.monotonic() - began
        expect(took < 3 * kit.SLOWNESS, f"it took {took:.1f} s")
        gateway.says(rf"error \[lua\] .*s\.lua:\d+: (in on_request: )?"
                     rf"{RUNAWAYS[name][1]}.*; the request is refused",
                     after=mark)
        equal("then", gateway.ask("GET", LIST).status, 200)


def runaway_in(phase):
    return f"function {phase}(request)\n  while true do end\nend\n"


@each({"on_request": ("on_request", 500), "on_key": ("on_key", 500),
       "on_response": ("on_response", 201), "on_change": ("on_change", 201),
       "on_log": ("on_log", 201)})
def test_runaway_is_told_in_each_phase(case):
    phase, status = case
    with scripted(runaway_in(phase)) as gateway:
        answer = gateway.ask("POST", "/files", kit.FORM,
                             body=kit.form(kit.file()))
        equal("status", answer.status, status)
        gateway.says(rf"error \[lua\] .*s\.lua:2: {STEPS}")


@test
def test_steps_are_those_of_one_call():
    with scripted("""
function on_request()
  for i = 1, 20000 do end
end""") as gateway:
        for _ in range(20):
            equal("status", gateway.ask("GET", LIST).status, 200)


@test
def test_more_steps_are_more():
    text = "function on_request() for i = 1, 150000 do local x = i end end\n"
    with scripted(text, steps="100000") as gateway:
        failed(gateway.ask("GET", LIST))
    with scripted(text, steps="1000000") as gateway:
        equal("status", gateway.ask("GET", LIST).status, 200)


@test
def test_memory_that_is_kept_stays_used_until_the_script_is_read_again():
    with scripted("""
kept = {}
function on_request(request)
  if request:header("X-Keep") then
    kept[#kept + 1] = ("x"):rep(100000) .. #kept
  end
  local some = ("y"):rep(50000)
end""", memory="512KiB") as gateway:
        statuses = [gateway.ask("GET", LIST, "X-Keep: 1").status
                    for _ in range(8)]
        equal("statuses", (statuses[0], statuses[-1]), (200, 500))
        gateway.says(rf"s\.lua:\d: in on_request: {MEMORY}")
        gateway.signal(kit.signal.SIGHUP)
        kit.eventually("room again", lambda: gateway.ask(
            "GET", LIST).status == 200)


GONE = ("io", "os", "package", "debug", "coroutine", "require", "load",
        "loadstring", "loadfile", "dofile", "collectgarbage", "getmetatable",
        "setmetatable", "rawset", "rawget", "pcall", "xpcall", "print",
        "string.dump", "string.pack", "table.move", "warn")


@test
def test_nothing_reaches_beyond_the_request():
    lines = "\n".join(f"  if {name} then log('there is {name}') end"
                      for name in GONE)
    with scripted(f"""
function on_request(request)
{lines}
  if ("").dump then log("there is a dump") end
  for name in pairs(_G) do log("global " .. name .. ".") end
  log("done")
end""") as gateway:
        gateway.ask("GET", LIST)
        gateway.says("done")
        lines = gateway.lines
        equal("there", [line for line in lines if "there is" in line], [])
        equal("globals", sorted(
            line.split("global ")[1].rstrip(".") for line in lines
            if "global " in line),
            sorted(("_G", "_VERSION", "assert", "error", "ipairs", "log",
                    "math", "next", "on_request", "pairs", "select",
                    "string", "table", "tonumber", "tostring", "type",
                    "utf8")))


@test
def test_library_works():
    with written("""
local function same(a, b) if a ~= b then error(tostring(a), 2) end end
function on_request(request)
  same(("a-b"):gsub("-", "+"), "a+b")
  same(("hello"):gsub("l", {l = "L"}), "heLLo")
  same(("hello"):gsub("%w", function(c) return c == "h" and "j" or nil end),
       "jello")
  same(("abc"):gsub("", "-"), "-a-b-c-")
  same(("k=v, x=y"):gsub("(%w+)=(%w+)", "%2=%1"), "v=k, y=x")
  local all = {}
  for k, v in ("k=v, x=y"):gmatch("(%w+)=(%w+)") do
    all[#all + 1] = k .. v
  end
  same(table.concat(all, ";"), "kv;xy")
  same(select(2, ("abc"):find("b", 1, true)), 2)
  same(("a.b"):find(".", 1, true), 2)
  same(("abc"):find("()c"), 3)
  same(("abc"):match("^(a)(b)"), "a")
  same(("ab"):rep(3, "-"), "ab-ab-ab")
  same((""):rep(1 << 60), "")
  same(("%5.1f|%s|%d"):format(1.25, "x", 3), "  1.2|x|3")
  same(("AbC"):lower() .. ("AbC"):upper() .. #("abc"), "abcABC3")
  local t = {3, 1, 2}
  table.sort(t)
  table.insert(t, 1, 0)
  same(table.concat(t, ","), "0,1,2,3")
  same(table.remove(t), 3)
  same(select("#", table.unpack(t)), 3)
  same(math.max(1, 2), 2)
  same(math.floor(-math.pi) + math.maxinteger, math.maxinteger - 4)
  t = {"b", "a", "c"}
  table.sort(t, nil)
  same(table.concat(t), "abc")
  table.sort(t, function(a, b) return a > b end)
  same(table.concat(t), "cba")
  same(utf8.len("h\\u{e9}"), 2)
  same(tonumber("0x10"), 16)
  request:deny(404, "all is well")
end""") as path, Gateway({"hooks": [hook(path)]}) as gateway:
        answer = gateway.ask("GET", LIST)
        equal("answer", (answer.status, answer.error), (404, "all is well"))


@test
def test_loops_have_states_of_their_own():
    """None sees a request of another, whatever they keep."""
    with written("""
count = 0
function on_request(request)
  mine = request:header("X-Who")
  count = count + 1
end
function on_response(request)
  if request:header("X-Who") == mine then
    request:add_header("X-Count", tostring(count))
  end
end""") as path, Gateway({"server": {"workers": "2"},
                          "hooks": [hook(path)]}) as gateway:
        counts = [int(gateway.ask("GET", LIST, f"X-Who: {i}")
                      .header("x-count")) for i in range(20)]
        expect(max(counts) <= 20, f"counts: {counts}")


if __name__ == "__main__":
    try:
        kit.main()
    finally:
        if _SHARED:
            _SHARED["gateway"].stop()
