#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Pages of other origins: preflights, and what every answer tells browsers."""
import tempfile

from kit import (FORM, PLUGINS, Gateway, built, denying, each, equal, expect,
                 file, form, hook_source, main, refusal, test)

APP = "https://app.example"
PREFLIGHT = (f"Origin: {APP}", "Access-Control-Request-Method: POST",
             "Access-Control-Request-Headers: content-type")


def sharing(*origins, **more):
    sections = more.pop("sections", {})
    return Gateway({"cors": {"origins": origins or (APP,), **more},
                    **sections})


def allows(answer):
    """The rights that an answer gives, by the last word of its headers' names.
    """
    return {name.removeprefix("access-control-"): value
            for name, value in answer.headers
            if name.startswith("access-control-")}


def whole(answer):
    """A 204 without a body's length, on a connection that goes on."""
    equal("status", answer.status, 204)
    equal("length", answer.header("content-length"), None)
    equal("coding", answer.header("transfer-encoding"), None)


@test
def test_preflight_is_answered_with_what_the_path_has():
    with sharing() as gate, gate.wire() as wire:
        answer = wire.ask("OPTIONS", "/files", *PREFLIGHT)
        whole(answer)
        allowed = allows(answer)
        methods = allowed.pop("allow-methods")
        equal("methods", sorted(methods.split(", ")),
              ["DELETE", "GET", "HEAD", "POST"])
        expect("Content-Type" in allowed.pop("allow-headers"), "headers")
        equal("the rest", allowed, {"allow-origin": APP, "max-age": "600"})
        equal("vary", answer.header("vary"), "Origin")
        equal("status", wire.ask("GET", "/healthz").status, 200)


@test
def test_configured_lists_are_what_a_preflight_says():
    with sharing(methods=["GET"], headers=["X-A", "X-B"], max_age="0",
                 credentials="true", expose=["X-C"]) as gate:
        equal("allowed", allows(gate.ask("OPTIONS", "/files", *PREFLIGHT)), {
            "allow-methods": "GET", "allow-headers": "X-A, X-B",
            "allow-origin": APP, "allow-credentials": "true", "max-age": "0"})
        equal("allowed", allows(gate.ask("GET", "/files", PREFLIGHT[0])), {
            "allow-origin": APP, "allow-credentials": "true",
            "expose-headers": "X-C"})


@each({"other": "https://evil.example", "null": "null", "port": f"{APP}:8443",
       "scheme": "http://app.example", "longer": f"{APP}.evil.example",
       "case": "https://APP.example"})
def test_origin_that_is_not_named_is_allowed_nothing(origin):
    with sharing() as gate:
        answer = gate.ask("OPTIONS", "/files", f"Origin: {origin}",
                          PREFLIGHT[1])
        whole(answer)
        equal("allowed", allows(answer), {})
        equal("vary", answer.header("vary"), "Origin")
        answer = gate.ask("GET", "/files", f"Origin: {origin}")
        equal("allowed", (answer.status, allows(answer)), (200, {}))


@test
def test_star_allows_every_origin():
    with sharing("*") as gate:
        answer = gate.ask("GET", "/files", "Origin: https://any.example")
        equal("origin", allows(answer)["allow-origin"], "*")
        equal("vary", answer.header("vary"), None)


@test
def test_answers_of_any_status_say_who_may_read_them():
    with sharing(APP, "http://other.example:81") as gate:
        key = gate.upload(b"0123456789")["key"]
        download = f"/files/download?key={key}"
        etag = gate.ask("GET", download).header("etag")
        for want, method, target, *lines in (
                (200, "GET", download), (206, "GET", download,
                                         "Range: bytes=0-1"),
                (304, "GET", download, f"If-None-Match: {etag}"),
                (416, "GET", download, "Range: bytes=99-"),
                (200, "HEAD", download), (404, "GET", "/files/download?key=x"),
                (404, "GET", "/nothing"), (405, "PUT", "/files"),
                (400, "GET", "/files?limit=x"), (200, "GET", "/healthz")):
            answer = gate.ask(method, target, *lines,
                              "Origin: http://other.example:81")
            equal(f"{method} {target}", answer.status, want)
            equal(f"{want}", allows(answer)["allow-origin"],
                  "http://other.example:81")
            expect("ETag" in allows(answer)["expose-headers"], "expose")
            equal(f"{want}", answer.header("vary"), "Origin")
        answer = gate.ask("GET", download)  # a cache keeps them apart
        equal("without origin", (allows(answer), answer.header("vary")),
              ({}, "Origin"))


@test
def test_upload_from_another_origin_is_stored():
    with sharing() as gate:
        answer = gate.ask("POST", "/files", FORM, PREFLIGHT[0],
                          body=form(file(b"x")))
        equal("status", answer.status, 201)
        equal("origin", allows(answer)["allow-origin"], APP)


@test
def test_preflight_is_not_asked_of_hooks_and_a_refusal_is_readable():
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        with sharing(sections=denying(folder)) as gate:
            whole(gate.ask("OPTIONS", "/files", *PREFLIGHT))
            answer = gate.ask("GET", "/files", PREFLIGHT[0])
            equal("status", answer.status, 401)
            equal("origin", allows(answer)["allow-origin"], APP)


@test
def test_preflight_of_an_unknown_path_is_404():
    with sharing() as gate:
        equal("status", gate.ask("OPTIONS", "/x", *PREFLIGHT).status, 404)


@each({"no origin": PREFLIGHT[1:], "no method": PREFLIGHT[:1]})
def test_options_that_is_no_preflight_is_405(lines):
    with sharing() as gate:
        equal("status", gate.ask("OPTIONS", "/files", *lines).status, 405)


@test
def test_without_cors_nothing_is_said():
    with Gateway() as gate:
        answer = gate.ask("OPTIONS", "/files", *PREFLIGHT)
        equal("answer", (answer.status, allows(answer),
                         answer.header("vary")), (405, {}, None))
        answer = gate.ask("GET", "/files", PREFLIGHT[0])
        equal("answer", (answer.status, allows(answer),
                         answer.header("vary")), (200, {}, None))


@test
def test_hook_cannot_add_to_what_the_gateway_allows():
    source = hook_source("opener").replace(
        ".on_request = ask", ".on_request = ask, .on_response = open_up"
    ).replace("static const struct sluice_hook it", """
static void open_up(void *handle, struct sluice_request *request)
{ (void)handle;
  sluice_request_answer(request, "access-control-Allow-Origin", "*");
  sluice_request_answer(request, "Access-Control-Allow-Private-Network",
                        "true"); }
static const struct sluice_hook it""")
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        built(folder, "opener", source)
        own = {"plugin_path": [*PLUGINS, folder],
               "hooks": [{"plugin": "opener"}]}
        with sharing(sections=own) as gate:
            equal("allowed", allows(gate.ask("GET", "/files")), {})
        with Gateway(own) as gate:  # where there is none, a hook may
            equal("allowed", len(allows(gate.ask("GET", "/files"))), 2)


@test
def test_credentials_for_everybody_are_refused_at_start():
    refusal({"cors": {"origins": ["*"], "credentials": "true"}},
            "with credentials each origin has to be named")


OTHER = "https://www.gateway.test"
OWN = "https://gateway.test"
FORGED = {
    "a form": ("POST", "https://evil.example", "cross-site", 403),
    "a form without an origin": ("POST", None, "cross-site", 403),
    "of no origin": ("POST", "null", "cross-site", 403),
    "of no origin and an old browser": ("POST", "null", None, 403),
    "an old browser": ("POST", "https://evil.example", None, 403),
    "a delete of an old browser": ("DELETE", "https://evil.example", None,
                                   403),
    "the same site": ("POST", OTHER, "same-site", 403),
    "the same site of an old browser": ("POST", OTHER, None, 403),
    "the same site without an origin": ("POST", None, "same-site", 403),
    "another port": ("POST", f"{OWN}:8443", "same-site", 403),
    "a longer name": ("POST", f"{OWN}.evil.example", None, 403),
    "the gateway's name and another scheme": ("POST", "http://gateway.test",
                                              "cross-site", 403),
    "an allowed page": ("POST", APP, "cross-site", 401),
    "an allowed page and an old browser": ("POST", APP, None, 401),
    "the gateway's own": ("POST", OWN, "same-origin", 401),
    "the gateway's own and an old browser": ("POST", OWN, None, 401),
    "another case": ("POST", "https://GATEWAY.test", None, 401),
    "a proxy that changes Host": ("POST", "https://front.example",
                                  "same-origin", 401),
    "a link": ("GET", None, "cross-site", 401),
    "a read": ("GET", "https://evil.example", "cross-site", 401),
    "a person": ("POST", None, "none", 401),
    "no browser": ("POST", None, None, 401)}


def forged(gate, method, origin, site):
    lines = [f"{name}: {value}" for name, value in (
        ("Origin", origin), ("Sec-Fetch-Site", site)) if value]
    body = form(file()) if method == "POST" else None
    return gate.ask(method, "/files", FORM, *lines, body=body).status


@each(FORGED)
def test_foreign_pages_change_nothing_behind_a_guard(case):
    """With 403 no guard was asked, as a browser may have added a user's
    cookies or password; with 401 one was."""
    method, origin, site, status = case
    for origins in ([APP], None):
        with tempfile.TemporaryDirectory() as folder, Gateway({
                **({"cors": {"origins": origins}} if origins else {}),
                **denying(folder)}) as gate:
            want = 403 if origin == APP and not origins else status
            equal("status", forged(gate, method, origin, site), want)


@each({"public_url": ({"public_url": "https://front.example/x"}, []),
       "hosts": ({"hosts": ["front.example"]}, []),
       "proxy": ({"trusted_proxies": ["127.0.0.1"]},
                 ["X-Forwarded-Host: front.example"])})
def test_own_origin_is_the_one_that_clients_see(row):
    server, lines = row
    with tempfile.TemporaryDirectory() as folder, Gateway({
            "server": server, **denying(folder)}) as gate:
        for origin, want in (("https://front.example", 401),
                             ("https://evil.example", 403)):
            equal(origin, gate.ask("POST", "/files", FORM, *lines,
                                   f"Origin: {origin}",
                                   body=form(file())).status, want)


@test
def test_host_that_is_not_listed_is_no_own_origin():
    with tempfile.TemporaryDirectory() as folder, Gateway({
            "server": {"hosts": ["front.example"]},
            **denying(folder)}) as gate:
        equal("status", forged(gate, "POST", OWN, None), 403)


TYPES = {"text": "text/plain", "text with a parameter":
         "text/plain;charset=UTF-8", "a form": "multipart/form-data; "
         "boundary=x", "curl -d": "application/x-www-form-urlencoded"}


@each(TYPES)
def test_json_as_a_form_can_send_it_is_415_behind_a_guard(kind):
    with tempfile.TemporaryDirectory() as folder:
        built(folder, "opens", hook_source("opens", guards="1",
                                           ask="return SLUICE_ALLOW;"))
        guard = {"plugin_path": [*PLUGINS, folder],
                 "hooks": [{"plugin": "opens"}]}
        for sections, want in ((guard, 415), ({}, 200)):
            with Gateway(sections) as gate:
                answer = gate.ask("DELETE", "/files", f"Content-Type: {kind}",
                                  body=b'{"key": "a"}')
                equal("status", answer.status, want)
                for line in (["Content-Type: application/json"], [],
                             ["Content-Type: application/x-json"]):
                    equal(str(line), gate.ask("DELETE", "/files", *line,
                                              body=b'{"key": "a"}').status,
                          200)


SENT = {
    "Dropzone": "cache-control, x-requested-with",
    "Uppy": "x-requested-with, authorization, x-api-key",
    "tus-js-client": "tus-resumable, upload-length, upload-metadata, "
                     "upload-offset, upload-concat, upload-checksum, "
                     "upload-defer-length, x-http-method-override, "
                     "content-type",
    "the draft": "upload-complete, upload-draft-interop-version, "
                 "upload-offset, upload-length, content-type",
    "digests": "content-digest, repr-digest, want-repr-digest, "
               "idempotency-key",
    "tracing": "traceparent, x-request-id",
    "downloads": "range, if-range, if-match, if-none-match, "
                 "if-modified-since, if-unmodified-since"}


@each(SENT)
def test_headers_that_clients_send_are_allowed_by_default(names):
    with sharing() as gate:
        allowed = allows(gate.ask("OPTIONS", "/files", *PREFLIGHT[:2],
                                  f"Access-Control-Request-Headers: {names}"))
        known = allowed["allow-headers"].lower().split(", ")
        for name in names.split(", "):
            expect(name in known, f"{name} in {known}")


@test
def test_foreign_pages_may_upload_where_nobody_guards():
    with sharing() as gate:
        equal("status", gate.ask(
            "POST", "/files", FORM, "Origin: https://evil.example",
            "Sec-Fetch-Site: cross-site", body=form(file())).status, 201)


if __name__ == "__main__":
    main()
