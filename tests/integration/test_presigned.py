#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Links of a local backend: signed by the gateway and served by it."""
import json
import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from kit import (Gateway, Wire, denying, each, equal, expect, head, like, main,
                 refusal, test)

KEY = "0123456789abcdef0123456789abcdef"


def link(gateway, key, *lines, host="gateway.test", **more):
    body = json.dumps({"key": key, **more}).encode()
    with gateway.wire() as wire:
        wire.send(head("POST", "/files/presign", *lines,
                       "Content-Type: application/json",
                       f"Content-Length: {len(body)}", host=host) + body)
        answer = wire.answer()
    equal("status of the link", answer.status, 200)
    return answer.json["url"]


def follow(gateway, url, *lines, method="GET"):
    """The link as it is, but on the port where the gateway is now."""
    where = urlsplit(url)
    return gateway.ask(method, f"{where.path}?{where.query}", *lines)


@each({"plain": ("a.txt", r'filename="a\.txt"'),
       "quote": ('my \\"a\\".txt', r'filename="my .*a.*\.txt"'),
       "unicode": ("отчёт №5.pdf",
                   r"filename\*=UTF-8''%D0%BE%D1%82%D1%87%D1%91%D1%82")})
def test_link_answers_with_the_name_of_the_file(case):
    name, want = case
    with Gateway() as gateway:
        got = gateway.upload(b"%PDF", name)
        for url in got["download_url"], link(gateway, got["key"]):
            answer = follow(gateway, url)
            equal("status, body", (answer.status, answer.body),
                  (200, b"%PDF"))
            like("Content-Disposition", answer.header("content-disposition"),
                 rf"\Aattachment; .*{want}")


@test
def test_link_answers_head_and_ranges():
    with Gateway() as gateway:
        url = gateway.upload(b"0123456789")["download_url"]
        answer = follow(gateway, url, method="HEAD")
        equal("HEAD", (answer.status, answer.header("content-length")),
              (200, "10"))
        answer = follow(gateway, url, "Range: bytes=2-4")
        equal("range", (answer.status, answer.body), (206, b"234"))


@test
def test_links_host_is_the_requests():
    with Gateway() as gateway:
        key = gateway.upload()["key"]
        url = link(gateway, key, host="files.example:8443")
        like("link", url, r"\Ahttp://files\.example:8443/")
        equal("status", follow(gateway, url).status, 200)


@each({"host": ("https://cdn.example", r"\Ahttps://cdn\.example/files"),
       "port": ("http://cdn.example:81", r"\Ahttp://cdn\.example:81/files"),
       "path": ("https://cdn.example/a/b",
                r"\Ahttps://cdn\.example/a/b/files")})
def test_links_host_is_public_url_where_that_is_configured(case):
    public, want = case
    with Gateway({"server": {"public_url": public}}) as gateway:
        got = gateway.upload()
        for url in (got["download_url"],
                    link(gateway, got["key"], host="evil.example")):
            like("link", url, want)
            where = urlsplit(url)
            path = where.path.removeprefix(urlsplit(public).path)
            equal("status", gateway.ask(
                "GET", f"{path}?{where.query}").status, 200)


@test
def test_forwarded_headers_do_not_change_the_link():
    """Nobody may make others' links point to a host of his own."""
    with Gateway() as gateway:
        key = gateway.upload()["key"]
        url = link(gateway, key, "X-Forwarded-Host: evil.example",
                   "Forwarded: host=evil.example", "X-Forwarded-Proto: ftp")
        like("link", url, r"\Ahttp://gateway\.test/")


@test
def test_link_is_good_after_a_new_start():
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(folder=folder) as gateway:
            url = gateway.upload()["download_url"]
        with Gateway(folder=folder) as gateway:
            equal("body", follow(gateway, url).body, b"hello")


@test
def test_key_that_was_made_is_another_for_another_directory():
    with Gateway() as one, Gateway() as two:
        url = one.upload()["download_url"]
        equal("status", follow(two, url).status, 403)


def keyed(key):
    return {"backends": {"main": {"signing_key": key}}}


@test
def test_configured_key_makes_links_good_on_every_gateway():
    """Two gateways over copies of one directory, such as behind a balancer.
    """
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(keyed(KEY), folder=folder) as one:
            url = one.upload()["download_url"]
        copy = Path(folder, "copy")
        copy.mkdir()
        os.rename(Path(folder, "data"), copy / "data")
        with Gateway(keyed(KEY), folder=copy) as two:
            equal("body", follow(two, url).body, b"hello")
        with Gateway(keyed(KEY[::-1]), folder=copy) as three:
            equal("status with another key", follow(three, url).status, 403)


@test
def test_configured_key_that_is_short_is_refused_and_not_shown():
    line = refusal(keyed("hunter2"), "signing_key")
    expect("hunter2" not in line, line)


@test
def test_key_never_appears_in_the_log():
    with Gateway({**keyed(KEY), "server": {"log_level": "debug"}}) as gateway:
        url = gateway.upload()["download_url"]
        follow(gateway, url)
        follow(gateway, url + "x")
        text = "\n".join(gateway.lines)
        expect(KEY not in text, "the key is in the log")


@test
def test_link_that_was_tampered_with_says_nothing_of_the_object():
    """Whether it is there shows only to who has a good link."""
    with Gateway() as gateway:
        got = gateway.upload()
        url = got["download_url"][:-1] + "~"
        there = follow(gateway, url)
        gateway.delete(got["key"])
        gone = follow(gateway, url)
        equal("statuses", (there.status, gone.status), (403, 403))
        equal("error", there.json["error"], gone.json["error"])
        equal("good link of what is gone",
              follow(gateway, got["download_url"]).status, 404)


@test
def test_link_serves_while_hooks_refuse_everybody():
    """That is what links are for."""
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(folder=folder) as gateway:
            url = gateway.upload()["download_url"]
        with Gateway(denying(folder), folder=folder) as gateway:
            equal("status without", gateway.ask("GET", "/files").status, 401)
            equal("status of the link", follow(gateway, url).status, 200)


@test
def test_link_over_a_unix_socket_has_the_requests_host():
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix:{folder}/s.sock"
        with Gateway({"server": {"listen": [address]}}) as gateway:
            gateway.url = address
            got = gateway.upload()
            like("link", got["download_url"], r"\Ahttp://gateway\.test/")
            with Wire(address) as wire:
                where = urlsplit(got["download_url"])
                equal("body", wire.ask(
                    "GET", f"{where.path}?{where.query}").body, b"hello")


if __name__ == "__main__":
    main()
