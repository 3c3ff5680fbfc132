#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""This tells whose request it is: X-Forwarded-For through proxies and without
them, and the prefix of a user's own."""
import json
import signal
import tempfile
from pathlib import Path

from kit import (FORM, KIB, PLUGINS, Gateway, Wire, built, each, equal, file,
                 form, hook_source, like, main, refusal, request, test)

NAMES = hook_source("names", ask="""
  const char *who = sluice_request_header(request, "X-Who");
  if (who) sluice_request_identify(request, who);
  return SLUICE_PASS;""").replace(
      ".on_request = ask", ".on_request = ask, .on_response = tell").replace(
      "static const struct sluice_hook it", """
static void tell(void *handle, struct sluice_request *request)
{ (void)handle;
  sluice_request_answer(request, "X-Peer", sluice_request_peer(request));
  sluice_request_answer(request, "X-Client", sluice_request_client(request)); }
static const struct sluice_hook it""")


class Telling(Gateway):
    """A gateway that tells whose request it is, and takes X-Who for it."""

    def __init__(self, trusted=(), **sections):
        self.made = tempfile.TemporaryDirectory(prefix="sluice-test-")
        built(self.made.name, "names", NAMES)
        server = sections.pop("server", {})
        super().__init__({
            "plugin_path": [*PLUGINS, self.made.name],
            "hooks": [{"plugin": "names"}],
            "server": {"trusted_proxies": list(trusted), **server},
            **sections})

    def remove(self):
        self.made.cleanup()
        super().remove()

    def who(self, *lines, path="/files"):
        answer = self.ask("GET", path, *lines)
        return answer.header("x-peer"), answer.header("x-client")


@test
def test_forwarded_for_is_believed_from_no_stranger():
    with Telling(["10.0.0.0/8", "::1"]) as gate:
        equal("who", gate.who("X-Forwarded-For: 192.0.2.1"),
              ("127.0.0.1", "127.0.0.1"))


@test
def test_forwarded_for_is_believed_from_nobody_by_default():
    with Telling() as gate:
        equal("who", gate.who("X-Forwarded-For: 192.0.2.1"),
              ("127.0.0.1", "127.0.0.1"))


@each({"one": (["192.0.2.1"], "192.0.2.1"),
       "forged": (["198.51.100.7, 192.0.2.1"], "192.0.2.1"),
       "chain": (["198.51.100.7, 192.0.2.1, 10.1.1.1"], "192.0.2.1"),
       "lines": (["198.51.100.7, 192.0.2.1", "10.1.1.1", "10.2.2.2"],
                 "192.0.2.1"),
       "forged line": (["10.9.9.9", "192.0.2.1"], "192.0.2.1"),
       "malformed": (["198.51.100.7, what, 10.1.1.1"], "10.1.1.1"),
       "nothing": ([], "127.0.0.1"),
       "six": (["2001:DB8:0::1"], "2001:db8::1"),
       "mapped": (["::ffff:192.0.2.1"], "192.0.2.1")})
def test_client_is_the_last_that_no_proxy_is(row):
    values, want = row
    with Telling(["127.0.0.0/8", "10.0.0.0/8"]) as gate:
        lines = [f"X-Forwarded-For: {value}" for value in values]
        equal("who", gate.who(*lines), ("127.0.0.1", want))
        equal("of an error", gate.who(*lines, path="/nothing"),
              ("127.0.0.1", want))


@test
def test_proxy_on_a_unix_socket_may_be_trusted():
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        path = f"unix:{folder}/socket"
        with Telling(["unix:"], server={"listen": [path]}):
            with Wire(path) as wire:
                answer = wire.ask("GET", "/files",
                                  "X-Forwarded-For: 192.0.2.1")
            equal("who", (answer.header("x-peer"), answer.header("x-client")),
                  ("unix:", "192.0.2.1"))


@test
def test_client_that_reset_its_connection_at_once_is_no_unix_socket():
    """Whoever has left by the time that the connection is accepted has no
    address any more; then nobody can tell what to believe of him."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with Gateway({
                "server": {"trusted_proxies": ["unix:"], "workers": "1"},
                "hooks": [{"plugin": "log_json", "path": str(log),
                           "delay": "0", "fields": ["peer", "client"]}]
        }) as gate:
            gate.alive()
            base = gate.quiet()
            gate.signal(signal.SIGSTOP)
            for _ in range(5):
                wire = gate.wire()
                wire.send(request("PUT", "/files/object?key=a",
                                  "X-Forwarded-For: 192.0.2.1", body=b"a"))
                wire.reset()
            gate.signal(signal.SIGCONT)
            gate.settles(base)
            keys = gate.keys("")
        told = {(line["peer"], line["client"]) for line in
                map(json.loads, log.read_text().splitlines())}
        equal("who", told, {("127.0.0.1", "127.0.0.1")})
        equal("keys", keys, [])


@test
def test_bad_proxy_is_refused_at_start():
    refusal({"server": {"trusted_proxies": ["proxy.example"]}},
            r"trusted_proxies.*proxy\.example.*it is no address")


# ---- a prefix of the user's own --------------------------------------------

OWN = {"uploads": {"prefix": "users/{user}/in"}}


def upload(gate, *lines, parts=()):
    return gate.ask("POST", "/files", FORM, *lines,
                    body=form(*parts, file()))


@test
def test_upload_and_list_without_prefix_are_the_users_own():
    with Telling(**OWN) as gate:
        ann = upload(gate, "X-Who: ann").json["key"]
        bob = upload(gate, "X-Who: bob").json["key"]
        like("ann's", ann, r"\Ausers/ann/in/20\d\d/")
        like("bob's", bob, r"\Ausers/bob/in/20\d\d/")
        for who, key in (("ann", ann), ("bob", bob), ("eve", None)):
            page = gate.ask("GET", "/files", f"X-Who: {who}").json
            equal("prefix", page["prefix"], f"users/{who}/in/")
            equal("keys", [thing["key"] for thing in page["objects"]],
                  [key] if key else [])


@test
def test_nobody_in_particular_is_anonymous_whatever_a_client_says():
    with Telling(**OWN) as gate:
        like("key", upload(gate, "X-User-Id: ann").json["key"],
             r"\Ausers/anonymous/in/")


@test
def test_named_prefix_stays_as_it_is():
    with Telling(**OWN) as gate:
        part = (b'Content-Disposition: form-data; name="prefix"\r\n\r\n'
                b"{user}/x")
        like("key", upload(gate, "X-Who: ann", parts=[part]).json["key"],
             r"\A\{user\}/x/20\d\d/")
        part = part.replace(b"{user}/x", b"//")  # as good as none
        like("key", upload(gate, "X-Who: ann", parts=[part]).json["key"],
             r"\Ausers/ann/in/")


@each({"dot": ".", "dots": "..", "slash": "a/b", "climb": "../ann",
       "only a slash": "/"})
def test_identity_that_is_no_segment_is_403(who):
    with Telling(**OWN) as gate:
        for answer in (upload(gate, f"X-Who: {who}"),
                       gate.ask("GET", "/files", f"X-Who: {who}")):
            equal("answer", (answer.status, answer.json["code"]),
                  (403, "forbidden"))
            like("message", answer.error, "Your identity can't be part")
        equal("named", gate.ask("GET", "/files?prefix=x",
                                f"X-Who: {who}").status, 200)
        equal("folders", gate.keys(""), [])


@test
def test_prefix_without_user_needs_no_identity_that_fits():
    with Telling() as gate:
        like("key", upload(gate, "X-Who: a/b").json["key"], r"\Auploads/20")


# ---- and a code of its own -------------------------------------------------

@test
def test_target_over_16_kib_is_414_uri_too_long():
    with Gateway() as gate, gate.wire() as wire:
        wire.send(request("GET", "/" + "x" * (16 * KIB)))
        answer = wire.answer()
        equal("answer", (answer.status, answer.json["code"]),
              (414, "uri_too_long"))


if __name__ == "__main__":
    main()
