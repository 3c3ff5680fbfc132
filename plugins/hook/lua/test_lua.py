#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A script sees what the ABI shows to hooks, and what it says is done."""
import re
import shutil
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
# pylint: disable=wrong-import-position
import kit  # noqa: E402
import linkskit  # noqa: E402
import ways  # noqa: E402
from guards import uploaded_by  # noqa: E402
from kit import (Gateway, among, each, equal, eventually, expect, index_of,
                 like, md5, test)  # noqa: E402
from luakit import failed, hook, refused, scripted, written  # noqa: E402
from ways import WAYS, stored  # noqa: E402

EXAMPLE = Path(__file__).with_name("uploads.lua")
LIST = "/files?prefix=t"


def named(gateway, name, *lines):
    return gateway.ask("POST", "/files", kit.FORM, *lines,
                       body=kit.form(kit.file(b"hello", name)))


def user_of(gateway, key):
    with index_of(gateway.folder) as rows:
        user, = rows.execute("SELECT user FROM object WHERE key = ?",
                             (key.encode(),)).fetchone()
    words = [word.decode() for word in user.split(b"\0")]
    return dict(zip(words[::2], words[1::2]))


# ---- refusing ---------------------------------------------------------------

@test
def test_example_of_ten_lines_refuses_programs():
    lines = EXAMPLE.read_text("utf-8").splitlines()
    expect(len(lines) <= 10, f"the example has {len(lines)} lines")
    with Gateway({"hooks": [hook(EXAMPLE)]}) as gateway:
        for name, status in (("a.exe", 403), ("b.EXE", 403), ("c.txt", 201),
                             ("exe", 201), ("d.exe.txt", 201)):
            equal(name, named(gateway, name).status, status)
        answer = gateway.ask("PUT", "/files/object?key=t/e.msi", body=b"x")
        equal("by name", (answer.status, answer.error),
              (403, "Programs aren't taken here"))
        answer = linkskit.asked(gateway, method="PUT", key="t/e.exe")
        equal("a link", answer.status, 403)
        linkskit.put(gateway, "t/f.txt", b"x")
        answer = ways.copy(gateway, "t/f.txt", "t/f.exe")
        equal("a copy", answer.status, 403)


@test
def test_example_is_right():
    hook(EXAMPLE)  # or it is skipped
    kit.expect_example(
        Path(__file__).with_name("lua.yaml"),
        lambda folder: shutil.copy(EXAMPLE, Path(folder, EXAMPLE.name)))


# Once all bytes are there; the six that `replace` puts first may stay.
NEVER = """
function on_key(request, object)
  if object and object.md5 and object.length ~= 6 then
    return request:deny(403, "not here: " .. request.key:sub(1, 2))
  end
end
"""


@each(WAYS)
def test_what_it_refuses_is_never_there(way):
    with written(NEVER) as path, ways.shared(hooks=[hook(path)]) as (gate, _):
        answer = way(gate, b"x" * 5000)
        equal("answer", (answer.status, answer.error), (403, "not here: t/"))
        equal("objects", stored(gate),
              ["t/r.bin"] if way is ways.replace else [])


STATUSES = (400, 401, 403, 404, 409, 412, 413, 416, 429, 500, 501, 502, 503,
            504, 507)


@test
def test_refusals_have_status_and_text():
    with scripted("""
function on_request(request)
  return request:deny(tonumber(request:header("X-Status")), "because")
end""") as gateway:
        for status in STATUSES:
            answer = gateway.ask("GET", LIST, f"X-Status: {status}")
            equal("answer", (answer.status, answer.error),
                  (status, "because"))
            expect(answer.json["code"], "it has no code")
        for status in 200, 418, 505, 599:
            failed(gateway.ask("GET", LIST, f"X-Status: {status}"))
        gateway.says(r"\[lua\] .*/s\.lua:3: .*a refusal is 400, 401, ")


@each({"false": ("return false", 403), "nothing": ("", 200),
       "nil": ("return nil", 200), "true": ("return true", 200),
       "deny and true": ("request:deny(404, 'x') return true", 404),
       "deny alone": ("request:deny(429, 'x')", 429),
       "a text": ("return 'no'", 500), "a number": ("return 0", 500),
       "an error": ("error('no')", 500), "no table": ("x.y = 1", 500)})
def test_verdicts(case):
    body, status = case
    text = f"function on_request(request) {body} end\n"
    with scripted(text) as gateway:
        answer = gateway.ask("GET", LIST)
        equal("status", answer.status, status)
        if status == 500:
            failed(answer)
            gateway.says(r"error \[lua\] .*s\.lua:1: .*; the request is "
                         "refused")


@test
def test_other_hooks_refuse_what_it_allows():
    with scripted("function on_request() return true end",
                  "function on_request() return false end") as gateway:
        equal("status", gateway.ask("GET", LIST).status, 403)


# ---- seeing -----------------------------------------------------------------

FACTS = """
local names = {"method", "path", "query", "operation", "protocol", "key",
               "client", "peer", "id", "identity", "subject", "status"}
local function facts(request, phase)
  for _, name in ipairs(names) do
    log(phase .. " " .. name .. "=" .. tostring(request[name]) .. ".")
  end
end
function on_request(request)
  facts(request, "request")
  log("header " .. tostring(request:header("x-colour")) ..
      tostring(request:header("X-Other")))
  log("warn", "parameter " .. tostring(request:parameter("prefix")) ..
      tostring(request:parameter("none")) ..
      tostring(request:parameter("twice")))
end
function on_key(request) facts(request, "key") end
function on_log(request, record)
  facts(request, "log")
  log("record " .. record.status .. " " .. record.bytes_in .. " " ..
      tostring(record.bytes_out > 0) .. tostring(record.usec > 0) .. " " ..
      tostring(record.code) .. " " .. tostring(record.ended_by) .. " " ..
      record.attempts)
end
"""


@test
def test_a_script_sees_the_request():
    with scripted(FACTS) as gateway:
        gateway.ask("GET", "/files?prefix=t%2Fa+b&twice=1&twice=2",
                    "X-Request-Id: seen", "X-Colour: red")
        for line in (r"request method=GET\.", r"request path=/files\.",
                     r"request query=prefix=t%2Fa\+b&twice=1&twice=2\.",
                     r"request operation=list\.",
                     r"request protocol=HTTP/1\.1\.", r"request key=nil\.",
                     r"request client=127\.0\.0\.1\.",
                     r"request peer=127\.0\.0\.1\.", r"request id=seen\.",
                     r"request identity=nil\.", r"request subject=nil\.",
                     r"request status=nil\.", "header rednil",
                     r"warn \[lua\] .*parameter t/a bnilnil",
                     r"key key=t/a b\.", r"log status=200\.",
                     r"record 200 0 truetrue nil nil \d"):
            gateway.says(line)


@test
def test_a_script_sees_the_object():
    with scripted("""
local function show(phase, object)
  log(phase .. " " .. object.key .. " " .. tostring(object.name) .. " " ..
      tostring(object.type) .. " " .. tostring(object.length) .. " " ..
      tostring(object.md5) .. " " .. tostring(object.prefix_is_open) .. " " ..
      tostring(object.user and object.user["uploaded-by"]) .. ".")
end
function on_key(request, object)
  if object then show("key", object) else log("no object") end
end
function on_change(request, object) show("change", object) end
""") as gateway:
        key = ways.form(gateway, b"hello").json["key"]
        sum_ = md5(b"hello")
        gateway.says(rf"key {key} a\.bin application/octet-stream 5 {sum_} "
                     r"true anonymous\.")
        gateway.says(rf"change {key} nil application/octet-stream 5 {sum_} "
                     r"nil anonymous\.")
        gateway.download(key)
        gateway.says("no object")
        gateway.delete(key)
        gateway.says(rf"change {key} nil nil nil nil nil nil\.")


# ---- saying -----------------------------------------------------------------

@each({"form": ways.form, "put": ways.put, "parts": ways.draft_parts})
def test_type_and_metadata_are_as_it_says(way):
    with scripted("""
function on_key(request, object)
  if object then
    request:set_type("text/x-mine")
    request:add_meta("colour", "r\\u{e9}d")
  end
end""") as gateway:
        among("status", way(gateway, b"hello").status, (200, 201, 204))
        key, = stored(gateway)
        equal("type", gateway.download(key).header("content-type"),
              "text/x-mine")
        equal("metadata", user_of(gateway, key)["colour"], "r\u00e9d")


@test
def test_prefix_is_as_it_says():
    with scripted("""
function on_key(request, object)
  if object then request:set_prefix("in/coming") end
end""") as gateway:
        key = ways.form(gateway, b"hello").json["key"]
        like("key", key, "^in/coming/")
        failed(ways.put(gateway, b"hello"))
        gateway.says(r"s\.lua:3: set_prefix\(\): that is no prefix, or the "
                     "key isn't the gateway's to make")
        equal("objects", stored(gateway), [key])


@test
def test_identity_is_as_it_says():
    with scripted("""
function on_request(request)
  local who = request:header("X-Who")
  if not who then return request:deny(401, "Who is it?") end
  request:identify(who)
end""") as gateway:
        equal("nobody", ways.form(gateway, b"a").status, 401)
        key = ways.form(gateway, b"a", "X-Who: ann").json["key"]
        equal("uploaded-by", uploaded_by(gateway, key), "ann")
        failed(ways.form(gateway, b"a", "X-Who: " + "a" * 257))


@test
def test_backend_is_as_it_says():
    with written("""
function on_request(request)
  local tenant = request:header("X-Tenant") or "main"
  if not request:set_backend(tenant) and tenant ~= "silent" then
    return request:deny(404, "No such tenant")
  end
end""") as path, kit.tempfile.TemporaryDirectory() as other, Gateway({
            "hooks": [hook(path)], "backends": {
                "main": {"plugin": "local", "directory": f"{other}/a"},
                "blue": {"plugin": "local", "directory": f"{other}/b"}}}
            ) as gateway:
        key = ways.form(gateway, b"x", "X-Tenant: blue").json["key"]

        def keys(*lines):
            answer = gateway.ask("GET", "/files?prefix=t", *lines)
            return [thing["key"] for thing in answer.json["objects"]]
        equal("of the tenant", keys("X-Tenant: blue"), [key])
        equal("of the route", keys(), [])
        answer = gateway.ask("GET", LIST, "X-Tenant: none")
        equal("of nobody", (answer.status, answer.error),
              (404, "No such tenant"))
        equal("unsaid", gateway.ask("GET", LIST, "X-Tenant: silent").status,
              500)


@test
def test_headers_of_the_answer_are_as_it_says():
    with scripted("""
function on_response(request)
  request:add_header("X-Colour", "red")
  request:add_header("X-Status", tostring(request.status))
  request:add_header("Content-Length", "1")
end""") as gateway:
        answer = gateway.ask("GET", LIST)
        equal("answer", (answer.status, answer.header("x-colour"),
                         answer.header("x-status")), (200, "red", "200"))
        gateway.says(r"s\.lua:5: add_header\(\): that is no header, or one "
                     r"of the gateway's own$")


@test
def test_attributes_are_shared_with_other_hooks():
    with scripted("""
function on_request(request)
  request:set_attribute("lua.colour", "red")
  request:set_attribute("lua.gone", "x")
  request:set_attribute("lua.gone", nil)
end""", """
function on_log(request)
  log("told " .. request:attribute("lua.colour") ..
      tostring(request:attribute("lua.gone")))
end""") as gateway:
        gateway.ask("GET", LIST)
        gateway.says("told rednil")


@each({"deny": ("on_log", "request:deny(403, 'x')", "it is too late"),
       "identify": ("on_key", "request:identify('x')", "is for on_request"),
       "backend": ("on_key", "request:set_backend('main')",
                   "is for on_request"),
       "type": ("on_request", "request:set_type('a/b')", "is for on_key"),
       "no object": ("on_key", "request:set_type('a/b')",
                     "no object is made"),
       "header": ("on_request", "request:add_header('a', 'b')",
                  "is for on_response"),
       "field": ("on_request", "request.key = 'x'", "can't be set"),
       "unknown": ("on_request", "return request.kee", "has no 'kee'"),
       "function": ("on_request", "request:set_backened('x')",
                    "has no 'set_backened'"),
       "dot": ("on_request", "request.header('X')", "bad argument #1"),
       "nul": ("on_request", "request:header('X\\0')", "has a NUL in it"),
       "attribute": ("on_request", "request:set_attribute('A B', 'x')",
                     "an attribute's name is of"),
       "level": ("on_request", "log('loud', 'x')", "invalid option 'loud'")})
def test_misuse_is_an_error_with_its_line(case):
    phase, body, why = case
    with scripted(f"function {phase}(request)\n  {body}\nend\n") as gateway:
        answer = gateway.ask("GET", LIST)
        equal("status", answer.status,
              500 if phase in ("on_request", "on_key") else 200)
        like("line", gateway.says(r"s\.lua:2: .*" + re.escape(why)),
             r"error \[lua\] ")


# ---- its life ---------------------------------------------------------------

@each({"syntax": ("x = 1\nfunction on_key(\nend\n", r"/s\.lua:3: .*near"),
       "error": ("local x\nx.y = 1\n", r"/s\.lua:2: attempt to index a nil"),
       "nothing": ("x = 1\n", "/s.lua: defines none of the functions on_re"),
       "misspelled": ("function on_keys() end\n",
                      "/s.lua: on_keys isn't one of the functions"),
       "no function": ("on_key = true\n", "on_key isn't one of the functions"),
       "request": ("log(request)\nfunction on_key() end\nprint('a')",
                   r"/s\.lua:3: attempt to call a nil value \(global 'print"),
       "bytecode": (b"\x1bLua" + b"T" * 60, "attempt to load a binary chunk"),
       "endless": ("while true do end\n", r"/s\.lua:1: it takes more steps"),
       "memory": ("t = {} for i = 1, 90000 do t[i] = i end\n",
                  r"s\.lua: it needs more memory than")})
def test_script_that_cannot_be_is_refused_at_the_start(case):
    text, why = case
    refused(text, why, steps="1000000" if "90000" in str(text) else "1000")


@test
def test_script_that_is_broken_is_told_before_a_start():
    with tempfile.TemporaryDirectory() as folder, \
            written("function on_key()\nreturn 1 +\nend") as path:
        config = kit.written(folder, kit.settings(
            folder, {"hooks": [hook(path)]}))
        kit.refusal(None, r"/s\.lua:3: unexpected symbol near 'end'",
                    arguments=["-t", "-c", config])


@test
def test_script_that_is_not_there_is_refused_at_the_start():
    kit.refusal({"hooks": [hook("/nonexistent/s.lua")]},
                r"/nonexistent/s\.lua: can't be read: No such file")


@each({"memory below": ("memory", "131071B", "128KiB to 64MiB"),
       "memory above": ("memory", "67108865B", "128KiB to 64MiB"),
       "steps below": ("steps", "999", "1000 to 1000000"),
       "steps above": ("steps", "1000001", "1000 to 1000000")})
def test_limits_have_bounds(case):
    name, value, why = case
    refused("function on_key() end", f"{name}: {why}", **{name: value})


@each({"least": {"memory": "128KiB", "steps": "1000"},
       "most": {"memory": "64MiB", "steps": "1000000"}})
def test_limits_at_their_bounds_are_taken(options):
    with scripted("function on_key() end", **options) as gateway:
        equal("status", gateway.ask("GET", LIST).status, 200)


def told(gateway):
    return gateway.ask("GET", LIST).header("x-version")


VERSION = """function on_response(request)
  request:add_header("X-Version", "{}")
end
"""


def shifted(gateway, version, text):
    """The script is another one, and SIGHUP says so."""
    gateway.script.write_text(text, encoding="utf-8")
    gateway.signal(signal.SIGHUP)
    eventually(f"version {version}", lambda: told(gateway) == version)


@test
def test_sighup_reads_the_script_again():
    with scripted(VERSION.format("one")) as gateway:
        equal("at first", told(gateway), "one")
        gateway.script.write_text(VERSION.format("two"), encoding="utf-8")
        equal("unsaid", told(gateway), "one")
        gateway.signal(signal.SIGHUP)
        eventually("the new version", lambda: told(gateway) == "two")


@each({"syntax": ("function on_key(\n", r"s\.lua:2: .*near <eof>"),
       "error": ("error('no')\n", r"s\.lua:1: no"),
       "nested": ("local function f() return (('x'):gsub('x', f)) end f()\n",
                  r"s\.lua:1: callbacks are nested more than 16 deep"),
       "nothing": ("", "defines none of")})
def test_script_that_is_broken_at_sighup_leaves_the_one_before(case):
    text, why = case
    with scripted(VERSION.format("one")) as gateway:
        gateway.script.write_text(text, encoding="utf-8")
        gateway.signal(signal.SIGHUP)
        gateway.says(why + ".*; what was read before stays in force")
        equal("still", told(gateway), "one")
        shifted(gateway, "three", VERSION.format("three"))


@test
def test_script_that_others_can_change_is_told():
    with written(VERSION.format("one")) as path:
        path.chmod(0o666)
        with Gateway({"hooks": [hook(path)]}) as gateway:
            gateway.says(r"s\.lua can be written by any user")


if __name__ == "__main__":
    ways.main()
