#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that speak TLS where plain HTTP is spoken, or the other way round,
and handshakes that fail: who connects is told, and so is the operator."""
import re
import socket
import ssl
import tempfile
import time

from kit import (Gateway, Wire, each, equal, eventually, expect, like, main,
                 request, test)
from tlskit import Authority, Mutual, Secure, refused

PLAIN = r"127\.0\.0\.1 is refused: it speaks plain HTTP where TLS is spoken"
HELLO = r"127\.0\.0\.1 is refused: it speaks TLS where plain HTTP is spoken"
FAILED = r"127\.0\.0\.1 is refused: the handshake of TLS failed: "


def unconcerned():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@each({method: method for method in
       ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE",
        "CONNECT")})
def test_plain_http_where_tls_is_spoken_is_told_so(method):
    with Secure() as gateway:
        with gateway.plain() as wire:
            answer = wire.ask(method, "/files")
            equal("status", answer.status, 400)
            for name, value in {"x-content-type-options": "nosniff",
                                "cache-control": "no-store",
                                "connection": "close"}.items():
                equal(name, answer.header(name), value)
            like("id", answer.header("x-request-id"), r"\A[0-9a-f]{32}\Z")
            if method != "HEAD":
                like("error", answer.json["error"], r"HTTPS.*with https, not")
                equal("code", answer.json["code"], "bad_request")
                equal("id", answer.json["request_id"],
                      answer.header("x-request-id"))
            wire.ended()
        gateway.says(PLAIN)
        gateway.alive()


@test
def test_preface_of_http_2_in_plain_is_answered_too():
    with Secure() as gateway, gateway.plain() as wire:
        wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        equal("status", wire.answer().status, 400)


@test
def test_method_that_comes_letter_by_letter_is_seen():
    with Secure() as gateway, gateway.plain() as wire:
        for letter in b"DELE":
            wire.send(bytes([letter]))
            time.sleep(0.02)  # so that each is a read of its own
        wire.send(b"TE / HTTP/1.1\r\nHost: x\r\n\r\n")
        equal("status", wire.answer().status, 400)


@test
def test_client_that_sends_all_its_body_first_reads_the_answer():
    """Bytes that nobody reads would reset the connection, and the answer
    would be lost."""
    with Secure() as gateway, gateway.plain() as wire:
        wire.send(request("POST", "/files", "Content-Length: 90000000",
                          body=b""))
        wire.send(b"x" * 30_000_000)
        equal("status", wire.answer("POST").status, 400)


@test
def test_lines_of_many_such_clients_are_thinned():
    with Secure({"server": {"workers": "1"}}) as gateway:
        for _ in range(200):
            with gateway.plain() as wire:
                equal("status", wire.ask("GET", "/").status, 400)
        lines = [line for line in gateway.lines if re.search(PLAIN, line)]
        expect(0 < len(lines) < 100, f"{len(lines)} lines for 200 clients")
        gateway.says(r"\(the last of \d+ like it\)")


@test
def test_plain_clients_that_stay_hold_no_descriptor_for_ever():
    with Secure() as gateway:
        gateway.alive()
        base = gateway.descriptors()
        wires = [gateway.plain() for _ in range(20)]
        for wire in wires:
            equal("status", wire.ask("GET", "/").status, 400)
        for wire in wires[:10]:
            wire.reset()
        for wire in wires[10:]:
            wire.close()
        eventually("descriptors", lambda: gateway.descriptors() <= base)


@test
def test_gateway_that_stops_does_not_wait_long_for_them():
    with Secure() as gateway:
        wire = gateway.plain()
        equal("status", wire.ask("GET", "/").status, 400)
        began = time.monotonic()
        gateway.stop()
        expect(time.monotonic() - began < 15, "it took more than 15 s")
        wire.close()


@test
def test_hello_of_tls_where_plain_http_is_spoken_is_told():
    with Gateway() as gateway:
        began = time.monotonic()
        try:
            Wire(gateway.url, tls=unconcerned()).close()
        except (ssl.SSLError, ConnectionError) as error:
            like("client", str(error), "(?i)wrong.version|record layer")
        else:
            expect(False, "a handshake with plain HTTP")
        expect(time.monotonic() - began < 5, "the client had to wait")
        gateway.says(HELLO)
        gateway.alive()


@test
def test_hello_in_two_pieces_is_told_once():
    with Gateway() as gateway:
        with gateway.wire() as wire:
            for piece in b"\x16", b"\x03\x01\x02\x00", b"\x01\x0a" * 40:
                wire.send(piece)
                time.sleep(0.02)
            answer = wire.answer()
            equal("status", answer.status, 400)
            like("error", answer.json["error"], "plain HTTP.*with http, not")
        equal("lines", len([line for line in gateway.lines
                            if re.search(HELLO, line)]), 1)


def mishap(gateway, pattern):
    gateway.says(FAILED + pattern)
    gateway.alive()


@test
def test_client_of_an_old_version_is_told_of():
    with Secure() as gateway:
        gateway.handshake("-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0")
        mishap(gateway, "unsupported protocol")


@test
def test_client_without_a_common_cipher_is_told_of():
    with Secure() as gateway:
        gateway.handshake("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-CCM")
        mishap(gateway, "no shared cipher")


@test
def test_client_that_does_not_trust_the_certificate_is_told_of():
    with Secure() as gateway:
        try:
            Wire(gateway.url, tls=ssl.create_default_context()).close()
        except ssl.SSLError:
            pass
        mishap(gateway, ".*alert unknown ca")


@test
def test_noise_is_told_of():
    with Secure() as gateway:
        with gateway.plain() as wire:
            wire.send(b"\x00\x01\x02\x03\x04\x05 get me in\r\n")
            wire.ended()
        mishap(gateway, "")


@test
def test_client_that_leaves_in_the_middle_is_told_of():
    with Secure() as gateway:
        with gateway.plain() as wire:
            wire.send(b"\x16\x03\x01\x02")
        mishap(gateway, "(unexpected eof|the client closed)")


@test
def test_client_that_is_late_is_told_of():
    with Secure({"limits": {"head_timeout": "300ms"}}) as gateway:
        with gateway.plain() as wire:
            wire.send(b"\x16\x03\x01\x02")
            wire.ended()
        mishap(gateway, "it took longer than limits.head_timeout")


@test
def test_health_check_that_connects_and_goes_is_no_news():
    with Secure() as gateway:
        for _ in range(5):
            gateway.plain().close()
        gateway.alive()
        said = [line for line in gateway.lines if "refused" in line]
        equal("lines", said, [])


@test
def test_handshake_that_works_is_no_news():
    with Secure() as gateway:
        gateway.alive()
        gateway.upload()
        said = [line for line in gateway.lines if "refused" in line]
        equal("lines", said, [])


@each({"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3})
def test_client_without_a_certificate_is_told_of(version):
    with Mutual() as gateway:
        nobody = gateway.client()
        nobody.maximum_version = version
        refused(gateway, nobody)
        gateway.says(FAILED + "peer did not return a certificate")


@test
def test_why_a_certificate_is_not_taken_is_told():
    with Mutual() as gateway, tempfile.TemporaryDirectory() as folder:
        refused(gateway, gateway.client(
            *Authority(folder, "other").sign("x", "/CN=alice")))
        gateway.says(FAILED + "its certificate is not taken: unable to get "
                     "local issuer certificate")
        refused(gateway, gateway.client(*gateway.authority.sign(
            "s", "/CN=www", "extendedKeyUsage=serverAuth")))
        gateway.says(FAILED + "its certificate is not taken: .*purpose")


@test
def test_unix_socket_beside_tls_takes_plain_http():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/s.sock"
        listen = {"server": {"listen": ["127.0.0.1:0", f"unix:{path}"]}}
        with Secure(listen) as gateway:
            with Wire(f"unix:{path}") as wire:
                equal("status", wire.ask("GET", "/healthz").status, 200)
            with socket.socket(socket.AF_UNIX) as hello:
                hello.connect(path)
                hello.sendall(b"\x16\x03\x01\x00\x05hello")
                like("answer", hello.recv(999).decode(), "HTTP/1.1 400 ")
            gateway.says("unix: is refused: it speaks TLS where plain")


if __name__ == "__main__":
    main()
