#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The hook auth_request and its configuration: taken, or refused."""
import json
import re
import socket
import subprocess
import sys
import tempfile

from authkit import KEY, gateway
from kit import (PLUGINS, SOURCES, each, equal, eventually, expect, main,
                 refusal, run, test, written)
from service import Service


@each({
    "no url": ({"url": None}, "'url'|url"),
    "scheme": ({"url": "ftp://a/"}, "http://"),
    "no host": ({"url": "http:///a"}, "no host"),
    "user": ({"url": "http://a:b@c/"}, "user name"),
    "space": ({"url": "http://a/b c"}, "escape"),
    "method": ({"method": "POST"}, "GET or HEAD"),
    "sent": ({"send_headers": ["X Y"]}, "isn't the name of a header"),
    "ours": ({"send_headers": ["X-Original-URI"]}, "gateway's own"),
    "host": ({"send_headers": ["host"]}, "gateway's own"),
    "returned": ({"return_headers": ["Content-Length"]}, "gateway's own"),
    "encoding": ({"return_headers": ["content-encoding"]}, "gateway's own"),
    "identity": ({"identity_header": "X:"}, "isn't the name of a header"),
    "many": ({"send_headers": [f"X-{n}" for n in range(33)]}, "more than 32"),
    "operation": ({"operations": ["read"]}, "'read' is not known"),
    "prefix": ({"prefixes": ["../"]}, "prefixes"),
    "cache": ({"cache_time": "2d"}, "cache_time"),
    "size": ({"cache_size": "1KiB"}, "cache_size"),
    "timeout": ({"timeout": "0"}, "timeout"),
    "connections": ({"connections": "0"}, "connections"),
    "in_flight": ({"in_flight": "1000001"}, "in_flight"),
    "breaker": ({"breaker_failures": "-1"}, "breaker_failures"),
})
def test_bad_configuration_is_refused(case):
    options, words = case
    hook = {"plugin": "auth_request", "url": "http://127.0.0.1:1/",
            **options}
    refusal({"hooks": [{name: value for name, value in hook.items()
                        if value is not None}]}, words)


@test
def test_32_headers_are_fine():
    names = [f"X-{number}" for number in range(32)]
    with Service() as service, \
            gateway(service, send_headers=names) as gate:
        gate.ask("GET", KEY, *(f"{name}: {name}" for name in names))
        equal("sent", [value for name, value in service.last.headers
                       if re.fullmatch(r"x-\d+", name)], names)


@test
def test_every_option_is_in_the_man_page():
    page = (SOURCES / "plugins/hook/auth_request/sluice-auth_request.7"
            ).read_text()
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, {"plugin_path": PLUGINS, "backends": {
            "main": {"plugin": "local", "directory": folder}}, "routes": [
                {"mount": "/", "backend": "main"}], "hooks": [
                    {"plugin": "auth_request", "url": "http://a", "no": "1"}]})
        _, _, text = run("-t", "-c", path)
        names = re.search(r"known: (.*)", text)[1].split(", ")
        expect(len(names) > 5, text)
        for name in names:
            expect(name == "plugin" or f".It Cm {name} :" in page,
                   f"{name} isn't in the man page")


@test
def test_service_of_the_man_page_admits_who_it_says():
    page = (SOURCES / "plugins/hook/auth_request/sluice-auth_request.7"
            ).read_text()
    code = page[page.index("from http.server"):]
    code = code[:code.index(".Ed")]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(
            [sys.executable, "-c", code.replace("9000", str(port))],
            stderr=subprocess.DEVNULL) as service:
        try:
            with gateway(f"http://127.0.0.1:{port}/may-i",
                         identity_header="X-User",
                         breaker_failures="0") as gate:
                eventually("a service", lambda: gate.ask(
                    "GET", KEY).status == 401)
                equal("known", gate.ask(
                    "GET", KEY, "Authorization: Bearer s3same").status, 404)
        finally:
            service.kill()


@test
def test_example_is_accepted():
    with tempfile.TemporaryDirectory() as folder:
        text = (SOURCES / "plugins/hook/auth_request/auth_request.yaml"
                ).read_text()
        path = written(folder, f"plugin_path: {json.dumps(PLUGINS)}\n" + text)
        got = run("-t", "-c", path)
        equal("sluice -t", (got[0], got[2]), (0, got[2]))


main()
