#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Links that are signed with temporary credentials: what is promised ends
with these."""
import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import gmtime, strftime, time
from urllib.parse import parse_qs, urlsplit

from bucket import BUCKET, Emulator, gateway
from kit import (FORM, equal, expect, field, file, form, main, request,
                 test)


class Container(BaseHTTPRequestHandler):
    """The service beside a container, as AWS has it."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def do_GET(self):  # pylint: disable=invalid-name
        body = json.dumps({
            "AccessKeyId": self.server.s3.access_key,
            "SecretAccessKey": self.server.s3.secret_key,
            "Token": self.server.s3.token,
            "Expiration": strftime("%Y-%m-%dT%H:%M:%SZ",
                                   gmtime(self.server.end))}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def temporary(life):
    """A gateway whose credentials end so many seconds from now."""
    with Emulator("aws") as s3, \
            ThreadingHTTPServer(("127.0.0.1", 0), Container) as server:
        s3.create(BUCKET)
        s3.use(1)
        server.s3, server.end = s3, int(time()) + life
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/credentials"
        try:
            with gateway(s3, env={
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI": url},
                    access_key=None, secret_key=None,
                    session_token=None) as running:
                yield running, server
        finally:
            server.shutdown()


def signed_for(url):
    return int(parse_qs(urlsplit(url).query)["X-Amz-Expires"][0])


def uploaded(running):
    body = form(field("prefix", "t"), file(b"hello", "a.txt"))
    with running.wire() as wire:
        wire.send(request("POST", "/files", FORM, body=body))
        answer = wire.answer("POST")
    equal("status", answer.status, 201)
    return answer.json


def presigned(running, key, expires):
    answer = running.json("POST", "/files/presign",
                          {"key": key, "expires": expires})
    equal("status", answer.status, 200)
    return answer.json


@test
def test_link_is_promised_no_longer_than_the_credentials_last():
    with temporary(900) as (running, server):
        got = uploaded(running)
        link = presigned(running, got["key"], 7200)
        left = server.end - time()
        for url, promised in ((got["download_url"], got["expires_in"]),
                              (link["url"], link["expires_in"])):
            expect(left - 2 <= promised <= 900, f"{promised} s, not {left}")
            equal("signed for", signed_for(url), promised)


@test
def test_link_that_ends_before_the_credentials_is_left_alone():
    with temporary(5000) as (running, _):
        got = uploaded(running)
        equal("upload's", got["expires_in"], 3600)
        link = presigned(running, got["key"], 120)
        equal("asked for", (link["expires_in"], signed_for(link["url"])),
              (120, 120))


@test
def test_link_of_credentials_that_never_end_is_left_alone():
    with Emulator("aws") as s3:
        s3.create(BUCKET)
        with gateway(s3) as running:
            got = uploaded(running)
            link = presigned(running, got["key"], 86400)
            equal("asked for", (link["expires_in"], signed_for(link["url"])),
                  (86400, 86400))
            expect("session token" not in "\n".join(running.lines),
                   "a warning of a token that isn't there")


@test
def test_session_token_whose_end_nobody_knows_is_warned_of():
    with Emulator("aws") as s3:
        s3.create(BUCKET)
        s3.use(1)
        with gateway(s3) as running:
            running.says("links end with the session token")


main()
