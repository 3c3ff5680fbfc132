#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The hook auth_request against a service that may say anything, or nothing:
only a clean 2xx admits."""
import hashlib
import json
import tempfile
from pathlib import Path
from urllib.parse import quote

from authkit import KEY, by_user, gateway, send_upload
from kit import Gateway, among, each, equal, expect, main, test
from service import Service, close, drip, flood, reset, said, say, send, stall


# ---- what the service hears -------------------------------------------------

@test
def test_service_is_asked_before_anything_is_looked_up():
    with Service(say(403)) as service, gateway(service) as gate:
        there = gate.ask("GET", KEY)
        equal("answer", (there.status, there.json["code"]),
              (403, "forbidden"))
        equal("requests", len(service.asked), 1)


@test
def test_service_is_told_what_is_asked():
    with Service() as service, gateway(service) as gate:
        answer = gate.ask("GET", KEY + "&x=%0d%0a", "Authorization: Bearer a",
                          "Cookie: b=c", "X-Other: d", "Accept: e/f")
        asked = service.last
        equal("answer", answer.status, 404)
        equal("line", (asked.method, asked.target), ("GET", "/may-i"))
        trace = asked.header("traceparent")
        equal("headers", dict(asked.headers), {
            "traceparent": trace, "host": f"127.0.0.1:{service.port}",
            "authorization": "Bearer a", "cookie": "b=c",
            "x-original-method": "GET", "x-original-uri": KEY + "&x=%0d%0a",
            "x-operation": "download", "x-client": "127.0.0.1",
            "x-request-id": answer.header("x-request-id")})
        equal("how many", len(asked.headers), 9)


@test
def test_clients_versions_of_our_headers_do_not_go():
    names = ["X-Original-Method", "X-Original-URI", "X-Operation",
             "X-Client", "X-Key"]
    with Service() as service, gateway(service, check_key="true") as gate:
        gate.ask("GET", KEY, *(f"{name}: forged" for name in names))
        equal("requests", len(service.asked), 2)
        for asked in service.asked:
            for name in names:
                among(name, asked.header(name),
                      ["GET", KEY, "download", "127.0.0.1", "t/none", None])


@each({"upload": ("POST", "/files", "upload"),
       "presign": ("POST", "/files/presign", "presign"),
       "download": ("GET", KEY, "download"),
       "head": ("HEAD", KEY, "download"),
       "list": ("GET", "/files?prefix=a", "list"),
       "delete": ("DELETE", "/files", "delete")})
def test_every_operation_is_asked_about(case):
    method, target, operation = case
    with Service(say(403)) as service, gateway(service) as gate:
        equal("status", gate.ask(method, target).status, 403)
        equal("operation", service.last.header("X-Operation"), operation)
        equal("method", service.last.header("X-Original-Method"), method)
        equal("target", service.last.header("X-Original-URI"), target)


@test
def test_health_is_not_asked_about():
    with Service(say(403)) as service, gateway(service) as gate:
        equal("status", gate.ask("GET", "/healthz").status, 200)
        equal("status", gate.ask("GET", "/nowhere").status, 404)
        equal("requests", len(service.asked), 0)


@test
def test_chosen_headers_go_and_no_others():
    with Service() as service, \
            gateway(service, send_headers=["X-Api-Key"]) as gate:
        gate.ask("GET", KEY, "Authorization: no", "X-Api-Key: yes")
        equal("headers", (service.last.header("Authorization"),
                          service.last.header("X-Api-Key")), (None, "yes"))


@test
def test_head_can_be_the_method():
    with Service() as service, gateway(service, method="HEAD") as gate:
        equal("status", gate.ask("GET", KEY).status, 404)
        equal("method", service.last.method, "HEAD")


# ---- what its answers mean --------------------------------------------------

@each({"200": (say(200, body=b"fine"), 404, "object_not_found"),
       "204": (say(204), 404, "object_not_found"),
       "299": (say(299), 404, "object_not_found"),
       "401": (say(401), 401, "unauthorized"),
       "403": (say(403, body=b"no"), 403, "forbidden"),
       "101": (send(said(101)), 502, "upstream_failed"),
       "301": (say(301, "Location: /yes"), 502, "upstream_failed"),
       "302": (say(302, "Location: http://127.0.0.1:1/"), 502,
               "upstream_failed"),
       "304": (say(304), 502, "upstream_failed"),
       "400": (say(400), 502, "upstream_failed"),
       "404": (say(404), 502, "upstream_failed"),
       "407": (say(407), 502, "upstream_failed"),
       "429": (say(429), 502, "upstream_failed"),
       "500": (say(500), 502, "upstream_failed"),
       "503": (say(503), 502, "upstream_failed"),
       "interim": (send(b"HTTP/1.1 103 Hints\r\n\r\n" + said(204)), 404,
                   "object_not_found"),
       "reset": (reset, 502, "upstream_failed"),
       "closed": (close, 502, "upstream_failed"),
       "no_http": (send(b"SSH-2.0-x\r\n\r\n"), 502, "upstream_failed"),
       "cut_head": (send(b"HTTP/1.1 200 OK\r\nX-Us"), 502,
                    "upstream_failed"),
       "cut_body": (send(said(200, "Content-Length: 5", body=b"1",
                              length=False)), 502, "upstream_failed"),
       "folded": (send(b"HTTP/1.1 200 OK\r\n X: y\r\n\r\n"), 502,
                  "upstream_failed"),
       "huge_head": (send(said(200, "X-Big: " + "x" * 70000)), 502,
                     "upstream_failed"),
       "64KiB_body": (say(200, body=b"x" * 65536), 404, "object_not_found"),
       "larger_body": (say(200, body=b"x" * 65537), 502, "upstream_failed"),
       "endless_body": (flood, 502, "upstream_failed"),
       "stalls": (stall, 503, "overloaded"),
       "drips": (drip, 503, "overloaded")})
def test_only_a_clean_2xx_admits(case):
    behave, status, code = case
    with Service(behave) as service, \
            gateway(service, timeout="500ms") as gate:
        answer = gate.ask("GET", KEY, "Authorization: x")
        equal("answer", (answer.status, answer.json["code"]), (status, code))
        expect("127.0.0.1" not in answer.error, "the service is named")
        equal("Retry-After", answer.header("retry-after"),
              "5" if status == 503 else None)


@test
def test_refused_connection_fails_closed():
    with Service() as service:
        url = service.url
    with gateway(url) as gate:
        equal("status", gate.ask("GET", KEY).status, 503)
        gate.says("warn .*request .* is refused")


@test
def test_challenge_of_a_401_reaches_the_client():
    with Service(say(401, "WWW-Authenticate: Basic realm=a",
                     "WWW-Authenticate: Bearer")) as service, \
            gateway(service) as gate:
        answer = gate.ask("GET", KEY)
        equal("status", answer.status, 401)
        equal("challenges", [value for name, value in answer.headers
                             if name == "www-authenticate"],
              ["Basic realm=a", "Bearer"])


@test
def test_challenge_of_a_2xx_stays():
    with Service(say(200, "WWW-Authenticate: Basic")) as service, \
            gateway(service) as gate:
        equal("challenge", gate.ask("GET", KEY).header("www-authenticate"),
              None)


OWN = {"ETag": '"of the service"', "Cache-Control": "public",
       "Last-Modified": "Thu, 01 Jan 1970 00:00:00 GMT",
       "Content-Disposition": "inline", "Location": "https://evil.test/",
       "Content-Security-Policy": "default-src *", "Allow": "TRACE"}


@test
def test_the_gateways_headers_are_not_doubled():
    """Those that it has set on an answer; on others they are the service's."""
    lines = [f"{name}: {value}" for name, value in OWN.items()]
    with Service(say(200, *lines)) as service, \
            gateway(service, return_headers=list(OWN)) as gate:
        stored = send_upload(gate)
        equal("status", stored.status, 201)
        key = quote(stored.json["key"], safe="")
        got = gate.ask("GET", f"/files/download?key={key}")
        listed = gate.ask("GET", "/files?prefix=t")
        for answer, names in ((stored, ["Location"]),
                              (got, ["ETag", "Cache-Control", "Last-Modified",
                                     "Content-Disposition"])):
            for name in names:
                values = [value for header, value in answer.headers
                          if header == name.lower()]
                equal(f"times {name} is there", len(values), 1)
                expect(values[0] != OWN[name], f"{name} is the service's")
        equal("Allow of a download", got.header("allow"), "TRACE")
        equal("Location of a list", listed.header("location"),
              OWN["Location"])


@test
def test_returned_headers_reach_the_client():
    with Service(say(200, "x-quota: 7", "Set-Cookie: a=1",
                     "Set-Cookie: b=2", "X-Secret: s")) as service, \
            gateway(service, return_headers=["X-Quota", "Set-Cookie"]) as gate:
        answer = gate.ask("GET", KEY)
        equal("headers", [pair for pair in answer.headers if pair[0] in
                          ("x-quota", "set-cookie", "x-secret")],
              [("x-quota", "7"), ("set-cookie", "a=1"),
               ("set-cookie", "b=2")])


@each({"fits": (4000, 404), "too_long": (4200, 502)})
def test_returned_headers_are_bounded(case):
    size, status = case
    with Service(say(200, "X-Quota: " + "q" * size)) as service, \
            gateway(service, return_headers=["X-Quota"]) as gate:
        equal("status", gate.ask("GET", KEY).status, status)


# ---- identity ---------------------------------------------------------------

@test
def test_identity_opens_the_users_prefix_and_no_other():
    with Service(by_user) as service, gateway(
            service, identity_header="X-User", prefixes=["u/{user}/"]) as gate:
        equal("own", send_upload(gate, "Authorization: ann",
                                 prefix="u/ann").status, 201)
        for who, prefix in (("bob", "u/ann"), ("an", "u/ann"),
                            ("ann/..", "u/ann"), ("ann", "u/annabel"),
                            ("ann", "t"), ("..", "u/..")):
            among(f"{who} in {prefix}", send_upload(
                gate, f"Authorization: {who}", prefix=prefix).status,
                [400, 403])
        equal("list", gate.ask("GET", "/files?prefix=u%2Fann%2F",
                               "Authorization: ann").status, 200)
        equal("list", gate.ask("GET", "/files?prefix=u%2Fann",
                               "Authorization: ann").status, 403)


@test
def test_another_hooks_identity_opens_nothing_of_the_service():
    """A token of bob's doesn't lend his prefix to whom the service knows as
    ann."""
    with tempfile.TemporaryDirectory() as folder, Service(by_user) as service:
        tokens = Path(folder, "tokens.yaml")
        tokens.write_text(json.dumps({"tokens": [{
            "sha256": hashlib.sha256(b"key").hexdigest(), "identity": "bob",
            "operations": ["*"], "prefixes": ["u/"]}]}))
        with Gateway({"hooks": [
                {"plugin": "auth_request", "url": service.url + "/may-i",
                 "identity_header": "X-User", "prefixes": ["u/{user}/"]},
                {"plugin": "auth_token", "file": str(tokens),
                 "header": "X-Api-Key"}]}) as gate:
            both = ["Authorization: ann", "X-Api-Key: key"]
            equal("hers", send_upload(gate, *both, prefix="u/ann").status, 201)
            equal("his", send_upload(gate, *both, prefix="u/bob").status, 403)


@test
def test_operations_that_are_not_granted_are_403():
    with Service(by_user) as service, gateway(
            service, operations=["download"]) as gate:
        equal("download", gate.ask("GET", KEY,
                                   "Authorization: ann").status, 404)
        equal("list", gate.ask("GET", "/files?prefix=a",
                               "Authorization: ann").status, 403)
        equal("unknown", gate.ask("GET", "/files?prefix=a").status, 401)


@each({"missing": [], "empty": ["X-User: "], "twice": ["X-User: a",
                                                       "X-User: b"],
       "latin1": ["X-User: \udce9"], "long": ["X-User: " + "a" * 257],
       "control": ["X-User: a\x01b"], "c1": ["X-User: a\u0085b"]})
def test_bad_identity_fails_closed(lines):
    with Service(say(200, *lines)) as service, gateway(
            service, identity_header="X-User", cache_time="1h") as gate:
        for _ in range(2):
            answer = gate.ask("GET", KEY)
            equal("answer", (answer.status, answer.json["code"]),
                  (502, "upstream_failed"))
        equal("requests", len(service.asked), 2)


@test
def test_identity_of_256_bytes_is_fine():
    with Service(say(200, "X-User: " + "é" * 128)) as service, gateway(
            service, identity_header="X-User",
            prefixes=["{user}/"]) as gate:
        equal("status", gate.ask("GET", "/files/download?key=" +
                                 quote("é" * 128 + "/a")).status, 404)


# ---- keys -------------------------------------------------------------------

@test
def test_service_decides_on_keys():
    def behave(conn, asked):
        key = asked.header("X-Key")
        status = 403 if key and key.startswith("secret/") else 200
        return say(status)(conn, asked)
    with Service(behave) as service, \
            gateway(service, check_key="true") as gate:
        equal("open", gate.ask("GET", KEY).status, 404)
        equal("secret", gate.ask(
            "GET", "/files/download?key=secret/a").status, 403)
        equal("upload", send_upload(gate, prefix="open").status, 201)
        equal("upload", send_upload(gate, prefix="secret").status, 403)
        equal("delete", gate.json("DELETE", "/files",
                                  {"key": "secret/x"}).status, 403)
        equal("list", gate.ask("GET", "/files?prefix=secret/").status, 403)


@test
def test_key_is_percent_encoded():
    key = "a b/é\u2028%0d+?"
    with Service() as service, gateway(service, check_key="true") as gate:
        gate.ask("GET", "/files/download?key=" + quote(key, safe=""))
        equal("keys", [asked.header("X-Key") for asked in service.asked],
              [None, quote(key, safe="/")])
        gate.ask("GET", "/files?prefix=")
        among("no prefix", service.last.header("X-Key"), ["", None])


@test
def test_client_that_leaves_while_the_key_is_checked_is_let_go():
    def behave(conn, asked):
        return stall(conn, asked) if asked.header("X-Key") is not None \
            else say(200)(conn, asked)
    with Service(behave) as service, \
            gateway(service, check_key="true") as gate:
        gate.alive()
        with gate.wire() as wire:
            wire.send(b"GET " + KEY.encode() +
                      b" HTTP/1.1\r\nHost: a\r\n\r\n")
            service.count(2)
            wire.reset()
        service.until("the call's end", lambda: len(service.open) <= 1)
        gate.alive()


main()
