# SPDX-License-Identifier: MIT
"""Shared by the tests of the hook auth_request."""
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))

# pylint: disable=wrong-import-position
from kit import FORM, Gateway, field, file, form
from service import say

KEY = "/files/download?key=t%2Fnone"


def gateway(service, /, *, server=None, **options):
    """One loop, so that what loops keep for themselves can be counted."""
    url = service if isinstance(service, str) else service.url + "/may-i"
    return Gateway({"server": {"workers": "1", **(server or {})},
                    "hooks": [{"plugin": "auth_request", "url": url,
                               **options}]})


def by_user(conn, asked):
    """Authorization: USER is that user; without it, 401."""
    user = asked.header("Authorization")
    if not user:
        return say(401, "WWW-Authenticate: Test realm=x")(conn, asked)
    return say(200, f"X-User: {user}", f"X-Seen: {asked.target}")(conn, asked)


def start(function):
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def send_upload(gate, *lines, prefix="t"):
    return gate.ask("POST", "/files", FORM, *lines,
                    body=form(field("prefix", prefix), file()))
