#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Services whose host name is unknown for a while: whoever talks to them is
back as soon as the name is."""
import json
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from bucket import sections, shared
from kit import (SOURCES, Gateway, equal, eventually, expect, main, needs,
                 test)
from names import Names
from relay import Relay
from service import Service, say

sys.path.append(str(SOURCES / "plugins/hook/auth_jwt"))

NAME = "storage.test"
TIMES = 3  # as many connections fail as could spoil what comes after


ONE = {"server": {"workers": "1"}}  # one loop's connections, not several's


def named(url):
    return url.replace("127.0.0.1", NAME)


def fails_by_name(gateway):
    gateway.says(r"(?i)could not resolve host: storage\.test")


@test
def test_a_storage_comes_back_with_its_name():
    """It isn't ready meanwhile.  libcurl remembers a name for a minute, and a
    connection that is open needs none."""
    s3 = shared()
    with tempfile.TemporaryDirectory() as folder, \
            Relay(int(s3.endpoint.rsplit(":", 1)[1])) as relay:
        names = Names(folder)
        names.known(NAME)
        words = sections(s3, endpoint=named(relay.endpoint), attempts="1",
                         connections="4")
        with Gateway({**ONE, **words}, before=names.before) as gateway:
            names.known()

            def status():
                relay.away()
                relay.back()
                return gateway.ask("GET", "/files?prefix=t").status

            eventually("the name is missed", lambda: status() == 502, 90, 1)
            for _ in range(TIMES):
                equal("without the name", status(), 502)
            fails_by_name(gateway)
            equal("without", gateway.ask("GET", "/readyz").status, 503)
            names.known(NAME)
            for _ in range(TIMES):
                key = gateway.upload()["key"]
                equal("with it", gateway.download(key).body, b"hello")
            eventually("ready", lambda:
                       gateway.ask("GET", "/readyz").status == 200)


@test
def test_auth_request_comes_back_with_its_name():
    with tempfile.TemporaryDirectory() as folder, Service() as service:
        names = Names(folder)
        hook = {"plugin": "auth_request", "url": named(service.url)}
        with Gateway({**ONE, "hooks": [hook]}, before=names.before) as gateway:
            for _ in range(TIMES):
                answer = gateway.ask("GET", "/files?prefix=t")
                equal("without the name", answer.status, 503)
            fails_by_name(gateway)
            names.known(NAME)
            eventually("allowed", lambda: gateway.ask(
                "GET", "/files?prefix=t").status == 200)
            expect(service.asked, "the service was asked")


@test
def test_auth_jwt_gets_its_keys_when_their_name_comes():
    needs(find_spec("cryptography"), "python3-cryptography is missing")
    # pylint: disable=import-outside-toplevel,import-error
    from jwtkit import Issuer, Key, jwks, options, token
    key = Key.new("ES256", "one")
    with tempfile.TemporaryDirectory() as folder, \
            Issuer(jwks(key)) as issuer:
        names = Names(folder)
        hook = options(jwks=named(issuer.url), refresh_pause="100ms")
        with Gateway({**ONE, "hooks": [hook]}, before=names.before) as gateway:
            def status():
                return gateway.ask("GET", "/files?prefix=t",
                                   f"Authorization: Bearer {token(key)}"
                                   ).status
            for _ in range(TIMES):
                equal("without the name", status(), 503)
            fails_by_name(gateway)
            names.known(NAME)
            eventually("let in", lambda: status() == 200)


@test
def test_events_are_told_when_the_name_comes():
    with tempfile.TemporaryDirectory() as folder, Service(say(204)) as service:
        names = Names(folder)
        Path(folder, "data").mkdir()
        hook = {"plugin": "events", "url": named(service.url),
                "secret": "a secret of the test's",
                "directory": str(Path(folder, "events")),
                "retry_min": "20ms", "retry_max": "100ms"}
        with Gateway({**ONE, "hooks": [hook]}, folder=folder,
                     before=names.before) as gateway:
            key = gateway.upload()["key"]
            fails_by_name(gateway)
            equal("told before", service.asked, [])
            names.known(NAME)
            told = [json.loads(one.body) for one in service.count(1)]
            equal("the key", told[0]["key"], key)


if __name__ == "__main__":
    main()
