#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The gateway's own URLs: Location, links and download_url behind proxies,
with the names that the configuration allows, and without either."""
import json
import re
from urllib.parse import urlsplit

from kit import (FORM, Gateway, Mismatch, each, equal, field, file, form, like,
                 main, refusal, request, test)

TRUST = {"trusted_proxies": ["127.0.0.0/8"]}


def urls(gate, *lines, host="gateway.test"):
    """Location, download_url and a link, up to the mount."""
    with gate.wire() as wire:
        wire.send(request("POST", "/files", FORM, *lines, host=host,
                          body=form(field("prefix", "t"), file())))
        up = wire.answer()
        wire.send(request("POST", "/files/presign", *lines, host=host,
                          body=json.dumps({"key": up.json["key"]}).encode()))
        link = wire.answer().json["url"]
    equal("status", up.status, 201)
    return tuple(re.split(r"/files/(?:download|signed)\?", url)[0] for url in
                 (up.header("location"), up.json["download_url"], link))


def check(gate, want, *lines, **options):
    location, base = want
    equal("Location, download_url, link", urls(gate, *lines, **options),
          (location, base, base))


@test
def test_urls_begin_with_the_public_one_and_its_path():
    public = "https://files.example/store/1"
    with Gateway({"server": {"public_url": public, **TRUST}}) as gate:
        check(gate, (public, public))
        check(gate, (public, public), "X-Forwarded-Host: other.example",
              "X-Forwarded-Prefix: /x")


PROXIED = {
    "nothing": ([], ("", "http://gateway.test")),
    "proto": (["X-Forwarded-Proto: https"], ("", "https://gateway.test")),
    "host": (["X-Forwarded-Host: files.example:8443"],
             ("", "http://files.example:8443")),
    "prefix": (["X-Forwarded-Prefix: /store/"],
               ("/store", "http://gateway.test/store")),
    "all": (["X-Forwarded-Proto: https", "X-Forwarded-Host: files.example",
             "X-Forwarded-Prefix: /store"],
            ("/store", "https://files.example/store")),
    "RFC 7239": (["Forwarded: for=192.0.2.1;proto=https;host=files.example"],
                 ("", "https://files.example")),
    "a client's own before it": (
        ["X-Forwarded-Host: evil.example, files.example",
         "X-Forwarded-Proto: http, https"], ("", "https://files.example")),
    "malformed": (["X-Forwarded-Proto: ftp", "X-Forwarded-Host: a/b",
                   "X-Forwarded-Prefix: //evil.example",
                   "Forwarded: proto=https, host=\"a b\""],
                  ("", "http://gateway.test"))}


@each(PROXIED)
def test_trusted_proxy_says_which_url_it_was(row):
    lines, want = row
    with Gateway({"server": TRUST}) as gate:
        check(gate, want, *lines)


@each(PROXIED)
def test_nobody_else_does(row):
    lines, _ = row
    for trusted in ([], ["10.0.0.0/8"]):
        with Gateway({"server": {"trusted_proxies": trusted}}) as gate:
            check(gate, ("", "http://gateway.test"), *lines)


@test
def test_location_leads_to_the_object():
    with Gateway({"server": TRUST}) as gate:
        answer = gate.ask("POST", "/files", FORM, "X-Forwarded-Prefix: /x",
                          body=form(file(b"hello", "ä b.txt")))
        target = answer.header("location").removeprefix("/x")
        equal("body", gate.ask("GET", target).body, b"hello")


# ---- server.hosts ----------------------------------------------------------

HOSTS = ["files.example:*", "cdn.example", "10.0.0.1:8000"]


@each({"any port": ("files.example:99", "files.example:99"),
       "no port": ("files.example", "files.example"),
       "another case": ("CDN.Example", "CDN.Example"),
       "its port": ("10.0.0.1:8000", "10.0.0.1:8000"),
       "not listed": ("evil.example", "files.example"),
       "a port too many": ("cdn.example:81", "files.example"),
       "longer": ("files.example.evil.example", "files.example"),
       "its beginning": ("evil-files.example", "files.example")})
def test_hosts_bound_what_a_link_says(row):
    host, want = row
    with Gateway({"server": {"hosts": HOSTS, **TRUST}}) as gate:
        check(gate, ("", f"http://{want}"), host=host)
        check(gate, ("", f"http://{want}"), f"X-Forwarded-Host: {host}",
              host="cdn.example")


@test
def test_request_without_a_host_gets_the_first_of_the_list():
    with Gateway({"server": {"hosts": HOSTS}}) as gate, gate.wire() as wire:
        body = form(file())
        wire.send((f"POST /files HTTP/1.0\r\n{FORM}\r\n"
                   f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
        url = urlsplit(wire.answer().json["download_url"])
        equal("host", url.netloc, "files.example")


@each({"scheme": "https://files.example", "any": "*", "path": "a/b",
       "stars": "*.example"})
def test_bad_host_is_refused_at_start(host):
    refusal({"server": {"hosts": [host]}},
            "'hosts': .*it is no host; write files.example")


@test
def test_hosts_beside_a_public_url_are_refused_at_start():
    refusal({"server": {"hosts": ["a"], "public_url": "https://a"}},
            "'hosts' has no use beside 'public_url'")


# ---- at the start ----------------------------------------------------------

WARNING = "links begin with the Host that a request names"


def warned(server):
    with Gateway({"server": server}) as gate:
        return [line for line in gate.lines if WARNING in line]


@each({"everywhere": "0.0.0.0:0", "IPv6": "[::]:0"})
def test_open_hosts_are_told_once_at_start(listen):
    try:
        lines = warned({"listen": ["127.0.0.1:0", listen]})
    except Mismatch as error:
        like("why it can't listen", str(error), "not supported|assign")
        return
    equal("warnings", len(lines), 1)
    like("warning", lines[0], "set server.public_url, or server.hosts")


@each({"loopback": {}, "public_url": {"listen": ["0.0.0.0:0"],
                                      "public_url": "https://a.example"},
       "hosts": {"listen": ["0.0.0.0:0"], "hosts": ["a.example"]}})
def test_others_are_not_warned_of_hosts(server):
    equal("warnings", warned(server), [])


if __name__ == "__main__":
    main()
