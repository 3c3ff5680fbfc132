#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that prove who they are by a certificate."""
import hashlib
import shutil
import signal
import ssl
import subprocess
import tempfile
from pathlib import Path

from kit import FORM, each, equal, eventually, expect, main, needs, test
from tlskit import SMALL, Authority, Mutual, refused

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@each(VERSIONS)
def test_client_without_a_certificate_is_refused(version):
    with Mutual() as gateway:
        nobody = gateway.client()
        nobody.maximum_version = version
        refused(gateway, nobody)


@each(VERSIONS)
def test_client_of_another_authority_is_refused(version):
    with Mutual() as gateway, tempfile.TemporaryDirectory() as folder:
        other = Authority(folder, "other").sign("x", "/CN=alice")
        foreign = gateway.client(*other)
        foreign.maximum_version = version
        refused(gateway, foreign)


@test
def test_certificate_of_a_server_is_none_of_a_client():
    with Mutual() as gateway:
        refused(gateway, gateway.client(*gateway.authority.sign(
            "s", "/CN=www", "extendedKeyUsage=serverAuth")))


@each(VERSIONS)
def test_cn_is_the_identity_and_the_log_has_the_subject(version):
    with Mutual() as gateway:
        alice = gateway.client(*gateway.authority.sign(
            "a", "/O=Example/CN=alice", "subjectAltName=DNS:other.example"))
        alice.maximum_version = version
        equal("uploaded-by", gateway.upload_by(alice), "alice")
        equal("log", gateway.logged()[0], {
            "status": 201, "identity": "alice",
            "subject": "CN=alice,O=Example"})


@test
def test_curl_with_a_certificate_is_served():
    needs(shutil.which("curl"), "no curl")
    with Mutual() as gateway:
        chain, key = gateway.authority.sign("c", "/CN=carl")
        done = subprocess.run(
            ["curl", "-sS", "--cacert", gateway.chain, "--cert", chain,
             "--key", key, "--resolve",
             f"localhost:{gateway.place.rpartition(':')[2]}:127.0.0.1",
             "-F", "file=@/etc/hostname",
             f"https://localhost:{gateway.place.rpartition(':')[2]}/files"],
            capture_output=True, check=False)
        expect(b'"key"' in done.stdout, f"{done.stdout} {done.stderr}")
        equal("identity", gateway.logged()[0]["identity"], "carl")


LONG = "n" * 64  # OpenSSL makes no longer CN


@each({
    "email": ("/O=x", "subjectAltName=email:bob@example.com,DNS:b", "bob@exam"
              "ple.com"),
    "uri": ("/O=x", "subjectAltName=IP:10.0.0.1,URI:spiffe://a/b",
            "spiffe://a/b"),
    "utf8": ("/CN=Zoë", "subjectAltName=DNS:b", "Zoë"),
    "long": (f"/CN={LONG}", "subjectAltName=DNS:b", LONG),
    "two": ("/CN=alice/CN=admin", "subjectAltName=DNS:b", "anonymous"),
    "name_of_256": ("/O=x", "subjectAltName=URI:" + "u" * 256, "u" * 256),
    "name_of_257": ("/O=x", "subjectAltName=URI:" + "u" * 257, "anonymous"),
    "none": ("/O=x", "keyUsage=digitalSignature", "anonymous")})
def test_identity_of_a_certificate(row):
    subject, extension, want = row
    with Mutual() as gateway:
        some = gateway.client(*gateway.authority.sign("x", subject,
                                                      extension))
        gateway.trust = some
        equal("uploaded-by", gateway.upload_by(some, "X-User-Id: root"), want)


@test
def test_client_may_come_without_where_it_is_optional_but_lies_in_vain():
    with Mutual(client_certificate="optional") as gateway:
        equal("no certificate", gateway.upload_by(
            gateway.client(), "X-User-Id: alice"), "anonymous")
        alice = gateway.client(*gateway.authority.sign("a", "/CN=alice"))
        equal("certificate", gateway.upload_by(alice, "X-User-Id: eve"),
              "alice")
        with tempfile.TemporaryDirectory() as folder:
            refused(gateway, gateway.client(
                *Authority(folder, "other").sign("x", "/CN=alice")))
        equal("log", [record["subject"] for record in gateway.logged(2)],
              [None, "CN=alice"])


@test
def test_hook_says_who_it_is_after_the_certificate():
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder, "tokens.yaml")
        secret = "0123456789abcdef0123456789abcdef"
        digest = hashlib.sha256(secret.encode()).hexdigest()
        tokens.write_text(f"tokens: [{{sha256: {digest}, identity: robot, "
                          "operations: [upload], prefixes: [t]}]\n")
        tokens.chmod(0o600)
        hooks = [{"plugin": "auth_token", "file": str(tokens)}]
        with Mutual({"hooks": hooks}) as gateway:
            alice = gateway.client(*gateway.authority.sign("a", "/CN=alice"))
            with gateway.wire(tls=alice) as wire:
                equal("certificate alone", wire.ask(
                    "POST", "/files", FORM, body=SMALL).status, 401)
            equal("and a token", gateway.upload_by(
                alice, f"Authorization: Bearer {secret}"), "robot")


@test
def test_page_of_another_origin_can_not_use_the_certificate():
    with Mutual(client_certificate="optional") as gateway:
        alice = gateway.client(*gateway.authority.sign("a", "/CN=alice"))
        for line in "Origin: https://evil.example", \
                "Sec-Fetch-Site: cross-site":
            with gateway.wire(tls=alice) as wire:
                equal(line, wire.ask("POST", "/files", FORM, line,
                                     body=SMALL).status, 403)
        with gateway.wire(tls=alice) as wire:
            equal("JSON as a form's text", wire.ask(
                "POST", "/files/presign", "Content-Type: text/plain",
                body=b'{"key": "a"}').status, 415)
        with gateway.wire(tls=gateway.client()) as wire:
            equal("nobody", wire.ask(
                "POST", "/files", FORM, "Origin: https://evil.example",
                body=SMALL).status, 201)


@each(VERSIONS)
def test_resumed_session_keeps_its_client(version):
    with Mutual() as gateway:
        alice = gateway.client(*gateway.authority.sign("a", "/CN=alice"))
        alice.maximum_version = version
        session = None
        for reused in False, True:
            with gateway.wire(tls=None) as plain:
                plain.socket = alice.wrap_socket(
                    plain.socket, server_hostname="localhost",
                    session=session)
                equal("reused", plain.socket.session_reused, reused)
                equal("status", plain.ask("POST", "/files", FORM,
                                          body=SMALL).status, 201)
                session = plain.socket.session
        equal("log", [record["identity"] for record in gateway.logged(2)],
              ["alice", "alice"])


@test
def test_authority_that_is_dropped_has_no_clients_at_the_next_sighup():
    with Mutual() as gateway:
        alice = gateway.client(*gateway.authority.sign("a", "/CN=alice"))
        gateway.upload_by(alice)
        with tempfile.TemporaryDirectory() as folder:
            other = Authority(folder, "other")
            bob = gateway.client(*other.sign("b", "/CN=bob"))
            gateway.authority.chain.write_bytes(other.chain.read_bytes())
            gateway.signal(signal.SIGHUP)
            gateway.says("was read again")
            eventually("bob is served", lambda: gateway.serves(bob))
            refused(gateway, alice)


if __name__ == "__main__":
    main()
